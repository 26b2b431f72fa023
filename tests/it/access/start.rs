//! What the server refuses to start with, and the verb that mends it.

use std::{
    fs,
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
