//! What is typed, and the request that comes of it.

use std::{
    fs,
    time::{Duration, SystemTime},
};

use clap::{CommandFactory, Parser};
use parloir_proto::v1::{Scope, audit_entry::Outcome};
use serde_json::json;

use super::AGENT;
use crate::commands::{
    Cli, Verb,
    admin::{
        AdminArgs, What, accounts::Accounts, agents::Agents, audit::AuditArgs, callers::Callers,
        document::List, form::Form, keys::Keys, options::Changed, structs::to_json,
    },
};

fn admin(words: &str) -> Result<AdminArgs, String> {
    let words = ["parloir", "admin"].into_iter().chain(words.split(' '));
    match Cli::try_parse_from(words) {
        Ok(Cli {
            verb: Verb::Admin(args),
        }) => Ok(args),
        Ok(_) => Err("another verb".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn what(words: &str) -> What {
    admin(words).expect("a verb").what
}

fn update(words: &str) -> anyhow::Result<Changed> {
    match what(words) {
        What::Agents(Agents::Update { settings }) => settings.read(List::Agents, "".as_bytes()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_command_line_is_well_formed() {
    Cli::command().debug_assert();
}

#[test]
fn the_form_may_stand_anywhere() {
    for words in ["--output json agents list", "agents list --output json"] {
        assert_eq!(admin(words).expect("a verb").output, Form::Json);
    }
    assert_eq!(admin("agents list").expect("a verb").output, Form::Human);
}

#[test]
fn single_settings_are_read_by_their_kind_and_named_in_the_mask() {
    let changed = update(
        "agents update support --set send_timeout=\"5s\" --set max_queued=7 --set fence_by_id=false \
         --set platform.zendesk.bot_id=123 --set platform.zendesk.webhook=none --unset repeat_window",
    )
    .expect("settings");
    let expected = json!({
        "send_timeout": "5s", "max_queued": 7, "fence_by_id": false,
        "platform": { "zendesk": { "bot_id": "123", "webhook": "none" } },
    });
    assert_eq!(to_json(&changed.settings), expected);
    let paths = [
        "send_timeout",
        "max_queued",
        "fence_by_id",
        "platform.zendesk.bot_id",
        "platform.zendesk.webhook",
        "repeat_window",
    ];
    let mask = changed.mask.expect("a mask").paths;
    assert_eq!(mask, paths.map(|path| format!("settings.{path}")));
}

#[test]
fn a_list_is_set_as_a_whole() {
    let changed = update(r#"agents update support --set actions=[{name="refund"}]"#);
    let changed = changed.expect("a list");
    let expected = json!({ "actions": [{ "name": "refund" }] });
    assert_eq!(to_json(&changed.settings), expected);
}

#[test]
fn a_file_replaces_all_settings_and_single_ones_are_laid_over_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, key) = (folder.path().join("agent.toml"), folder.path().join("key"));
    fs::write(&key, "k\n").expect("written");
    let text = AGENT.replace("/run/secrets/support_key", &key.display().to_string());
    let text = text.replace("secrets = [{ env = \"ONE\" }, { env = \"TWO\" }]", "");
    fs::write(&file, text).expect("written");
    let line = format!(
        "agents update support --file {} --set max_queued=9",
        file.display()
    );
    let changed = update(&line).expect("settings");
    assert_eq!(changed.mask.expect("a mask").paths, ["settings"]);
    let settings = to_json(&changed.settings);
    assert_eq!(settings["max_queued"], 9);
    assert_eq!(settings["send_timeout"], "5s");
    assert_eq!(settings["name"], json!(null));
    assert_eq!(changed.secrets["platform.zendesk.api_key"], "k");
    assert_eq!(changed.secrets.len(), 1);
}

#[test]
fn what_is_no_setting_is_refused_with_the_remedy_and_without_the_value() {
    for (words, why) in [
        ("--set platform.zendesk.api_key=hunter2", "--secret"),
        ("--set platform.zendesk.api_key.file=hunter2", "--secret"),
        ("--set name=hunter2", "cannot be changed"),
        ("--set actions[0].name=hunter2", "as a whole"),
        ("--set .a=hunter2", "is no key"),
        ("--set hunter2", "KEY=VALUE"),
        ("--etag 7", "nothing is to be changed"),
    ] {
        let error = update(&format!("agents update support {words}")).expect_err(words);
        let error = format!("{error:#}");
        assert!(error.contains(why), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn an_agent_needs_a_name_and_settings() {
    for (words, why) in [
        ("", "name is missing"),
        (" support", "settings are missing"),
    ] {
        let What::Agents(Agents::Create { settings, .. }) = what(&format!("agents create{words}"))
        else {
            panic!("a creation")
        };
        let error = settings.read(List::Agents, "".as_bytes());
        assert!(error.expect_err(why).to_string().contains(why));
    }
}

#[test]
fn only_what_is_given_of_accounts_and_callers_is_changed() {
    let What::Accounts(Accounts::Update(change)) = what("accounts update shop --source= --etag 3")
    else {
        panic!("a change")
    };
    let request = change.request().expect("a change");
    assert_eq!(request.update_mask.expect("a mask").paths, ["source"]);
    assert_eq!(request.account.expect("an account").etag, "3");

    let What::Callers(Callers::Update(change)) =
        what("callers update shop --scope converse --scope admin --disable --no-certificate-names")
    else {
        panic!("a change")
    };
    let request = change.request().expect("a change");
    let paths = request.update_mask.expect("a mask").paths;
    assert_eq!(paths, ["scopes", "certificates", "disabled"]);
    let caller = request.caller.expect("a caller");
    assert_eq!(
        caller.scopes().collect::<Vec<_>>(),
        [Scope::Converse, Scope::Admin]
    );
    assert!(caller.disabled);
    assert_eq!(caller.limits, None);

    let What::Callers(Callers::Update(change)) =
        what("callers update shop --limit streams=5 --limit call_burst=default")
    else {
        panic!("a change")
    };
    let request = change.request().expect("a change");
    let paths = request.update_mask.expect("a mask").paths;
    assert_eq!(paths, ["limits.streams", "limits.call_burst"]);
    let limits = request.caller.expect("a caller").limits.expect("limits");
    assert_eq!((limits.streams, limits.call_burst), (Some(5), None));

    let What::Callers(Callers::Update(change)) = what("callers update shop") else {
        panic!("a change")
    };
    assert!(change.request().is_err());
}

#[test]
fn a_caller_needs_a_scope_and_a_rotation_one_owner() {
    for words in [
        "callers create shop",
        "callers create shop --scope root",
        "callers update shop --enable --disable",
        "callers update shop --limit speed=1",
        "callers update shop --limit streams",
        "callers update shop --limit streams=-1",
        "secrets rotate --secret a=-",
        "secrets rotate --agent a --source b --secret a=-",
        "keys create shop --expires-in soon",
        "audit --since yesterday",
        "audit --limit 3 verify",
    ] {
        assert!(admin(words).is_err(), "{words}");
    }
}

#[test]
fn a_key_ends_after_a_time_or_at_one() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
    for (words, seconds) in [
        ("", None),
        (" --expires-in 1h", Some(4_600)),
        (" --expires-at 1970-01-02T00:00:00Z", Some(86_400)),
    ] {
        let What::Keys(Keys::Create(new)) = what(&format!("keys create shop{words}")) else {
            panic!("a creation")
        };
        let expires = new.expire_time(now).map(|at| at.seconds);
        assert_eq!(expires, seconds, "{words}");
    }
}

#[test]
fn filters_of_the_audit_log_become_conditions() {
    let What::Audit(AuditArgs { filters, .. }) = what(
        "audit --since 2026-11-27T00:00:00Z --target agents/support --caller ops --action PauseAgent --outcome refused",
    ) else {
        panic!("a list")
    };
    let request = filters.request();
    assert_eq!(request.from_time.expect("a time").seconds, 1_795_737_600);
    assert_eq!(request.before_time, None);
    assert_eq!(request.outcome(), Outcome::Refused);
    assert_eq!(
        (&*request.target, &*request.caller, &*request.action),
        ("agents/support", "ops", "PauseAgent")
    );
}
