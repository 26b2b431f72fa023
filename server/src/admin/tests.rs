//! The use cases of administrators, on a real database.

mod broken;
mod let_in;
mod recorded;

use std::{collections::BTreeMap, sync::Arc};

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::*;
use crate::{
    access::{Anonymous, Configured, Pepper},
    committer::{CommitterSettings, Observers},
    domain::{Id, Identity, Scope, Scopes, administration::AuditQuery, ports::Store},
    live::Setup,
    metrics::Metrics,
    store::tests::Scratch,
};

struct Office {
    scratch: Scratch,
    callers: Arc<Callers>,
    admin: Arc<Admin>,
}

impl Office {
    async fn open() -> Self {
        Self::on(Scratch::new().await, Config::default()).await
    }

    /// With what is in the database, as after a restart.
    async fn on(scratch: Scratch, declared: Config) -> Self {
        let store: Arc<dyn Store> = scratch.store.clone();
        let observers = Observers {
            publish: Box::new(|_| ()),
            fatal: Box::new(|| ()),
            metrics: Metrics::new(),
        };
        let callers = Arc::new(Callers::new(
            Pepper::new(&[7; 32]),
            Anonymous::UntilCallersAreNamed,
            Configured::new(&declared.callers),
            Arc::default(),
            scratch.clock.clone(),
        ));
        let admin = Admin::start(Parts {
            store: scratch.store.clone(),
            committer: Committer::start(store, CommitterSettings::default(), observers),
            live: Live::fixed(Setup::default()),
            callers: Arc::clone(&callers),
            clock: scratch.clock.clone(),
            declared,
            reason: crate::grpc::status::reason,
        });
        Self {
            admin: admin.await.expect("read"),
            callers,
            scratch,
        }
    }

    /// The same database beside another configuration.
    async fn again(self, declared: Config) -> Self {
        Self::on(self.scratch, declared).await
    }

    async fn reasons(&self, who: &Identity) -> Vec<String> {
        let query = AuditQuery {
            limit: 100,
            ..AuditQuery::default()
        };
        let acts = self.admin.acts(who, query).await.expect("read");
        acts.into_iter().rev().map(|act| act.reason).collect()
    }
}

fn of(tenant: &str) -> Identity {
    Identity {
        tenant: Id::trusted(tenant),
        caller: Id::trusted("ops"),
        credential: Id::trusted("k"),
        scopes: Scopes::all(),
    }
}

fn agent(name: &str) -> ObjectChange {
    let Value::Object(settings) = json!({
        "platform": {"zendesk": {"bot_id": "b", "base_url": "https://a.example/api"}}
    }) else {
        unreachable!("an object")
    };
    let key = SecretString::from(format!("key-of-{name}"));
    ObjectChange {
        name: name.to_owned(),
        settings,
        secrets: BTreeMap::from([("platform.zendesk.api_key".to_owned(), key)]),
        ..ObjectChange::default()
    }
}

fn caller(name: &str, scopes: &[Scope]) -> CallerChange {
    CallerChange {
        name: name.to_owned(),
        scopes: scopes.iter().copied().collect(),
        ..CallerChange::default()
    }
}

fn refused<T: fmt::Debug>(answer: crate::domain::Result<T>) -> &'static str {
    crate::grpc::status::reason(&answer.expect_err("refused"))
}

