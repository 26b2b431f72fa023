//! Every acknowledged webhook was on disk first: the server runs under strace, and between the bytes of a webhook and
//! its 200 there is a finished flush of the database's journal.
//!
//! The crash test cannot see this: what was written and not flushed survives SIGKILL, and is lost with the machine.

mod trace;

use std::{fs, time::Duration};

use parloir::simulate::{Bot, Settings, Simulator};
use tokio::{net::TcpListener, time::timeout};

use crate::{
    process::{BOT, KEY, Setup},
    webhook,
};
use trace::{Audit, Trace, unflushed};

/// One after the other, so that no flush can be taken for another webhook's.
const WEBHOOKS: usize = 60;

/// What is watched: what arrives, what is answered, what reaches the disk.
const CALLS: &str = "trace=read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg,fsync,fdatasync";

#[tokio::test]
async fn every_acknowledged_webhook_was_flushed_first() {
    let audit = audited("").await;
    println!(
        "{} acknowledged webhooks, {} without a flush before",
        audit.acknowledged,
        audit.unflushed.len()
    );
    assert_eq!(audit.unflushed, Vec::<String>::new());
    assert_eq!(
        audit.acknowledged, WEBHOOKS,
        "the trace does not show every answer"
    );
}

/// The audit would see it: with a setting that gives the flush up, hardly a webhook has one.
#[tokio::test]
async fn the_audit_finds_webhooks_that_were_answered_before_their_flush() {
    let audit = audited(r#"database.synchronous = "normal""#).await;
    println!(
        "without waiting for the disk: {} of {}",
        audit.unflushed.len(),
        audit.acknowledged
    );
    assert!(
        audit.unflushed.len() > WEBHOOKS / 2,
        "only {}",
        audit.unflushed.len()
    );
}

/// Sends the webhooks to a server with these settings, under strace.
async fn audited(settings: &str) -> Audit {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let bot = Bot::new(BOT, KEY, "http://127.0.0.1:9/");
    let simulator = Simulator::start(Settings::new(vec![bot]), listener).expect("a simulator");
    let setup = Setup::new(&simulator.base_url(), settings);
    let file = setup.path("trace");
    let file = file.to_str().expect("a temporary folder's name is text");
    // -D: the server stays this process's own child, so that killing it kills no tracer instead.
    let mut server = setup.start(&[
        "strace", "-D", "-f", "-tt", "-yy", "-s", "64", "-e", CALLS, "-o", file,
    ]);
    server.ready().await;
    for number in 0..WEBHOOKS {
        let body = webhook::message(&format!("c{}", number % 5), &format!("flushed-{number}"));
        assert_eq!(
            webhook::post(setup.webhooks, &body)
                .await
                .expect("an answer"),
            200
        );
    }
    server.kill();
    unflushed(&Trace::read(&finished(file).await), setup.webhooks.port())
}

/// The trace, once the tracer has written its last line.
async fn finished(file: &str) -> String {
    let wait = async {
        loop {
            let text = fs::read_to_string(file).expect("a trace");
            if text.ends_with("+++ killed by SIGKILL +++\n") {
                return text;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(10), wait)
        .await
        .expect("the tracer ends with the server")
}
