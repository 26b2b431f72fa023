//! The flags, and the configuration that is printed for Parloir.

use std::fs;

use clap::{CommandFactory, Parser};

use super::*;
use crate::config;
use crate::simulate::Signing;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    args: SimulateArgs,
}

fn args(flags: &[&str]) -> SimulateArgs {
    let words = ["simulate"].iter().chain(flags);
    Line::try_parse_from(words).unwrap().args
}

const SCHEMES: [&[&str]; 7] = [
    &["none"],
    &["url_token"],
    &["static_header", "--webhook-header", "X-Secret"],
    &[
        "hmac",
        "--webhook-encoding",
        "base64",
        "--webhook-prefix",
        "sha256=",
    ],
    &[
        "hmac",
        "--webhook-timestamp-header",
        "X-Time",
        "--webhook-separator",
        ".",
    ],
    &["zendesk_support"],
    &["standard_webhooks"],
];

#[test]
fn the_printed_configuration_is_one_that_parloir_reads() {
    for scheme in SCHEMES {
        let secret = [
            "--webhook-secret",
            "0123456789012345678901",
            "--webhook-scheme",
        ];
        let flags: Vec<_> = secret.iter().chain(scheme).copied().collect();
        let args = args(&flags);
        let text = summary::configuration(&args, "http://127.0.0.1:8090");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("parloir.toml");
        fs::write(&file, &text).unwrap();
        let loaded = config::load(Some(&file), std::iter::empty());
        let loaded = loaded.map_err(|error| format!("{error}\n{text}")).unwrap();
        assert_eq!(loaded.config.agents[0].name, "demo");
        args.signing.read().unwrap();
    }
}

#[test]
fn the_summary_shows_no_secret() {
    let args = args(&[
        "--key",
        "k3y",
        "--webhook-scheme",
        "hmac",
        "--webhook-secret",
        "s3cret",
    ]);
    let summary = summary::summary(&args, "http://127.0.0.1:8090");
    assert!(
        !summary.contains("k3y") && !summary.contains("s3cret"),
        "{summary}"
    );
    assert!(summary.contains("http://127.0.0.1:8080/webhooks/demo"));
    let debug = format!("{args:?}");
    assert!(!debug.contains("k3y") && !debug.contains("s3cret"));
}

#[test]
fn a_scheme_without_its_secret_or_header_says_what_to_give() {
    let error = |flags: &[&str]| args(flags).signing.read().unwrap_err();
    let without = error(&["--webhook-scheme", "hmac"]);
    assert!(without.contains("give --webhook-secret"), "{without}");
    let header = [
        "--webhook-scheme",
        "hmac",
        "--webhook-secret",
        "s",
        "--webhook-header",
        "a b",
    ];
    assert!(error(&header).starts_with("--webhook-header is no header name"));
    let none = args(&[]).signing.read().unwrap();
    assert!(matches!(none, Signing::None));
}

#[test]
fn every_flag_reaches_the_settings() {
    let flags = [
        "--agent",
        "shop",
        "--session-duration",
        "1h",
        "--reply-delay",
        "2s",
        "--webhook-retries",
        "3",
        "--webhook-timeout",
        "4s",
        "--welcome",
        "Hi",
        "--action-url",
        "http://127.0.0.1:1/a",
        "--unknown-bot-is-unauthorized",
        "--ignore-blank-messages",
    ];
    let settings = settings(&args(&flags)).unwrap();
    let bot = &settings.bots[0];
    assert_eq!(bot.webhook_url, "http://127.0.0.1:8080/webhooks/shop");
    assert_eq!(bot.action_url.as_deref(), Some("http://127.0.0.1:1/a"));
    assert_eq!(bot.welcome.as_deref(), Some("Hi"));
    let seconds = (
        bot.session_duration,
        settings.reply_delay,
        settings.webhook_timeout,
    );
    assert_eq!(
        (
            seconds.0.as_secs(),
            seconds.1.as_secs(),
            seconds.2.as_secs()
        ),
        (3600, 2, 4)
    );
    assert_eq!(settings.webhook_retries, 3);
    assert!(settings.unknown_bot_is_unauthorized && settings.ignore_blank_messages);
}

#[test]
fn fault_flags_read_as_the_keys_of_a_script() {
    let read = |flags: &[&str]| args(flags).fault.words().read();
    let flags = [
        "--fault-status",
        "503",
        "--fault-retry-after",
        "1s",
        "--fault-times",
        "2",
        "--fault-webhooks",
        "duplicate",
    ];
    let text = "[[dialogue]]\nname = \"d\"\ndefault = true\nfault = { status = 503, retry_after = \"1s\", times = 2, webhooks = \"duplicate\" }\n[[dialogue.step]]\nreply = \"a\"";
    let script = Script::parse(text).unwrap();
    assert_eq!(Some(read(&flags).unwrap()), script.dialogues[0].fault);
    assert!(read(&["--fault-answer", "reset_before_headers"]).is_ok());
    assert!(
        read(&["--fault-webhooks", "late"])
            .unwrap_err()
            .contains("webhook_delay")
    );
}

#[test]
fn a_script_that_cannot_be_played_is_named_with_its_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.toml");
    fs::write(&file, "[[dialogue]]\nname = \"d\"\n").unwrap();
    let error = settings(&args(&["--script", file.to_str().unwrap()])).unwrap_err();
    let error = format!("{error:#}");
    assert!(error.contains("mine.toml cannot be played"), "{error}");
    assert!(
        error.contains("dialogue \"d\": nothing triggers it"),
        "{error}"
    );
}

#[test]
fn the_help_explains_each_flag() {
    let mut command = Line::command();
    let help = command.render_long_help().to_string();
    for flag in [
        "--listen",
        "--script",
        "--fault-webhook-delay",
        "--webhook-secret",
        "--print-script",
    ] {
        assert!(help.contains(flag), "{flag}");
    }
    assert!(help.contains("Examples:"));
    let unexplained = command
        .get_arguments()
        .filter(|flag| flag.get_help().is_none());
    assert_eq!(unexplained.count(), 0);
}