#[tokio::test]
async fn a_tenant_sees_and_changes_its_own_alone() {
    let office = Office::open().await;
    let (admin, ours, theirs) = (&office.admin, of("acme"), of("other"));
    admin
        .create(&ours, Kind::Agent, agent("acme.a"))
        .await
        .expect("made");
    let outside = admin.create(&theirs, Kind::Agent, agent("acme.b")).await;
    let why = outside.expect_err("refused").to_string();
    assert!(why.contains("agent.name: must begin with other."), "{why}");
    assert_eq!(admin.objects(&ours, Kind::Agent).len(), 1);
    assert_eq!(admin.objects(&theirs, Kind::Agent), []);
    assert_eq!(
        refused(admin.object(&theirs, Kind::Agent, "acme.a")),
        "AGENT_NOT_FOUND"
    );
    let stranger = ObjectChange {
        mask: vec!["settings".to_owned()],
        ..agent("acme.a")
    };
    assert_eq!(
        refused(admin.update(&theirs, Kind::Agent, stranger).await),
        "AGENT_NOT_FOUND"
    );
    assert_eq!(
        refused(admin.delete(&theirs, Kind::Agent, "acme.a", "").await),
        "AGENT_NOT_FOUND"
    );
    assert_eq!(
        refused(admin.pause(&theirs, "acme.a", true).await),
        "AGENT_NOT_FOUND"
    );
    let account = AccountChange {
        name: "shop".to_owned(),
        agent: "acme.a".to_owned(),
        ..AccountChange::default()
    };
    let why = admin
        .create_account(&theirs, account)
        .await
        .expect_err("refused")
        .to_string();
    assert!(why.contains("account.agent: there is no agent"), "{why}");
    assert_eq!(office.reasons(&ours).await, [""]);
    assert_eq!(
        office.reasons(&theirs).await.len(),
        5,
        "and what was refused is in its own log"
    );
}

#[tokio::test]
async fn what_was_made_is_there_after_a_restart() {
    let office = Office::open().await;
    let who = of("default");
    office
        .admin
        .create(&who, Kind::Agent, agent("a"))
        .await
        .expect("made");
    office
        .admin
        .create_caller(&who, caller("ops", &[Scope::Admin]))
        .await
        .expect("made");
    let (_, text) = office
        .admin
        .create_key(&who, "ops", None)
        .await
        .expect("made");
    let before = office.admin.object(&who, Kind::Agent, "a").expect("there");
    let Office { scratch, .. } = office;
    let office = Office::on(scratch, Config::default()).await;
    assert_eq!(
        office.admin.object(&who, Kind::Agent, "a").expect("there"),
        before
    );
    assert!(office.callers.is_anyone_named());
    office.callers.by_key(text.expose_secret()).expect("let in");
    let found = office.admin.caller(&who, "ops").expect("there");
    assert_eq!(found.keys.len(), 1);
}

#[tokio::test]
async fn a_key_counts_is_noted_when_used_and_is_refused_once_revoked() {
    let office = Office::open().await;
    let (admin, who) = (&office.admin, of("default"));
    admin
        .create_caller(&who, caller("ops", &[Scope::Admin]))
        .await
        .expect("made");
    assert!(
        !office.callers.is_anyone_named(),
        "nobody is locked out before there is a key"
    );
    let (first, text) = admin.create_key(&who, "ops", None).await.expect("made");
    let let_in = office.callers.by_key(text.expose_secret()).expect("let in");
    assert_eq!(let_in.identity.caller.as_str(), "ops");
    assert_eq!(
        refused(admin.revoke_key(&who, &first.id).await),
        "LAST_ADMIN"
    );
    let (second, _) = admin.create_key(&who, "ops", None).await.expect("made");
    let revoked = admin.revoke_key(&who, &first.id).await.expect("revoked");
    assert!(revoked.revoked_at.is_some());
    assert!(office.callers.by_key(text.expose_secret()).is_err());
    assert!(let_in.ended().is_cancelled(), "its streams end");
    assert_eq!(
        refused(admin.revoke_key(&of("acme"), &second.id).await),
        "KEY_NOT_FOUND"
    );
    let again = admin.revoke_key(&who, &first.id).await.expect("OK");
    assert_eq!(again, revoked, "twice is as good as once");
}

