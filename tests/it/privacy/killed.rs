//! Killed at any moment, an erasure that was answered is done, and the platform is asked.

use std::time::Duration;

use parloir_client::{
    Client,
    v1::{ErasureState, UpstreamErasureState},
};

use super::{erase, is_in_files, receipt_when};
use crate::{
    process::Setup,
    support::{
        platform::{Behaviour, FakeServer},
        webhook::{flat, post},
    },
};

const WORDS: &str = "my-leg-is-broken-7431";

async fn client(setup: &Setup) -> Client {
    Client::builder(setup.grpc_url())
        .attempts(1)
        .deadline(Duration::from_secs(10))
        .connect()
        .await
        .expect("a server that listens")
}

/// The platform answers the chat, and refuses erasures until it is told otherwise.
async fn platform() -> (FakeServer, std::sync::Arc<std::sync::atomic::AtomicBool>) {
    let acknowledges = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let told = std::sync::Arc::clone(&acknowledges);
    let platform = FakeServer::answering(move |request| {
        let erases = request.path.ends_with("/gdpr/delete-user-data");
        let refuses = erases && !told.load(std::sync::atomic::Ordering::SeqCst);
        Behaviour::answer(if refuses { 503 } else { 200 }, "")
    });
    (platform.await, acknowledges)
}

fn ticket(id: &str) -> String {
    flat(&format!(
        r#""platformConversationId":"{id}","conversationId":"internal-{id}","text":"{WORDS}""#
    ))
}

#[tokio::test]
async fn a_receipt_survives_a_kill_and_the_platform_is_asked_after_it() {
    let (platform, acknowledges) = platform().await;
    let settings = "erasure.retry_base = \"1ms\"\nerasure.retry_max = \"20ms\"";
    let setup = Setup::new(&platform.url(), settings);
    let mut server = setup.start(&[]);
    server.ready().await;
    post(
        setup.webhooks,
        crate::process::AGENT,
        &[],
        ticket("C").as_bytes(),
    )
    .await;
    let erasure = erase(&client(&setup).await, "C", "e-1")
        .await
        .expect("erased");
    server.kill();
    assert!(!is_in_files(&setup.path("parloir.db"), WORDS));

    let mut server = setup.start(&[]);
    server.ready().await;
    let client = client(&setup).await;
    let kept = receipt_when(&client, &erasure.receipt_id, |_| true).await;
    assert_eq!(kept.state(), ErasureState::Erased);
    assert_eq!(kept.upstream[0].state(), UpstreamErasureState::Requested);
    acknowledges.store(true, std::sync::atomic::Ordering::SeqCst);
    receipt_when(&client, &erasure.receipt_id, |erasure| {
        erasure.upstream[0].state() == UpstreamErasureState::Confirmed
    })
    .await;
}

/// Wherever the kill falls: before the commit, between the commit and the last copy, or while the platform is asked.
#[tokio::test]
async fn killed_at_any_moment_an_erasure_is_either_not_begun_or_done_in_the_end() {
    let (platform, acknowledges) = platform().await;
    acknowledges.store(true, std::sync::atomic::Ordering::SeqCst);
    let settings = "erasure.retry_base = \"1ms\"\nerasure.retry_max = \"20ms\"";
    let setup = Setup::new(&platform.url(), settings);
    let mut receipts = Vec::new();
    for round in 0..6_u64 {
        let mut server = setup.start(&[]);
        server.ready().await;
        let id = format!("C{round}");
        post(
            setup.webhooks,
            crate::process::AGENT,
            &[],
            ticket(&id).as_bytes(),
        )
        .await;
        let client = client(&setup).await;
        let key = format!("e-{round}");
        let begun = tokio::spawn(async move { erase(&client, &id, &key).await });
        tokio::time::sleep(Duration::from_millis(round * 4)).await;
        server.kill();
        if let Ok(erasure) = begun.await.expect("a call") {
            receipts.push(erasure.receipt_id);
        }
    }
    let mut server = setup.start(&[]);
    server.ready().await;
    let client = client(&setup).await;
    for round in 0..6 {
        // What was not begun is begun now; what was is found by its key.
        let erasure = erase(&client, &format!("C{round}"), &format!("again-{round}")).await;
        receipts.push(erasure.expect("erased").receipt_id);
    }
    for receipt_id in receipts {
        let done = receipt_when(&client, &receipt_id, |erasure| {
            erasure.state() == ErasureState::Erased
                && erasure.upstream.iter().all(|one| one.end_time.is_some())
        })
        .await;
        let mut states = done.upstream.iter();
        assert!(states.all(|one| one.state() != UpstreamErasureState::Failed));
    }
    let asked = platform.requests();
    for round in 0..6 {
        let name = format!("internal-C{round}");
        let mut bodies = asked
            .iter()
            .map(|request| String::from_utf8_lossy(&request.body));
        assert!(
            bodies.any(|body| body.contains(&name)),
            "{name} was never asked for"
        );
    }
    assert!(!is_in_files(&setup.path("parloir.db"), WORDS));
}
