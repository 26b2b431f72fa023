//! What comes in: the challenge, signatures, visitors' words, choices, and what became of ours.

use http::{Method, StatusCode};
use serde_json::json;

use super::fixture::{
    APP_SECRETS, NUMBER, Stage, VERIFY_TOKENS, message, messages, signed, signed_with, value,
};
use crate::{
    domain::{
        DeliveryState, Reason, Timestamp,
        inbound::{Webhook, WebhookReply},
        ports::Source,
        source::{SourceBody, SourceEvent, Taken, Words},
    },
    sources::conformance::only,
};

const ANA: &str = "32470000001";

fn words(event: &SourceEvent) -> (&Words, &str) {
    match &event.body {
        SourceBody::Message { words, raw, .. } => (words, raw),
        other => panic!("{other:?} is no message"),
    }
}

async fn challenged(stage: &Stage, query: &str) -> WebhookReply {
    let webhook = Webhook {
        method: Method::GET,
        query: query.to_owned(),
        ..signed("")
    };
    let received = stage.source.receive(&webhook).expect("it is answered");
    assert!(received.events.is_empty());
    received.reply.reply(&[]).await
}

#[tokio::test]
async fn wa_01_the_challenge_is_repeated_to_whoever_knows_a_token_of_ours() {
    let stage = Stage::new().await;
    for token in VERIFY_TOKENS {
        let query = format!("hub.mode=subscribe&hub.challenge=11%2058&hub.verify_token={token}");
        let reply = challenged(&stage, &query).await;
        assert_eq!(reply.status, StatusCode::OK);
        assert_eq!(reply.body, "11 58");
        assert!(reply.content_type.starts_with("text/plain"));
    }
    for wrong in [
        "hub.mode=subscribe&hub.challenge=1158&hub.verify_token=guess",
        "hub.mode=subscribe&hub.challenge=1158",
        "hub.mode=subscribe&hub.verify_token=verify-5ecret",
        "hub.mode=other&hub.challenge=1158&hub.verify_token=verify-5ecret",
        "",
    ] {
        let reply = challenged(&stage, wrong).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{wrong}");
        assert!(reply.body.is_empty());
    }
}

#[tokio::test]
async fn wa_02_only_a_signature_made_with_a_secret_of_ours_counts() {
    let stage = Stage::new().await;
    let text = message(ANA, "wamid.A", "text", json!({ "body": "bonjour" }));
    let body = messages(&text).to_string();
    for secret in APP_SECRETS {
        let received = stage.source.receive(&signed_with(secret, body.clone()));
        assert_eq!(received.expect("signed by us").events.len(), 1);
    }
    let whole = signed(body.clone());
    let header = "x-hub-signature-256";
    let signature = whole.headers[header].to_str().expect("text").to_owned();
    let cut = signature[..signature.len() - 2].to_owned();
    for wrong in [
        Some("sha256=".to_owned()),
        Some(cut),
        Some(signature.replace("sha256=", "")),
        Some(signature.replace("sha256=", "sha1=")),
        Some(format!("{signature}00")),
        Some("sha256=zz".to_owned()),
        None,
    ] {
        let mut webhook = whole.clone();
        webhook.headers.remove(header);
        if let Some(wrong) = &wrong {
            webhook
                .headers
                .insert(header, wrong.parse().expect("a header"));
        }
        let refused = stage.source.receive(&webhook);
        assert!(
            refused.is_err_and(|refusal| refusal.is_unverified()),
            "{wrong:?}"
        );
    }
}

