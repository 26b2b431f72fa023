//! Files of settings: the form of the configuration, taken apart into settings and the places of secrets.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::{AGENT, parsed};
use crate::{
    commands::admin::document::{Document, List},
    secret::Secret,
};

#[test]
fn name_and_secrets_are_taken_out_and_all_else_stays() {
    let document = parsed(AGENT, None).expect("an agent");
    assert_eq!(document.name.as_deref(), Some("support"));
    let expected: Table = r#"
        send_timeout = "5s"
        max_queued = 200
        [platform.zendesk]
        bot_id = "65f0c1a2b3d4e5f60718293a"
        base_url = "https://example.zendesk.com/ai-agents/api"
        [platform.zendesk.webhook.static_header]
        header = "x-webhook-secret"
        [[actions]]
        name = "refund"
        results = { file = "a word like any other" }
    "#
    .parse()
    .expect("TOML");
    assert_eq!(document.settings, expected);
    let at = "platform.zendesk";
    let secrets = BTreeMap::from([
        (
            format!("{at}.api_key"),
            Secret::in_file("/run/secrets/support_key"),
        ),
        (
            format!("{at}.webhook.static_header.secrets[0]"),
            Secret::in_environment("ONE"),
        ),
        (
            format!("{at}.webhook.static_header.secrets[1]"),
            Secret::in_environment("TWO"),
        ),
    ]);
    assert_eq!(document.secrets, secrets);
}

#[test]
fn a_whole_configuration_gives_the_entry_that_is_named() {
    let text = r#"
        [[agents]]
        name = "one"
        send_timeout = "1s"
        [[agents]]
        name = "two"
        send_timeout = "2s"
    "#;
    let two = parsed(text, Some("two")).expect("an entry");
    assert_eq!(two.settings["send_timeout"], Value::from("2s"));
    for (name, why) in [(None, "several"), (Some("three"), "no [[agents]]")] {
        let error = parsed(text, name).expect_err("which one?");
        assert!(format!("{error:#}").contains(why), "{error:#}");
    }
}

#[test]
fn a_file_of_another_object_is_refused() {
    let error = parsed(AGENT, Some("sales")).expect_err("two names");
    assert!(error.to_string().contains("\"support\""), "{error}");
}

#[test]
fn a_secret_that_is_written_down_is_refused_and_not_shown() {
    for text in [
        "platform.zendesk.api_key = \"hunter2\"",
        "platform.zendesk.api_key = { value = \"hunter2\" }",
        "platform.zendesk.webhook.static_header.secrets = [\"hunter2\"]",
        "platform.zendesk.webhook.static_header.secrets = [{ env = \"A\" }, \"hunter2\"]",
        "platform.zendesk.api_key = hunter2",
    ] {
        let error = parsed(text, None).expect_err("no secret is sent as a setting");
        assert!(!format!("{error:#}").contains("hunter2"), "{error:#}");
    }
    let source = "system.help_scout.app_secret = \"hunter2\"";
    let error = Document::parse(source, List::Sources, None).expect_err("no place");
    assert!(error.to_string().contains("system.help_scout.app_secret"));
}
