//! 53 secrets and personal values go through a real server that logs all it can, and are then searched for in every byte
//! that it leaves: database files, logs, metrics, errors, arguments.

mod plants;
mod posts;
mod rotation;
mod search;
mod traffic;

use std::{
    fs,
    path::Path,
    process::Command,
    time::{SystemTime, UNIX_EPOCH},
};

use parloir_client::Client;

use crate::{process::Setup, support::http::Connection, support::platform::FakeServer};
use plants::{Files, Plants};
use search::{Haystack, TOKENS};

#[tokio::test]
async fn none_of_53_planted_values_is_found_after_a_log_of_text_at_trace_level() {
    nothing_is_found("text").await;
}

#[tokio::test]
async fn none_of_53_planted_values_is_found_after_a_log_of_json_at_trace_level() {
    nothing_is_found("json").await;
}

async fn nothing_is_found(format: &str) {
    let mut plants = Plants::new();
    let (platform, number) = (FakeServer::start().await, FakeServer::start().await);
    let care = FakeServer::start().await;
    let folder = tempfile::tempdir().expect("a folder for secrets");
    let files = plants.write_secrets(folder.path());
    let tokens_at = folder.path().join("tokens.json");
    let settings = format!(
        r#"
        logging.filter = "trace"
        logging.format = "{format}"
        encryption.master_key = {{ file = "{}" }}
        "#,
        files.master_key
    );
    let source = sources(&files, &number.url(), &care.url(), &tokens_at);
    let setup = Setup::with_source(&platform.url(), &settings, &source);
    fs::write(setup.path("api-key"), plants.get("api_key")).expect("the key can be written");
    // As a version of before wrote it, and due to be renewed: both tokens are used, and the renewal is not granted.
    let tokens = serde_json::json!({
        "access_token": plants.get("oauth_access_token"),
        "refresh_token": plants.get("oauth_refresh_token"),
        "expires_at": in_a_minute(),
    });
    fs::write(&tokens_at, tokens.to_string()).expect("the tokens can be written");
    let mut server = setup.start(&[]);
    server.ready().await;
    care.wait_for(2).await;
    both_tokens_were_used(&care, &plants);
    let client = Client::builder(setup.grpc_url()).attempts(1);
    let client = client.connect().await.expect("a server that listens");

    let mut traffic = traffic::Traffic {
        plants: &plants,
        client,
        grpc: setup.grpc_url(),
        webhooks: setup.webhooks,
        platform: &platform,
        number: &number,
        answers: Vec::new(),
    };
    let key = traffic.run().await;
    let answers = traffic.answers;
    // Its id stands before the secret part, and may be seen.
    let secret = key.splitn(3, '_').nth(2);
    plants.add("made_caller_key", secret.expect("a key"));

    let mut haystack = Haystack::default();
    for answer in answers {
        haystack.add("an error answer", answer.into_bytes());
    }
    let mut connection = Connection::open(setup.ops()).await;
    connection.head("GET", "/metrics", &[]).await;
    let metrics = connection.reply().await.expect("an answer").body;
    assert!(metrics.contains("parloir_commit_seconds"), "{metrics:.200}");
    haystack.add("/metrics", metrics.into_bytes());
    haystack.add("the arguments", arguments(server.pid()));
    // Once while it runs, with what stands in the write-ahead log, and once after an end in order.
    haystack.add_files(&setup);
    server.terminate();
    assert!(server.exited().await.success());
    haystack.add_files(&setup);
    haystack.add(
        TOKENS,
        fs::read(&tokens_at).expect("the tokens' file is there"),
    );
    haystack.check_that_it_is_whole();
    let found = haystack.find(&plants);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// TOML that goes into the account's table and after it.
fn sources(files: &Files, number: &str, care: &str, tokens: &Path) -> String {
    format!(
        r#"
        source = "wa"
        [agents.platform.zendesk.webhook.static_header]
        header = "x-webhook-secret"
        secrets = [{{ file = "{}" }}, {{ file = "{}" }}]
        [[sources]]
        name = "wa"
        [sources.system.whatsapp]
        phone_number_id = "PN1"
        access_token = {{ file = "{}" }}
        app_secrets = [{{ file = "{}" }}]
        verify_tokens = [{{ file = "{}" }}]
        base_url = "{}"
        [[agents]]
        name = "care"
        [agents.platform.zendesk]
        bot_id = "care"
        base_url = "{care}"
        api_key = {{ file = "{}" }}
        [[accounts]]
        name = "care"
        agent = "care"
        source = "care"
        [[sources]]
        name = "care"
        [sources.system.social_connect]
        account_id = "1417"
        client_id = "parloir-app"
        client_secret = {{ file = "{}" }}
        token_file = "{tokens}"
        topic_ids = "1"
        looks_every = "1s"
        base_url = "{care}"
        oauth_host = "{care}"
        "#,
        files.webhook_secret,
        files.old_webhook_secret,
        files.access_token,
        files.app_secret,
        files.verify_token,
        number,
        files.app_secret,
        files.app_secret,
        tokens = tokens.display(),
    )
}

fn both_tokens_were_used(care: &FakeServer, plants: &Plants) {
    let shown = care.requests().into_iter();
    let shown: Vec<_> = shown
        .map(|asked| format!("{} {:?}", asked.path, asked.headers.get("authorization")))
        .collect();
    for name in ["oauth_access_token", "oauth_refresh_token"] {
        let token = plants.get(name);
        assert!(
            shown.iter().any(|asked| asked.contains(token)),
            "{name} was not used"
        );
    }
}

/// In seconds since 1970.
fn in_a_minute() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("after 1970").as_secs() + 60
}

/// The command line of a process, as everybody on the machine can see it.
fn arguments(pid: u32) -> Vec<u8> {
    let shown = Command::new("ps")
        .args(["-o", "args=", "-p", &pid.to_string()])
        .output();
    match fs::read(format!("/proc/{pid}/cmdline")) {
        Ok(arguments) => arguments,
        Err(_) => shown.expect("ps").stdout,
    }
}

#[test]
fn a_value_is_found_in_each_of_its_forms() {
    let plants = Plants::new();
    let value = plants.get("visitor_text_1");
    for (form, text) in search::forms(value) {
        let mut haystack = Haystack::default();
        haystack.add("a log", [b"before ", text.as_slice(), b" after"].concat());
        let found = haystack.find(&plants);
        assert!(
            found.iter().any(|line| line.contains("visitor_text_1")),
            "{form} is not found: {found:?}"
        );
    }
    let mut clean = Haystack::default();
    clean.add("a log", b"nothing to see here".to_vec());
    assert!(clean.find(&plants).is_empty());
}
