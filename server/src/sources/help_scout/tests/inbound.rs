//! What comes in: signatures, what customers and users wrote, who answers, and what ended.

use serde_json::{Value, json};

use super::{
    fake::{bot, user},
    fixture::{
        CHAT, CONVERSATION, REPLIED, Stage, WEBHOOK_SECRETS, conversation, customer, signature,
        signed, signed_with, thread,
    },
};
use crate::domain::{
    Evidence, HumanMessageKind, Owner, Timestamp,
    inbound::{WebhookRefusal, WebhookReply},
    ports::Source,
    source::{Observed, SourceBody, SourceEvent, Taken, Words},
};

const AGENT_REPLIED: &str = "convo.agent.reply.created";

/// 2026-11-20 00:00 UTC.
const MIDNIGHT: i64 = 1_795_132_800_000_000;

pub(super) fn text(event: &SourceEvent) -> (&str, &str) {
    match &event.body {
        SourceBody::Message {
            words: Words::Text(text),
            raw,
            ..
        } => (text, raw),
        other => panic!("{other:?} is no message"),
    }
}

fn replied(html: &str) -> Value {
    conversation(42, &[], &[thread(3, "customer", &customer(), html)])
}

#[tokio::test]
async fn hs_01_the_signature_is_the_one_of_the_contract() {
    let stage = Stage::with(|_| {}).await;
    assert_eq!(
        signature("hs-secret", br#"{"id":42}"#),
        "welk7ri2sfDheyPuIP0H56gUj0Q="
    );
    stage.fixture.put("hook_0", "hs-secret");
    let mut webhook = signed("convo.deleted", r#"{"id":42}"#);
    webhook.headers.insert(
        "x-helpscout-signature",
        "welk7ri2sfDheyPuIP0H56gUj0Q=".parse().expect("a header"),
    );
    let received = stage.source.receive(&webhook).expect("it is signed");
    assert_eq!(received.events.len(), 1);
}

#[tokio::test]
async fn hs_02_a_changed_body_or_a_signature_that_is_none_is_refused_unread() {
    let stage = Stage::new().await;
    let body = replied("Bonjour").to_string();
    for secret in WEBHOOK_SECRETS {
        let webhook = signed_with(secret, REPLIED, body.clone());
        assert!(
            stage.source.receive(&webhook).is_ok(),
            "either secret counts"
        );
    }
    let whole = signed(REPLIED, body.clone());
    let mut changed = whole.clone();
    changed.body = format!("{body} ").into();
    let mut missing = whole.clone();
    missing.headers.remove("x-helpscout-signature");
    let mut refused = vec![changed, missing, signed_with("guess", REPLIED, body)];
    for bad in ["", "%%%", "welk7ri2sfDheyPuIP0H56gUj0Q="] {
        let mut webhook = whole.clone();
        let bad = bad.parse().expect("a header");
        webhook.headers.insert("x-helpscout-signature", bad);
        refused.push(webhook);
    }
    for webhook in refused {
        let error = stage.source.receive(&webhook).err();
        assert!(error.is_some_and(|refusal| refusal.is_unverified()));
    }
    assert!(stage.server.requests().is_empty());
}

#[tokio::test]
async fn hs_03_its_test_is_answered_and_nothing_else() {
    let stage = Stage::new().await;
    for body in ["{}", "", "test"] {
        let received = stage
            .source
            .receive(&signed("helpscout.test", body))
            .expect("taken");
        assert!(received.events.is_empty());
        assert_eq!(received.reply.reply(&[]).await, WebhookReply::ok());
    }
}

#[tokio::test]
async fn hs_04_a_customers_reply_is_one_message_of_the_agents_conversation() {
    let stage = Stage::new().await;
    let older = thread(1, "customer", &customer(), "older");
    let ours = thread(4, "message", &bot(), "ours");
    let newest = thread(
        3,
        "customer",
        &customer(),
        "<p>Où est <b>mon</b> colis&nbsp;?</p>",
    );
    let mut draft = thread(5, "customer", &customer(), "draft");
    draft["state"] = json!("draft");
    let event = stage.told(
        REPLIED,
        &conversation(42, &["vip"], &[draft, ours, newest, older]),
    );
    assert_eq!(text(&event), ("Où est mon colis ?", ""));
    assert_eq!(event.owner, Some(Observed::pushed(Owner::Agent)));
    assert_eq!(event.occurred_at, Some(Timestamp(MIDNIGHT + 3_000_000)));
    assert!(!event.contact_must_exist);
    let contact = event.contact.expect("a contact");
    assert_eq!(contact.key, "convo:42");
    assert_eq!(contact.address, CONVERSATION);
    let SourceBody::Message {
        visitor,
        parameters,
        ..
    } = event.body
    else {
        unreachable!("it was a message above");
    };
    let visitor = visitor.expect("a visitor");
    assert_eq!(
        (visitor.visitor_id.as_str(), visitor.display_name.as_str()),
        ("256", "Ana Silva")
    );
    assert!(parameters.is_empty());
}

#[tokio::test]
async fn a_new_conversation_brings_its_subject_for_the_agent_alone() {
    let stage = Stage::new().await;
    let event = stage.told("convo.created", &replied("Bonjour"));
    let SourceBody::Message { parameters, .. } = event.body else {
        panic!("no message");
    };
    let subject = &parameters[0];
    assert_eq!(
        (subject.key.as_str(), subject.value.as_str()),
        ("subject", "Mon colis")
    );
    assert!(subject.personal);

    // One that a user began is nothing that a visitor said.
    let mut outgoing = conversation(42, &[], &[thread(1, "message", &user(9), "Bonjour")]);
    outgoing["createdBy"] = user(9);
    let event = stage.told("convo.created", &outgoing);
    assert!(event.body == SourceBody::Doubt);
    assert!(event.contact_must_exist);
}

#[tokio::test]
async fn without_threads_the_preview_is_all_that_is_known() {
    let stage = Stage::new().await;
    let event = stage.told(REPLIED, &conversation(42, &[], &[]));
    let (text, raw) = text(&event);
    assert_eq!(text, "Où est mon...");
    assert!(raw.contains("Mon colis"), "all that came is kept");
    let mut empty = conversation(42, &[], &[]);
    empty["preview"] = json!("");
    let event = stage.told(REPLIED, &empty);
    assert!(matches!(event.body, SourceBody::Unknown { .. }));
}

#[tokio::test]
async fn what_came_with_attachments_is_kept() {
    let stage = Stage::new().await;
    let mut attached = thread(3, "customer", &customer(), "Voilà");
    attached["_embedded"] = json!({ "attachments": [{ "id": 5, "filename": "colis.png" }] });
    let event = stage.told(REPLIED, &conversation(42, &[], &[attached.clone()]));
    assert_eq!(text(&event).0, "Voilà");
    assert!(text(&event).1.contains("colis.png"));
    attached["body"] = json!("<img src=\"x\">");
    let event = stage.told(REPLIED, &conversation(42, &[], &[attached]));
    let SourceBody::Unknown { raw, .. } = event.body else {
        panic!("no words, no message");
    };
    assert!(raw.contains("colis.png"));
}

#[tokio::test]
async fn hs_05_what_our_own_user_wrote_is_ignored() {
    let stage = Stage::new().await;
    let threads = [
        thread(4, "message", &bot(), "ours"),
        thread(3, "message", &user(9), "old"),
    ];
    assert_eq!(
        stage.receive(AGENT_REPLIED, &conversation(42, &[], &threads)),
        []
    );
}

#[tokio::test]
async fn hs_06_what_another_user_wrote_means_that_a_human_answers() {
    let stage = Stage::new().await;
    let threads = [
        thread(6, "note", &bot(), "a note"),
        thread(5, "message", &user(9), "Bonjour,<br>ici Jane."),
        thread(4, "message", &bot(), "ours"),
    ];
    let event = stage.told(AGENT_REPLIED, &conversation(42, &[], &threads));
    let owner = event.owner.as_ref().expect("an owner");
    assert_eq!(
        (owner.owner, owner.evidence),
        (Owner::Human, Evidence::Pushed)
    );
    assert!(event.contact_must_exist, "it makes no conversation of ours");
    let SourceBody::Human(message) = event.body else {
        panic!("no human spoke");
    };
    assert_eq!(message.kind, HumanMessageKind::Text);
    assert_eq!(message.text, "Bonjour,\nici Jane.");
    assert_eq!(
        (message.name.as_str(), message.message_id.as_str()),
        ("Jane Doe", "5")
    );
    assert!(message.from_source);
}

#[tokio::test]
async fn a_users_reply_without_its_thread_is_a_doubt() {
    let stage = Stage::new().await;
    let event = stage.told(AGENT_REPLIED, &conversation(42, &[], &[]));
    assert!(event.body == SourceBody::Doubt);
    assert_eq!(event.owner, None, "and not the agent's by its tags");
    assert!(event.contact_must_exist);
}

#[tokio::test]
async fn tags_and_assignees_tell_of_a_human_and_otherwise_are_a_doubt() {
    let stage = Stage::new().await;
    for (event, tags, assignee, expected) in [
        ("convo.tags", &["a"][..], None, Owner::Agent),
        ("convo.tags", &["a", "escalated"], None, Owner::Human),
        ("convo.tags", &["Escalated"], Some(7), Owner::Human),
        ("convo.assigned", &[], Some(7), Owner::Agent),
        ("convo.assigned", &[], Some(9), Owner::Human),
    ] {
        let mut body = conversation(42, tags, &[]);
        if let Some(assignee) = assignee {
            body["assignee"] = json!({ "id": assignee });
        }
        let told = stage.told(event, &body);
        assert!(told.contact_must_exist);
        assert_eq!(told.event_id, None, "it may be heard as often as it comes");
        let owner = told.owner.map(|owner| owner.owner);
        // It has no time: told late, it must not end what a human began since.
        let expected = match expected {
            Owner::Human => (SourceBody::Owner, Some(Owner::Human)),
            _ => (SourceBody::Doubt, None),
        };
        assert!((told.body, owner) == expected, "{tags:?} {assignee:?}");
    }
}

#[tokio::test]
async fn hs_07_a_deleted_conversation_has_ended() {
    let stage = Stage::new().await;
    let event = stage.told("convo.deleted", &json!({ "id": 42 }));
    assert!(event.body == SourceBody::Ended);
    assert_eq!(event.owner, None);
    assert!(event.contact_must_exist);
    assert_eq!(event.contact.expect("a contact").key, "convo:42");
}

#[tokio::test]
async fn hs_11_one_thread_has_one_id_however_often_it_comes() {
    let stage = Stage::new().await;
    let id = |event: &str, body: &Value| stage.told(event, body).event_id.expect("an id");
    let first = id(REPLIED, &replied("Bonjour"));
    let mut later = replied("Bonjour");
    later["status"] = json!("pending");
    assert_eq!(
        first,
        id(REPLIED, &later),
        "the conversation around it may have changed"
    );
    assert_eq!(
        first,
        id("convo.created", &replied("Bonjour")),
        "whichever event tells it"
    );
    // Set, removed and set again, a tag says the same thing twice and means it.
    let tagged = stage.told("convo.tags", &conversation(42, &["escalated"], &[]));
    assert_eq!(tagged.event_id, None);
    let received = stage
        .source
        .receive(&signed(REPLIED, later.to_string()))
        .expect("taken");
    for taken in [Taken::First, Taken::Duplicate] {
        assert_eq!(received.reply.reply(&[taken]).await, WebhookReply::ok());
    }
}

#[tokio::test]
async fn hs_12_a_live_chat_brings_the_newest_words_of_the_customer() {
    let stage = Stage::new().await;
    let event = |id: &str, author: &str, body: &str, second: u32| {
        json!({
            "id": id, "type": "message", "author": { "type": author }, "body": body,
            "createdAt": format!("2026-11-20T00:00:{second:02}Z"),
        })
    };
    let events = [
        event("e4", "customer", "", 9),
        event("e3", "user", "Je regarde", 8),
        event("e2", "customer", "Toujours rien", 7),
        event("e1", "customer", "Bonjour", 5),
    ];
    let chat = json!({
        "id": "0aa1-b2", "mailboxId": 85, "customer": { "id": 256, "first": "Ana" }, "tags": [],
        "preview": "Bonjour", "_embedded": { "events": events },
    });
    let told = stage.told("beacon.chat.customer.replied", &chat);
    assert_eq!(text(&told), ("Toujours rien", ""));
    assert_eq!(told.occurred_at, Some(Timestamp(MIDNIGHT + 7_000_000)));
    let id = told.event_id.expect("an id");
    assert_eq!(id, "said:chat:0aa1-b2:e2");
    let contact = told.contact.expect("a contact");
    assert_eq!(
        (contact.key.as_str(), contact.address.as_str()),
        ("chat:0aa1-b2", CHAT)
    );
    for bad in ["", "../users", "a b"] {
        let webhook = signed("beacon.chat.created", json!({ "id": bad }).to_string());
        assert_eq!(
            stage.source.receive(&webhook).err(),
            Some(WebhookRefusal::Malformed)
        );
    }
}

#[tokio::test]
async fn other_inboxes_are_dropped_only_where_one_is_configured() {
    let stage = Stage::with(|config| config.mailbox_id = Some(86)).await;
    let webhook = signed(REPLIED, replied("Bonjour").to_string());
    let received = stage.source.receive(&webhook).expect("taken");
    assert!(received.events.is_empty());
    assert_eq!(received.reply.reply(&[]).await, WebhookReply::ok());
    // This one does not say which it was in.
    assert_eq!(
        stage.receive("convo.deleted", &json!({ "id": 42 })).len(),
        1
    );
    let stage = Stage::with(|config| config.mailbox_id = Some(85)).await;
    assert_eq!(stage.receive(REPLIED, &replied("Bonjour")).len(), 1);
}

#[tokio::test]
async fn other_events_are_kept_and_make_nobody_known() {
    let stage = Stage::new().await;
    for event in [
        "convo.note.created",
        "convo.status",
        "convo.moved",
        "convo.merged",
        "convo.x",
    ] {
        let told = stage.told(event, &conversation(42, &["escalated"], &[]));
        let SourceBody::Unknown { event_type, .. } = &told.body else {
            panic!("{:?}", told.body);
        };
        assert_eq!(event_type, event);
        assert!(told.contact_must_exist);
        assert_eq!(
            told.owner,
            Some(Observed::pushed(Owner::Human)),
            "it shows the tag"
        );
        let told = stage.told(event, &conversation(42, &[], &[]));
        assert_eq!(told.owner, None, "without it, nothing is certain");
    }
    let told = stage.told("customer.updated", &json!({ "id": 256 }));
    assert!(told.contact.is_none());
    let mut nameless = signed(REPLIED, replied("Bonjour").to_string());
    nameless.headers.remove("x-helpscout-event");
    assert_eq!(
        stage.source.receive(&nameless).err(),
        Some(WebhookRefusal::Malformed)
    );
}
