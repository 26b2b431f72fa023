//! Managed things come and go beside the declared ones, and what stays the same is not touched.

use std::sync::{Mutex, PoisonError};

use super::*;
use crate::{
    config::{AccountConfig, AgentConfig, load},
    domain::{SystemClock, tenant_of},
    live::Live,
    tests::master_keys::custody,
};

const DECLARED: &str = r#"
    [[agents]]
    name = "bot"
    [agents.platform.zendesk]
    bot_id = "65f0c1a2b3d4e5f60718293a"
    base_url = "https://example.zendesk.com/ai-agents/api"
    api_key = { env = "BOT_KEY" }

    [[accounts]]
    name = "shop"
    agent = "bot"
"#;

fn declared(text: &str) -> Config {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("parloir.toml");
    std::fs::write(&path, text).expect("written");
    load(Some(&path), std::iter::empty()).expect("valid").config
}

fn live() -> Arc<Live> {
    let assembler = Assembler {
        declared: declared(DECLARED),
        clock: Arc::new(SystemClock),
        custody: custody(),
    };
    Live::start(Box::new(assembler)).expect("assembled")
}

/// An agent as managed, and the account that it answers.
fn managed(agent: &str, account: &str) -> (AgentConfig, AccountConfig) {
    let text = DECLARED
        .replace("\"bot\"", &format!("{agent:?}"))
        .replace("shop", account)
        .replace("BOT_KEY", &format!("KEY_OF_{agent}").replace('.', "_"));
    let config = declared(&text);
    (config.agents[0].clone(), config.accounts[0].clone())
}

fn of(things: &[(AgentConfig, AccountConfig)]) -> Managed {
    Managed {
        agents: things.iter().map(|(agent, _)| agent.clone()).collect(),
        accounts: things.iter().map(|(_, account)| account.clone()).collect(),
        ..Managed::default()
    }
}

fn problem(live: &Live, managed: &Managed) -> (String, String) {
    let before = live.setup();
    let mut problems = live.replace(managed).expect_err("refused").0;
    assert!(
        Arc::ptr_eq(&before, &live.setup()),
        "it changed all the same"
    );
    let first = problems.remove(0);
    (first.key, first.text)
}

#[test]
fn what_is_managed_comes_and_goes_and_the_rest_stays_as_it_is() {
    let live = live();
    let declared = live.agent("bot").expect("declared");
    let (acme, shop) = managed("acme.bot", "shop");
    let (bolt, _) = managed("bolt.bot", "shop");
    live.replace(&of(&[(acme.clone(), shop.clone())]))
        .expect("fits");
    let first = live.agent("acme.bot").expect("managed");
    let mut more = of(&[(acme.clone(), shop.clone())]);
    more.agents.push(bolt);
    more.paused.insert("acme.bot".to_owned());
    live.replace(&more).expect("fits");
    assert!(Arc::ptr_eq(&declared, &live.agent("bot").expect("stays")));
    assert!(Arc::ptr_eq(&first, &live.agent("acme.bot").expect("stays")));
    assert!(live.agent("bolt.bot").is_some());
    let directory = live.directory();
    assert!(directory.agent("acme.bot").expect("known").paused);
    assert!(!directory.agent("bot").expect("known").paused);
    for agent in ["bot", "acme.bot"] {
        let tenant = Id::trusted(tenant_of(agent));
        let account = directory.account(&tenant, &Id::trusted("shop"));
        assert_eq!(account.expect("its own").1.name.as_str(), agent);
    }
    // Another setting is another adapter.
    let mut slower = acme;
    slower.send_timeout *= 2;
    live.replace(&of(&[(slower, shop)])).expect("fits");
    assert!(!Arc::ptr_eq(
        &first,
        &live.agent("acme.bot").expect("there")
    ));
    assert!(live.agent("bolt.bot").is_none());
    live.replace(&Managed::default()).expect("fits");
    assert!(live.agent("acme.bot").is_none());
    assert!(Arc::ptr_eq(&declared, &live.agent("bot").expect("stays")));
}

#[test]
fn what_does_not_hold_together_is_refused_by_name_and_changes_nothing() {
    let live = live();
    let (mut taken, _) = managed("bot", "other");
    taken.platform = managed("x", "x").0.platform;
    let taken = Managed {
        agents: vec![taken],
        ..Managed::default()
    };
    let (key, text) = problem(&live, &taken);
    assert_eq!(key, "agents[bot].name");
    assert!(text.contains("two agents"), "{text}");
    let (_, mut stray) = managed("acme.bot", "stray");
    stray.agent = "acme.bod".to_owned();
    let stray = Managed {
        accounts: vec![stray],
        ..Managed::default()
    };
    let (key, text) = problem(&live, &stray);
    assert_eq!(key, "accounts[stray].agent");
    assert!(
        text.contains("configured: none"),
        "of its own tenant alone: {text}"
    );
    assert!(live.check(&taken).is_err());
}

#[test]
fn everybody_who_follows_is_told_of_each_change_once() {
    let live = live();
    let told = Arc::new(Mutex::new(Vec::new()));
    let list = Arc::clone(&told);
    live.follow(move |setup| {
        let mut list = list.lock().unwrap_or_else(PoisonError::into_inner);
        list.push(setup.agents.len());
    });
    let one = of(&[managed("acme.bot", "shop")]);
    live.replace(&one).expect("fits");
    live.check(&Managed::default()).expect("fits");
    live.replace(&Managed::default()).expect("fits");
    assert_eq!(*told.lock().expect("whole"), [2, 1]);
}
