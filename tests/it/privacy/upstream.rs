//! What the platform is asked.

use parloir_client::v1::{
    ErasePersonalDataRequest, UpstreamErasureState, erase_personal_data_request::Subject,
    event::Body,
};
use serde_json::json;

use super::{erase, receipt_when};
use crate::support::{
    platform::{Behaviour, FakeServer, Request},
    server::{BOT, KEY, TestServer, Wishes},
    webhook::{self, chat, flat, says},
};

/// Another agent's bot.
const STUCK: &str = "65f0c1a2b3d4e5f60718293b";
const INTERNAL: &str = "65f0c1a2b3d4e5f607182ccc";
/// SHA-256 of it.
const HASHED: &str = "654143ea150d3556f77a64afbf0c7cc3c06a897687ddd5b1d411badcd8c1baf0";

fn asked(platform: &FakeServer) -> Vec<Request> {
    let requests = platform.requests().into_iter();
    let erasures = requests.filter(|request| request.path.ends_with("/gdpr/delete-user-data"));
    erasures.collect()
}

fn quickly() -> Wishes {
    Wishes {
        top: "erasure.retry_base = \"1ms\"\nerasure.retry_max = \"5ms\"",
        ..Wishes::default()
    }
}

/// A ticket's reply names the platform's own id.
fn reply(id: &str) -> String {
    flat(&format!(
        r#""platformConversationId":"{id}","conversationId":"{INTERNAL}","text":"a reply""#
    ))
}

#[tokio::test]
async fn the_platform_is_asked_by_its_own_id_until_it_acknowledges() {
    let server = TestServer::start_with(quickly()).await;
    server.taken(&reply("C")).await;
    for status in [500, 401, 503] {
        server.platform.next(Behaviour::answer(status, ""));
    }
    let erasure = erase(&server.client, "C", "e-1").await.expect("erased");
    let ended = receipt_when(&server.client, &erasure.receipt_id, |erasure| {
        erasure.upstream[0].end_time.is_some()
    })
    .await;
    let upstream = &ended.upstream[0];
    assert_eq!(upstream.state(), UpstreamErasureState::Confirmed);
    assert_eq!((upstream.attempts, upstream.reason.as_str()), (4, ""));
    assert_eq!(upstream.internal_id_sha256, HASHED);
    let asked = asked(&server.platform);
    assert_eq!(asked.len(), 4);
    for request in asked {
        assert_eq!(request.json(), json!({ "conversationIds": [INTERNAL] }));
        assert_eq!(request.header("authorization"), KEY);
    }
}

#[tokio::test]
async fn ids_are_taken_from_wherever_webhooks_name_them() {
    let server = TestServer::start_with(quickly()).await;
    server.taken(&reply("C")).await;
    let widget = r#""eventType":"widgetMessage","conversationId":"65f0-widget","text":"hello""#;
    server.taken(&chat("C", widget)).await;
    let erasure = erase(&server.client, "C", "e-1").await.expect("erased");
    assert_eq!(erasure.upstream.len(), 2);
    receipt_when(&server.client, &erasure.receipt_id, |erasure| {
        let mut each = erasure.upstream.iter();
        each.all(|one| one.state() == UpstreamErasureState::Confirmed)
    })
    .await;
    let ids: Vec<_> = asked(&server.platform)
        .iter()
        .map(|request| request.json()["conversationIds"][0].clone())
        .collect();
    assert!(ids.contains(&json!(INTERNAL)) && ids.contains(&json!("65f0-widget")));
}

#[tokio::test]
async fn a_conversation_whose_id_was_never_seen_says_so() {
    let server = TestServer::start().await;
    server.taken(&says("C", "hello")).await;
    let erasure = erase(&server.client, "C", "e-1").await.expect("erased");
    let upstream = &erasure.upstream[0];
    assert_eq!(upstream.state(), UpstreamErasureState::IdNeverSeen);
    assert_eq!(upstream.internal_id_sha256, "");
    assert!(upstream.end_time.is_some() && asked(&server.platform).is_empty());
}

#[tokio::test]
async fn a_platform_that_never_acknowledges_is_given_up_late_and_loudly() {
    let server = TestServer::start_with(Wishes {
        top: "erasure.retry_base = \"1ms\"\nerasure.retry_max = \"5ms\"\nerasure.retry_for = \"1day\"",
        ..Wishes::default()
    })
    .await;
    server.taken(&reply("C")).await;
    let mut events = server.events();
    server.platform.stop().await;
    let erasure = erase(&server.client, "C", "e-1").await.expect("erased");
    let tried = receipt_when(&server.client, &erasure.receipt_id, |erasure| {
        erasure.upstream[0].attempts >= 3
    })
    .await;
    assert_eq!(tried.upstream[0].state(), UpstreamErasureState::Requested);
    assert_eq!(tried.upstream[0].reason, "AGENT_UNAVAILABLE");
    server.clock.advance(std::time::Duration::from_hours(24));
    let ended = receipt_when(&server.client, &erasure.receipt_id, |erasure| {
        erasure.upstream[0].state() == UpstreamErasureState::Failed
    })
    .await;
    assert!(ended.upstream[0].end_time.is_some());
    let alert = events
        .find(|body, _| match body {
            Body::PlatformAlert(alert) => Some(alert),
            _ => None,
        })
        .await;
    assert_eq!(alert.name, "erasure_failed");
    assert!(alert.raw.contains(&erasure.receipt_id) && !alert.raw.contains(INTERNAL));
}

#[tokio::test]
async fn a_platform_that_hangs_keeps_no_other_platform_and_no_erasure_here_waiting() {
    let hangs = FakeServer::answering(|_| Behaviour::Silent).await;
    let keys = tempfile::tempdir().expect("a temporary folder");
    let key = keys.path().join("other-key");
    std::fs::write(&key, KEY).expect("written");
    let end = format!(
        r#"
        [[agents]]
        name = "stuck"
        [agents.platform.zendesk]
        bot_id = "{STUCK}"
        base_url = "{}"
        api_key = {{ file = "{}" }}
        [[accounts]]
        name = "stuck"
        agent = "stuck"
        "#,
        hangs.url(),
        key.display()
    );
    let server = TestServer::start_with(Wishes { end, ..quickly() }).await;
    for conversation in ["C", "D"] {
        let reply = reply(conversation).replace(BOT, STUCK);
        let taken = webhook::post(server.webhooks, "stuck", &[], reply.as_bytes()).await;
        assert_eq!(taken.status, 200);
    }
    server.taken(&reply("E")).await;
    for (conversation, command) in [("C", "e-1"), ("D", "e-2")] {
        let request = ErasePersonalDataRequest {
            account: "stuck".to_owned(),
            command_id: command.to_owned(),
            subject: Some(Subject::ConversationId(conversation.to_owned())),
        };
        let erased = server.client.erase_personal_data(request).await;
        erased.expect("erased");
    }
    hangs.wait_for(1).await;
    let erasure = erase(&server.client, "E", "e-3").await.expect("erased");
    assert!(erasure.erase_time.is_some());
    receipt_when(&server.client, &erasure.receipt_id, |erasure| {
        erasure.upstream[0].state() == UpstreamErasureState::Confirmed
    })
    .await;
    assert_eq!(asked(&hangs).len(), 1, "one at a time");
}
