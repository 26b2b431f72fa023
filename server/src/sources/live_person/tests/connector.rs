//! Webhooks of the Connector API.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, Method, StatusCode};
use serde_json::{Value, json};
use sha1::Sha1;

use super::platform::{ACCOUNT, FakeLivePerson, put};
use crate::domain::{
    Owner, Timestamp,
    inbound::{Webhook, WebhookRefusal},
    message::HumanMessageKind,
    source::{Observed, SourceBody, SourceEvent},
};

const SECRET: &str = "lp-secret";

fn connected() -> FakeLivePerson {
    FakeLivePerson::set(|config, folder| {
        config.connector_secrets = vec![
            put(folder, "old", "another"),
            put(folder, "connector", SECRET),
        ];
        config.connector_own_ids = vec!["bot".to_owned(), "consumer".to_owned()];
    })
}

fn signed(body: &str, signature: &str) -> Webhook {
    let name = HeaderName::from_static("x-liveperson-signature");
    Webhook {
        method: Method::POST,
        headers: HeaderMap::from_iter([(name, signature.parse().expect("a header"))]),
        path: "connector".to_owned(),
        query: String::new(),
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}

fn sign(body: &str) -> String {
    let mac = Hmac::<Sha1>::new_from_slice(SECRET.as_bytes()).expect("any length is a key");
    let mac = mac.chain_update(body).finalize().into_bytes();
    format!("sha1={}", STANDARD.encode(mac))
}

fn told(live: &FakeLivePerson, kind: &str, changes: &Value) -> Vec<SourceEvent> {
    let body = json!({ "type": kind, "body": { "changes": changes } }).to_string();
    let received = live.receive(&signed(&body, &sign(&body)));
    received.expect("a webhook that is taken").events
}

/// A message by `from`.
fn said(live: &FakeLivePerson, from: &Value, event: &Value) -> Vec<SourceEvent> {
    let mut change = json!({
        "sequence": 9,
        "serverTimestamp": 1_649_331_017_991_u64,
        "event": event,
        "dialogId": "c1",
        "conversationId": "c1",
    });
    for (name, value) in from.as_object().expect("an object") {
        change[name] = value.clone();
    }
    told(live, "ms.MessagingEventNotification", &json!([change]))
}

fn content(text: &str) -> Value {
    json!({ "type": "ContentEvent", "message": text, "contentType": "text/plain" })
}

fn by(role: &str, id: &str) -> Value {
    json!({ "originatorId": id, "originatorMetadata": { "id": id, "role": role } })
}

#[tokio::test]
async fn lp_13_the_signature_is_the_one_of_the_contract() {
    let live = connected();
    let body = r#"{"kind":"notification"}"#;
    let signature = "sha1=OCirzUInqv6ktQcbo0DWcTD5YmE=";
    assert_eq!(sign(body), signature);
    let received = live.receive(&signed(body, signature));
    let received = received.expect("a webhook that is taken");
    assert_eq!(received.reply.reply(&[]).await.status, StatusCode::OK);
    let SourceBody::Unknown { raw, .. } = &received.events[0].body else {
        panic!("not told as unknown");
    };
    assert_eq!(raw, body);

    let wrong = [
        ("{\"kind\":\"notification\" }", signature),
        (body, "OCirzUInqv6ktQcbo0DWcTD5YmE="),
        (body, "sha1=OCirzUInqv6ktQcbo0DWcTD5YmF="),
        (body, "sha1=OCir"),
        (body, "sha256=OCirzUInqv6ktQcbo0DWcTD5YmE="),
        ("not JSON", signature),
    ];
    for (body, signature) in wrong {
        let refused = live.receive(&signed(body, signature)).err();
        assert!(
            refused.is_some_and(|refusal| refusal.is_unverified()),
            "{body} {signature}"
        );
    }
}

#[test]
fn without_its_secrets_the_address_is_closed() {
    let body = r#"{"kind":"notification"}"#;
    let refused = FakeLivePerson::new().receive(&signed(body, &sign(body)));
    assert!(refused.is_err_and(|refusal| refusal.is_unverified()));
}

#[test]
fn lp_14_what_our_own_consumer_or_bot_said_is_ignored() {
    let live = connected();
    for from in [
        json!({ "originatorId": "consumer" }),
        by("CONSUMER", "somebody"),
        by("ASSIGNED_AGENT", "bot"),
        json!({ "originatorId": "bot" }),
    ] {
        assert!(said(&live, &from, &content("hello")).is_empty());
    }
}

#[test]
fn a_humans_words_are_told_and_that_the_human_is_assigned() {
    let live = connected();
    let mut events = said(&live, &by("ASSIGNED_AGENT", "lee"), &content("Lee here."));
    assert_eq!(events.len(), 1);
    let event = events.remove(0);
    assert_eq!(event.event_id.as_deref(), Some("connector:c1:9"));
    assert_eq!(event.occurred_at, Some(Timestamp(1_649_331_017_991_000)));
    assert_eq!(event.owner, Some(Observed::pushed(Owner::Human)));
    assert!(event.contact_must_exist, "the bot has had it");
    // The same visitor as that of the bot's calls.
    let contact = event.contact.expect("a contact");
    assert_eq!(contact.key, format!("{ACCOUNT}/c1"));
    let SourceBody::Human(message) = event.body else {
        panic!("not a human's message");
    };
    assert_eq!(message.kind, HumanMessageKind::Text);
    assert!(message.text == "Lee here." && message.from_source);
    let manager = said(&live, &by("MANAGER", "max"), &content("Max here."));
    assert_eq!(manager[0].owner, None, "speaking is not owning");
}

#[test]
fn what_is_not_for_the_visitor_is_no_message() {
    let live = connected();
    let mut private = by("ASSIGNED_AGENT", "lee");
    private["messageAudience"] = json!("AGENTS_AND_MANAGERS");
    let rich = json!({ "type": "RichContentEvent", "content": {} });
    let others = [
        (private, content("he sounds angry")),
        (by("ASSIGNED_AGENT", "lee"), rich),
    ];
    for (from, event) in others {
        let events = said(&live, &from, &event);
        assert!(matches!(events[0].body, SourceBody::Unknown { .. }));
    }
    // Nobody knows who they are.
    let nameless = json!({ "originatorId": "somebody" });
    for from in [nameless, by("CONTROLLER", "machine"), by("READER", "x")] {
        let events = said(&live, &from, &content("hello"));
        let SourceBody::Unknown { raw, .. } = &events[0].body else {
            panic!("{from} is no human");
        };
        assert!(raw.contains("hello"));
        assert_eq!(events[0].owner, None);
    }
    for kind in ["AcceptStatusEvent", "ChatStateEvent"] {
        let events = said(
            &live,
            &by("ASSIGNED_AGENT", "lee"),
            &json!({ "type": kind }),
        );
        assert!(events.is_empty(), "{kind}");
    }
}

#[test]
fn who_is_assigned_owns_and_a_close_ends() {
    let live = connected();
    let changed = |details: Value| {
        let result = json!({ "convId": "c1", "conversationDetails": details });
        let changes = json!([{ "type": "UPSERT", "result": result }]);
        told(&live, "cqm.ExConversationChangeNotification", &changes)
    };
    let assigned = |id: &str| {
        let consumer = json!({ "id": "consumer", "role": "CONSUMER" });
        let agent = json!({ "id": id, "role": "ASSIGNED_AGENT" });
        changed(json!({ "state": "OPEN", "participants": [consumer, agent] }))
    };
    for (id, owner) in [("lee", Owner::Human), ("bot", Owner::Agent)] {
        let events = assigned(id);
        assert!(matches!(events[0].body, SourceBody::Owner));
        assert_eq!(events[0].owner, Some(Observed::pushed(owner)));
    }
    let queue =
        json!({ "state": "OPEN", "participants": [{ "id": "consumer", "role": "CONSUMER" }] });
    assert!(changed(queue).is_empty(), "nobody is assigned yet");
    let closed = |at: Value| {
        let mut events = changed(json!({ "state": "CLOSE", "endTs": at }));
        assert!(matches!(events[0].body, SourceBody::Ended));
        events.remove(0).event_id.expect("an id")
    };
    assert_eq!(closed(json!(7)), "connector:c1:closed:7");
    assert_eq!(closed(json!(7)), closed(json!(7)), "told again");
    assert_ne!(closed(json!(7)), closed(json!(8)), "resumed meanwhile");
}

#[test]
fn what_is_signed_and_no_notification_is_malformed() {
    let live = connected();
    for body in [
        "[]",
        "",
        r#"{"type":"ms.MessagingEventNotification"}"#,
        r#"{"type":"cqm.ExConversationChangeNotification","body":{"changes":1}}"#,
    ] {
        let refused = live.receive(&signed(body, &sign(body))).err();
        assert_eq!(refused, Some(WebhookRefusal::Malformed), "{body}");
    }
}
