//! A disk that is full: a small one of the test's own, in a namespace that ends with the server.

use std::{fs, path::PathBuf, process::Command, time::Duration};

use parloir_client::{
    Client, Code,
    v1::{Parameter, StartConversationRequest},
};

use crate::{
    process::{ACCOUNT, AGENT, Server, Setup},
    support::{
        http::Reply,
        platform::FakeServer,
        webhook::{self, says},
    },
};

const IN_TIME: Duration = Duration::from_secs(30);

/// Mounts a disk of 8 MiB at `$0`, and becomes the server.
const ON_A_SMALL_DISK: &str =
    r#"mount -t tmpfs -o size=8m,mode=700 none "$0" && chmod 700 "$0" && exec "$@""#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_what_is_new_shows_what_it_has_and_loses_nothing() {
    let platform = FakeServer::start().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let disk = folder.path().to_str().expect("a name that is text");
    let database = format!("sqlite:{disk}/parloir.db");
    let setup = Setup::replica(&platform.url(), "", "", &database);
    let mut server = setup.start(&[
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        ON_A_SMALL_DISK,
        disk,
    ]);
    server.ready().await;
    let client = Client::builder(setup.grpc_url()).attempts(1);
    let client = client.connect().await.expect("it listens");
    client.start(ACCOUNT, "C", "start").await.expect("taken");

    let ballast = fill(&server, disk);
    let long = "x".repeat(10_000);
    let mut taken = 0;
    let refused = loop {
        let reply = post(&setup, &says(&format!("C{taken}"), &long)).await;
        if reply.status != 200 {
            break reply;
        }
        taken += 1;
    };
    assert_eq!(refused.status, 503);
    assert!(refused.header("retry-after").is_some());
    let parameters = (0..10).map(|number| Parameter {
        key: format!("p{number}"),
        value: "x".repeat(8_000),
        personal: false,
    });
    let start = StartConversationRequest {
        account: ACCOUNT.to_owned(),
        conversation_id: "C".to_owned(),
        command_id: "s".to_owned(),
        parameters: parameters.collect(),
        ..StartConversationRequest::default()
    };
    let error = client.start_conversation(start.clone()).await;
    let error = error.expect_err("it is full");
    assert_eq!(
        (error.code(), error.reason()),
        (Code::ResourceExhausted, Some("STORE_FULL"))
    );
    let known = client.conversation(ACCOUNT, "C").await;
    assert!(known.expect("reading goes on").is_some());

    fs::remove_file(ballast).expect("removed");
    let room = async { while client.start_conversation(start.clone()).await.is_err() {} };
    let room = tokio::time::timeout(IN_TIME, room).await;
    room.expect("it is taken as soon as there is room");
    assert!(server.has_ended().is_none(), "{}", server.last_words());
    for number in 0..taken {
        let known = client.conversation(ACCOUNT, &format!("C{number}")).await;
        assert!(known.expect("an answer").is_some(), "C{number} is lost");
    }
    assert_eq!(integrity(&server, disk), "ok");
}

/// Leaves hardly any room. Answers what takes it.
fn fill(server: &Server, disk: &str) -> PathBuf {
    let ballast = seen_by(server, disk).join("ballast");
    let mut file = fs::File::create(&ballast).expect("made");
    let piece = vec![1; 64 * 1024];
    // To the end, and then 512 KiB back.
    let mut length = 0;
    while std::io::Write::write_all(&mut file, &piece).is_ok() {
        length += piece.len() as u64;
    }
    file.set_len(length - 512 * 1024).expect("cut");
    ballast
}

/// A place in the server's namespace, from outside.
fn seen_by(server: &Server, path: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{}/root{path}", server.pid()))
}

async fn post(setup: &Setup, body: &str) -> Reply {
    webhook::post(setup.webhooks, AGENT, &[], body.as_bytes()).await
}

/// What the library says of a copy: nobody writes meanwhile.
fn integrity(server: &Server, disk: &str) -> String {
    let copy = tempfile::tempdir().expect("a temporary folder");
    for name in ["parloir.db", "parloir.db-wal"] {
        let file = seen_by(server, disk).join(name);
        fs::copy(file, copy.path().join(name)).expect("copied");
    }
    let check = "import sqlite3, sys\n\
                 print(sqlite3.connect(sys.argv[1]).execute('pragma integrity_check').fetchone()[0])";
    let found = Command::new("python3")
        .args(["-c", check])
        .arg(copy.path().join("parloir.db"))
        .output()
        .expect("python3 can be started");
    String::from_utf8_lossy(&found.stdout).trim().to_owned()
}
