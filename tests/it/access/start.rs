//! What the server refuses to start with, and the verb that mends it.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    process::Command,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use parloir_client::{Client, Subscription, v1::event::Body};

use crate::{
    process::{AGENT, Setup, binary},
    support::{
        events::Events, http::Connection, platform::FakeServer, questions::action_requested,
        webhook::action,
    },
};

fn serve(setup: &Setup) -> (bool, String) {
    let mut command = Command::new(binary());
    command
        .args(["serve", "--config"])
        .arg(setup.path("parloir.toml"));
    let output = command.output().expect("it runs");
    (
        output.status.success(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

/// Takes the place of what `Setup` listens on.
fn outside(setup: &Setup) {
    let path = setup.path("parloir.toml");
    let text = fs::read_to_string(&path).expect("a configuration");
    let own = format!("grpc.listen = \"{}\"", setup.grpc);
    assert!(text.contains(&own));
    fs::write(&path, text.replace(&own, "grpc.listen = \"0.0.0.0:0\"")).expect("written");
}

#[test]
fn an_address_for_everybody_without_callers_is_refused_with_what_mends_it() {
    let setup = Setup::new("http://127.0.0.1:9", "");
    outside(&setup);
    let (success, told) = serve(&setup);
    assert!(!success, "{told}");
    for word in [
        "0.0.0.0",
        "[[callers]]",
        "new-key",
        "[grpc.tls]",
        "allow_unauthenticated",
    ] {
        assert!(told.contains(word), "no {word} in {told}");
    }
}

#[tokio::test]
async fn a_server_that_refuses_to_start_has_settled_nothing_that_the_one_before_left() {
    let platform = FakeServer::start().await;
    let setup = Setup::new(&platform.url(), "");
    let mut server = setup.start(&[]);
    server.ready().await;
    let client = Client::builder(setup.grpc_url()).connect();
    let client = client.await.expect("a server");
    let mut events = Events::new(client.subscribe(Subscription::new().from_earliest()));
    let mut connection = Connection::open(setup.webhooks).await;
    let body = action("C", "fetch");
    connection
        .post(&format!("/webhooks/{AGENT}"), &[], body.as_bytes())
        .await;
    action_requested(&mut events).await;
    server.kill();
    let file = setup.path("parloir.toml");
    let whole = fs::read(&file).expect("a configuration");
    outside(&setup);
    assert!(!serve(&setup).0);
    let refused_at = SystemTime::now().duration_since(UNIX_EPOCH);
    let refused_at = refused_at.expect("after 1970");
    fs::write(&file, whole).expect("written");

    let mut server = setup.start(&[]);
    server.ready().await;
    let closed_at = events
        .find(|body, event| {
            matches!(body, Body::RequestClosed(_)).then(|| event.recorded_at.expect("a time"))
        })
        .await;
    let closed_at = Duration::new(
        closed_at.seconds.try_into().expect("after 1970"),
        closed_at.nanos.try_into().expect("a fraction"),
    );
    assert!(closed_at >= refused_at, "{closed_at:?} {refused_at:?}");
}

#[test]
fn a_fresh_key_goes_into_a_file_of_its_own_and_is_not_shown_then() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("crm.key");
    let make = || {
        let mut command = Command::new(binary());
        command
            .arg("new-key")
            .arg("--file")
            .arg(&file)
            .output()
            .expect("it runs")
    };
    let first = make();
    assert!(first.status.success());
    let key = fs::read_to_string(&file).expect("a key");
    let secret = key.trim().rsplit_once('_').map_or("", |_| &key[21..]);
    let told = String::from_utf8_lossy(&first.stderr).into_owned();
    assert!(
        key.starts_with("parloir_") && told.contains("[[callers]]"),
        "{told}"
    );
    assert!(!told.contains(secret) && first.stdout.is_empty(), "{told}");
    assert!(!make().status.success(), "it must not be overwritten");
}

#[test]
fn a_fresh_master_key_goes_into_a_file_that_its_owner_alone_can_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("master.key");
    let make = || {
        let mut command = Command::new(binary());
        command
            .arg("new-master-key")
            .arg("--file")
            .arg(&file)
            .output()
            .expect("it runs")
    };
    let first = make();
    assert!(first.status.success() && first.stdout.is_empty());
    let line = fs::read_to_string(&file).expect("a line");
    assert!(line.starts_with('k') && line.contains(':'));
    let mode = fs::metadata(&file).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!make().status.success(), "it must not be overwritten");
}

#[test]
fn what_cannot_be_read_is_told_once() {
    let setup = Setup::new("http://127.0.0.1:9", "");
    let path = setup.path("parloir.toml");
    let text = fs::read_to_string(&path).expect("a configuration");
    let tls = "grpc.tls = { certificate = \"nowhere.pem\", private_key = \"nowhere.key\" }\n";
    fs::write(&path, format!("{tls}{text}")).expect("written");
    let (success, told) = serve(&setup);
    assert!(!success, "{told}");
    assert_eq!(told.matches("No such file").count(), 1, "{told}");
}

fn verb(arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(binary());
    command.args(arguments).env_remove("PARLOIR_KEY");
    let output = command.output().expect("it runs");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.success(), told)
}

#[test]
fn an_empty_key_file_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("empty.key");
    fs::write(&file, "\n").expect("written");
    let file = file.to_str().expect("text");
    let (success, told) = verb(&["tail", "--key-file", file]);
    assert!(
        !success && told.contains("--key-file") && told.contains("is empty"),
        "{told}"
    );
}

#[tokio::test]
async fn a_key_that_is_missing_and_a_server_that_speaks_no_tls_are_told_with_the_remedy() {
    let house = super::house::House::with_callers("").await;
    let plain = format!("http://{}", house.app.grpc());
    let tls = format!("https://{}", house.app.grpc());
    let (missing, encrypted) = tokio::task::spawn_blocking(move || {
        let missing = verb(&["tail", "--once", "--server", &plain]);
        (missing, verb(&["tail", "--once", "--server", &tls]))
    })
    .await
    .expect("both ran");
    assert!(!missing.0, "{}", missing.1);
    let remedy = "give a key: --key-file FILE, or the variable PARLOIR_KEY";
    assert!(missing.1.contains(remedy), "{}", missing.1);
    assert!(!encrypted.0, "{}", encrypted.1);
    let remedy = format!("it speaks no TLS, write http://{}", house.app.grpc());
    assert!(encrypted.1.contains(&remedy), "{}", encrypted.1);
    house.app.stop().await;
}