#[tokio::test]
async fn nobody_takes_the_last_administrator_away() {
    let office = Office::open().await;
    let (admin, who) = (&office.admin, of("default"));
    let first = admin
        .create_caller(&who, caller("shop", &[Scope::Converse]))
        .await;
    assert_eq!(refused(first), "FIRST_CALLER_NOT_ADMIN");
    admin
        .create_caller(&who, caller("ops", &[Scope::Admin]))
        .await
        .expect("made");
    admin.create_key(&who, "ops", None).await.expect("made");
    admin
        .create_caller(&who, caller("spare", &[Scope::Admin]))
        .await
        .expect("made");
    let without = |mask: &str, disabled| CallerChange {
        disabled,
        mask: vec![mask.to_owned()],
        ..caller("ops", &[Scope::Converse])
    };
    for change in [without("scopes", false), without("disabled", true)] {
        assert_eq!(
            refused(admin.update_caller(&who, change).await),
            "LAST_ADMIN"
        );
    }
    assert_eq!(
        refused(admin.delete_caller(&who, "ops", "").await),
        "LAST_ADMIN"
    );
    admin.create_key(&who, "spare", None).await.expect("made");
    admin
        .delete_caller(&who, "ops", "")
        .await
        .expect("another can");
}

#[tokio::test]
async fn certificates_names_cannot_be_claimed_by_a_tenant_nor_twice() {
    let office = Office::open().await;
    let with = |name: &str| CallerChange {
        certificates: vec!["spiffe://corp/ops".to_owned()],
        ..caller(name, &[Scope::Admin])
    };
    let theirs = office.admin.create_caller(&of("acme"), with("ops")).await;
    let why = theirs.expect_err("refused").to_string();
    assert!(
        why.contains("caller.certificates[0]: cannot be given"),
        "{why}"
    );
    office
        .admin
        .create_caller(&of("default"), with("ops"))
        .await
        .expect("made");
    let again = office
        .admin
        .create_caller(&of("default"), with("other"))
        .await;
    let why = again.expect_err("refused").to_string();
    assert!(why.contains("is that of another caller"), "{why}");
}

#[tokio::test]
async fn limits_are_kept() {
    let mut declared = Config::default();
    (declared.admin.max_objects, declared.admin.max_keys) = (1, 1);
    let office = Office::on(Scratch::new().await, declared).await;
    let (admin, who) = (&office.admin, of("default"));
    admin
        .create(&who, Kind::Agent, agent("a"))
        .await
        .expect("made");
    let more = admin.create(&who, Kind::Agent, agent("b")).await;
    assert_eq!(refused(more), "TOO_MANY_OBJECTS");
    admin
        .create(&of("acme"), Kind::Agent, agent("acme.a"))
        .await
        .expect("each tenant has its own");
    admin
        .create_caller(&who, caller("ops", &[Scope::Admin]))
        .await
        .expect("made");
    admin.create_key(&who, "ops", None).await.expect("made");
    assert_eq!(
        refused(admin.create_key(&who, "ops", None).await),
        "TOO_MANY_KEYS"
    );
}

#[tokio::test]
async fn an_act_whose_caller_has_gone_is_done_all_the_same() {
    let office = Office::open().await;
    let who = of("default");
    let act = office.admin.create(&who, Kind::Agent, agent("a"));
    let mut act = Box::pin(act);
    // Begun, and dropped before its end.
    let _ = futures_util::poll!(act.as_mut());
    drop(act);
    while office.admin.object(&who, Kind::Agent, "a").is_err() {
        tokio::task::yield_now().await;
    }
    assert_eq!(office.reasons(&who).await, [""]);
}

#[tokio::test]
async fn a_key_is_told_apart_within_its_tenant_alone() {
    let office = Office::open().await;
    let (admin, ours, theirs) = (&office.admin, of("acme"), of("other"));
    let with_key = |name: &str| {
        let mut change = agent(name);
        let key = SecretString::from("the-one-key");
        change
            .secrets
            .insert("platform.zendesk.api_key".to_owned(), key);
        change
    };
    admin
        .create(&theirs, Kind::Agent, with_key("other.a"))
        .await
        .expect("made");
    admin
        .create(&ours, Kind::Agent, with_key("acme.a"))
        .await
        .expect("made as if nobody else had it");
    let again = admin.create(&ours, Kind::Agent, with_key("acme.b")).await;
    let why = again.expect_err("refused").to_string();
    assert!(
        why.contains("is the API key of the agent acme.a too"),
        "{why}"
    );
}