#[tokio::test]
async fn wa_03_a_text_is_one_event_with_its_words_its_visitor_and_its_time() {
    let stage = Stage::new().await;
    let event = stage.said(&message(
        ANA,
        "wamid.A",
        "text",
        json!({ "body": "bonjour" }),
    ));
    assert!(*words(&event).0 == Words::Text("bonjour".to_owned()));
    assert_eq!(words(&event).1, "", "nothing else is in it");
    let SourceBody::Message { visitor, .. } = &event.body else {
        unreachable!("it was a message above");
    };
    let visitor = visitor.as_ref().expect("a visitor");
    assert_eq!(visitor.display_name, "Ana");
    assert_eq!(visitor.visitor_id, "", "a number stands in no log");
    let contact = event.contact.expect("a contact");
    assert_eq!(contact.key, format!("{NUMBER}:{ANA}"));
    assert_eq!(contact.address, format!(r#"{{"to":"{ANA}"}}"#));
    assert_eq!(event.occurred_at, Some(Timestamp(1_749_416_383_000_000)));
    assert_eq!(event.owner, None, "the platform knows no owner");
}

#[tokio::test]
async fn wa_04_one_message_has_one_id_however_often_it_comes() {
    let stage = Stage::new().await;
    let text = message(ANA, "wamid.A", "text", json!({ "body": "bonjour" }));
    for _ in 0..2 {
        assert_eq!(stage.said(&text).event_id.as_deref(), Some("wamid.A"));
    }
    let received = stage.source.receive(&signed(messages(&text).to_string()));
    let reply = received.expect("it is taken").reply;
    for taken in [Taken::First, Taken::Duplicate] {
        assert_eq!(reply.reply(&[taken]).await, WebhookReply::ok());
    }
}

#[tokio::test]
async fn wa_05_a_button_carries_its_id_and_title() {
    let stage = Stage::new().await;
    let tap = |id: &str| {
        let reply =
            json!({ "type": "button_reply", "button_reply": { "id": id, "title": "Conseiller" } });
        let mut tap = message(ANA, "wamid.A", "interactive", reply);
        tap["context"] = json!({ "from": "15550000000", "id": "wamid.ours" });
        stage.said(&tap)
    };
    let chosen = |payload: &str| Words::Chosen {
        payload: payload.to_owned(),
        label: "Conseiller".to_owned(),
    };
    let ours = tap("p:7:1");
    assert!(*words(&ours).0 == chosen("p:7:1"));
    assert_eq!(words(&ours).1, "");
    // One that somebody else sent: its title is what the visitor says, its id is kept.
    let theirs = tap("b2");
    assert!(*words(&theirs).0 == Words::Text("Conseiller".to_owned()));
    assert!(words(&theirs).1.contains(r#""id":"b2""#));
}

#[tokio::test]
async fn wa_06_a_list_choice_carries_its_id_title_and_description() {
    let stage = Stage::new().await;
    let row = json!({ "id": "p:7:4", "title": "Retour", "description": "Sous 30 jours" });
    let reply = json!({ "type": "list_reply", "list_reply": row });
    let event = stage.said(&message(ANA, "wamid.A", "interactive", reply));
    let (words, raw) = words(&event);
    let expected = Words::Chosen {
        payload: "p:7:4".to_owned(),
        label: "Retour".to_owned(),
    };
    assert!(*words == expected);
    assert!(raw.contains("Sous 30 jours"), "the description is kept");
}

#[tokio::test]
async fn wa_07_statuses_are_reports_and_nothing_that_a_visitor_said() {
    let stage = Stage::new().await;
    let status = |name: &str| {
        let status = json!({ "id": "wamid.O", "status": name, "timestamp": "1749416384", "recipient_id": ANA });
        value(&json!({ "statuses": [status] }))
    };
    for quiet in ["sent", "read"] {
        assert_eq!(stage.receive(&status(quiet)), [], "{quiet}");
    }
    let mut delivered = stage.receive(&status("delivered"));
    let event = delivered.pop().expect("a report");
    assert!(delivered.is_empty());
    assert!(event.contact_must_exist, "a report makes nobody known");
    assert_eq!(event.event_id.as_deref(), Some("wamid.O:delivered"));
    let report = SourceBody::Report {
        remote_id: "wamid.O".to_owned(),
        state: DeliveryState::Delivered,
        reason: None,
        detail: String::new(),
    };
    assert!(event.body == report);
}

#[tokio::test]
async fn a_failed_message_is_reported_with_the_reason_of_its_code() {
    let stage = Stage::new().await;
    for (code, expected) in [
        (json!(131_047), Reason::WindowClosed),
        (json!("131047"), Reason::WindowClosed),
        (json!(131_026), Reason::VisitorUnreachable),
        (json!(131_031), Reason::SourceCredentialsRejected),
        (json!(131_056), Reason::SourceUnavailable),
        (json!(131_051), Reason::SourceRejected),
        (json!(999), Reason::SourceRejected),
    ] {
        let title = format!("Not sent to {ANA}");
        let status = json!({
            "id": "wamid.O", "status": "failed", "timestamp": "1749416384", "recipient_id": ANA,
            "errors": [{ "code": code, "title": title }],
        });
        let events = stage.receive(&value(&json!({ "statuses": [status] })));
        let SourceBody::Report {
            state,
            reason,
            detail,
            ..
        } = &events[0].body
        else {
            panic!("{:?}", events[0].body);
        };
        assert_eq!(
            (*state, *reason),
            (DeliveryState::Failed, Some(expected)),
            "{code}"
        );
        assert!(detail.ends_with("Not sent to [removed]"), "{detail}");
    }
}

#[tokio::test]
async fn wa_14_what_is_no_words_is_kept_as_it_came() {
    let stage = Stage::new().await;
    for kind in [
        "image",
        "audio",
        "video",
        "document",
        "sticker",
        "location",
        "contacts",
        "order",
        "reaction",
        "system",
        "unsupported",
        "of_next_year",
    ] {
        let event = stage.said(&message(ANA, "wamid.A", kind, json!({ "id": "M1" })));
        assert!(event.contact.is_some());
        let SourceBody::Unknown { event_type, raw } = event.body else {
            panic!("{kind} is {:?}", event.body);
        };
        assert_eq!(event_type, kind);
        assert!(raw.contains(r#""id":"M1""#));
    }
    let mut broken = message(ANA, "wamid.A", "unsupported", json!({}));
    broken["errors"] = json!([{ "code": 131_051, "title": "Message type unknown" }]);
    let SourceBody::Unknown { raw, .. } = stage.said(&broken).body else {
        panic!("not kept");
    };
    assert!(raw.contains("131051"));
}

#[tokio::test]
async fn errors_and_other_fields_of_the_account_are_kept() {
    let stage = Stage::new().await;
    let errors = value(&json!({ "errors": [{ "code": 130_429, "title": "Rate limit hit" }] }));
    let mut other = value(&json!({}));
    other["entry"][0]["changes"][0] =
        json!({ "field": "account_update", "value": { "event": "X" } });
    for (body, expected) in [(errors, "errors"), (other, "account_update")] {
        let event = only(&stage.source, &signed(body.to_string()));
        assert!(event.contact.is_none());
        let SourceBody::Unknown { event_type, .. } = event.body else {
            panic!("{:?}", event.body);
        };
        assert_eq!(event_type, expected);
    }
}

#[tokio::test]
async fn a_caption_is_what_the_visitor_says_and_the_rest_is_kept() {
    let stage = Stage::new().await;
    let image = json!({ "id": "M1", "caption": "C'est cassé" });
    let event = stage.said(&message(ANA, "wamid.A", "image", image));
    assert!(*words(&event).0 == Words::Text("C'est cassé".to_owned()));
    assert!(words(&event).1.contains("M1"));
}

#[tokio::test]
async fn another_number_of_the_same_app_is_left_to_whoever_serves_it() {
    let stage = Stage::new().await;
    let text = message(ANA, "wamid.A", "text", json!({ "body": "bonjour" }));
    let mut body = messages(&text);
    body["entry"][0]["changes"][0]["value"]["metadata"]["phone_number_id"] = json!("PN2");
    let received = stage
        .source
        .receive(&signed(body.to_string()))
        .expect("taken");
    assert!(received.events.is_empty());
    assert_eq!(received.reply.reply(&[]).await, WebhookReply::ok());
}

#[tokio::test]
async fn many_messages_of_one_webhook_keep_their_order_and_unknown_fields_do_no_harm() {
    let stage = Stage::new().await;
    let text = |id: &str| message(ANA, id, "text", json!({ "body": id, "new": 1 }));
    let body = value(&json!({ "messages": [text("a"), text("b")], "novelty": {} }));
    let events = stage.receive(&body);
    let ids: Vec<_> = events
        .iter()
        .map(|event| event.event_id.as_deref())
        .collect();
    assert_eq!(ids, [Some("a"), Some("b")]);
    assert!(words(&events[0]).1.contains(r#""new":1"#));
}
