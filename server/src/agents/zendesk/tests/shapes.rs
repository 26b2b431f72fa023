//! Checks C: shapes told apart, and what is none of them.

use proptest::prelude::*;

use super::fixture::{BOT, Fixture, chat, webhook};
use crate::{
    config::UnknownBot,
    domain::{
        inbound::{InboundBody, WebhookRefusal},
        ports::Agent,
    },
};

use super::super::ContentTypePolicy;

fn flat(fields: &str) -> String {
    format!(r#"{{"botId":"{BOT}",{fields}}}"#)
}

#[test]
fn check_82_each_body_is_told_by_its_shape_whatever_its_address() {
    let bodies = [
        (chat(r#""eventType":"sendMessage","text":"hi""#), "Message"),
        (chat(r#""eventType":"escalate""#), "Escalation"),
        (chat(r#""eventType":"isTeamOnline""#), "Availability"),
        (chat(r#""eventType":"widgetEscalate""#), "WidgetEscalation"),
        (
            chat(r#""eventType":"widgetMessage","text":"x""#),
            "WidgetMessage",
        ),
        (chat(r#""eventType":"widgetEndSession""#), "WidgetEnd"),
        (flat(r#""name":"act","data":[]"#), "Action"),
        (
            flat(r#""name":"act","platformConversationId":"c-1""#),
            "Action",
        ),
        (
            flat(r#""text":"hi","platformConversationId":"c-1""#),
            "Ticket",
        ),
        (flat(r#""event":"actionFailed","botName":"Bot""#), "Alert"),
        (
            r#"{"event":"test","botName":"Bot","data":{"httpStatus":500}}"#.to_owned(),
            "Alert",
        ),
        (flat(r#""data":{"x":1}"#), "Unknown"),
        (flat(r#""name":"n","data":{"x":1}"#), "Unknown"),
        (format!(r#"{{"botId":"{BOT}"}}"#), "Unknown"),
    ];
    let fixture = Fixture::listening();
    for path in ["", "actions"] {
        for (body, kind) in &bodies {
            let mut webhook = webhook(body);
            path.clone_into(&mut webhook.path);
            let inbound = fixture.agent.receive(&webhook).expect("taken");
            let told = match &inbound.body {
                InboundBody::Question(question) => format!("{:?}", question.kind()),
                other => format!("{other:?}"),
            };
            assert_eq!(told, *kind, "{body}");
        }
    }
}

#[test]
fn check_83_widget_events_are_told_apart_with_their_words() {
    let fixture = Fixture::listening();
    let data = r#""eventType":"widgetMessage","conversationId":"i-1","text":"anyone there?""#;
    let InboundBody::WidgetMessage { text, raw } = fixture.says(&chat(data)).body else {
        panic!("no widget message");
    };
    assert_eq!(text, "anyone there?");
    assert!(raw.contains("i-1"), "the platform's own id is kept");
    let data = r#""eventType":"widgetEscalate","escalateTo":"sales""#;
    let InboundBody::WidgetEscalation { target, .. } = fixture.says(&chat(data)).body else {
        panic!("no widget escalation");
    };
    assert_eq!(target, "sales");
    let ended = fixture.says(&chat(r#""eventType":"widgetEndSession""#));
    assert_eq!(ended.upstream_id.as_deref(), Some("c-1"));
    assert!(ended.body == InboundBody::WidgetEnd);
}

#[test]
fn check_84_a_ticket_is_taken_with_its_words_intents_and_paths() {
    let inbound = Fixture::listening().says(&flat(
        r#""platformConversationId":"ticket-1","text":"Your refund was issued.",
           "predictedIntents":[{"value":"9021","name":"Refund status","confidence":1}],
           "attachments":[{"path":"files/refund.pdf"},{"path":"files/b.pdf"}]"#,
    ));
    assert_eq!(inbound.upstream_id.as_deref(), Some("ticket-1"));
    let InboundBody::Ticket {
        text,
        intents,
        attachments,
        raw,
    } = inbound.body
    else {
        panic!("no ticket");
    };
    assert_eq!(text, "Your refund was issued.");
    assert_eq!(
        (intents[0].intent_id.as_str(), intents[0].name.as_str()),
        ("9021", "Refund status")
    );
    assert_eq!(intents[0].confidence, Some(1.0));
    assert_eq!(attachments, ["files/refund.pdf", "files/b.pdf"]);
    assert_eq!(raw, "");
}

#[test]
fn check_85_a_ticket_without_intents_or_attachments_is_taken() {
    let fields = r#""platformConversationId":"t","text":"hi","predictedIntents":null"#;
    let InboundBody::Ticket {
        intents,
        attachments,
        ..
    } = Fixture::listening().says(&flat(fields)).body
    else {
        panic!("no ticket");
    };
    assert!(intents.is_empty() && attachments.is_empty());
}

#[test]
fn check_83_84_the_platforms_own_id_is_kept_raw() {
    let fixture = Fixture::listening();
    let with_id = |data: &str| format!(r#"{data},"conversationId":"65f0c1a2b3d4e5f607182ddd""#);
    let escalates = chat(&with_id(r#""eventType":"widgetEscalate""#));
    let speaks = chat(&with_id(r#""eventType":"widgetMessage","text":"hi""#));
    let ticket = flat(&with_id(r#""platformConversationId":"t","text":"hi""#));
    for body in [escalates, speaks, ticket] {
        let inbound = fixture.says(&body);
        let (InboundBody::WidgetEscalation { raw, .. }
        | InboundBody::WidgetMessage { raw, .. }
        | InboundBody::Ticket { raw, .. }) = inbound.body
        else {
            panic!("{:?}", inbound.body);
        };
        assert_eq!(raw, body);
    }
}

#[test]
fn an_alert_is_kept_raw_and_belongs_to_no_conversation() {
    let body = flat(
        r#""botName":"Bot","event":"actionFailed","platformConversationId":"c-1",
           "data":{"httpStatus":500,"conversationLink":"https://example.org/c"}"#,
    );
    let inbound = Fixture::listening().says(&body);
    assert_eq!(inbound.upstream_id, None);
    assert!(
        inbound.body
            == InboundBody::Alert {
                name: "actionFailed".to_owned(),
                raw: body
            }
    );
}

#[test]
fn check_86_what_is_no_object_or_says_nothing_is_malformed() {
    let deep = "[".repeat(100_000);
    let nested = format!(r#"{{"data":{}}}"#, r#"{"a":"#.repeat(5000));
    for body in [
        "",
        " ",
        "{",
        "[]",
        "[{}]",
        "null",
        "7",
        "\"text\"",
        "{}",
        r#"{"x":1}"#,
        "{\"a\":\u{0}}",
        &deep,
        &nested,
    ] {
        let received = Fixture::listening().receive(body);
        assert_eq!(received, Err(WebhookRefusal::Malformed), "{body:.20}");
    }
    let mut invalid = webhook("");
    invalid.body = bytes::Bytes::from_static(b"{\"botId\":\"\xff\"}");
    let received = Fixture::listening().agent.receive(&invalid);
    assert_eq!(received, Err(WebhookRefusal::Malformed));
}

#[test]
fn check_87_a_body_that_names_another_bot_is_refused_as_configured() {
    let body = r#"{"botId":"another","data":{"eventType":"isTeamOnline"}}"#;
    let refused = |acknowledge| Err(WebhookRefusal::UnknownAgent { acknowledge });
    assert_eq!(Fixture::listening().receive(body), refused(false));
    let polite = Fixture::set(|agent, _, _| agent.unknown_bot = UnknownBot::Ok);
    assert_eq!(polite.receive(body), refused(true));
}

#[test]
fn a_body_that_names_no_bot_is_for_the_one_of_its_address() {
    let body = r#"{"data":{"eventType":"isTeamOnline","teamId":"t"}}"#;
    assert!(Fixture::listening().receive(body).is_ok());
}

#[test]
fn the_content_type_counts_only_where_configured() {
    let strict = Fixture::set(|_, platform, _| platform.content_type = ContentTypePolicy::Json);
    for (value, fine) in [
        ("application/json", true),
        ("Application/JSON; charset=utf-8", true),
        ("text/plain", false),
        ("application/jsonx", false),
    ] {
        let mut webhook = webhook(&chat(r#""eventType":"escalate""#));
        webhook
            .headers
            .insert("content-type", value.parse().expect("a header"));
        assert_eq!(strict.agent.receive(&webhook).is_ok(), fine, "{value}");
        assert!(
            Fixture::listening().agent.receive(&webhook).is_ok(),
            "{value}"
        );
        webhook.headers.clear();
        assert!(strict.agent.receive(&webhook).is_err(), "none");
    }
}

/// JSON that uses the platform's own names with anything behind them.
fn anything() -> impl Strategy<Value = serde_json::Value> {
    let names = prop::sample::select(vec![
        "botId",
        "data",
        "eventType",
        "platformConversationId",
        "type",
        "text",
        "buttons",
        "value",
        "carouselCards",
        "confidence",
        "messageId",
        "name",
        "key",
        "event",
        "botName",
        "attachments",
        "predictedIntents",
        "sanitize",
        "saveAs",
        "link",
        "new",
    ]);
    let words = prop::sample::select(vec![
        BOT,
        "sendMessage",
        "escalate",
        "isTeamOnline",
        "link",
        "carousel",
        "http",
        "é\u{0}",
        "",
    ]);
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        words.prop_map(Into::into),
    ];
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::vec((names.clone(), inner), 0..8).prop_map(|fields| {
                let fields = fields
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value));
                serde_json::Value::Object(fields.collect())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_comes_is_taken_or_refused_and_what_is_unknown_is_kept(body in anything()) {
        let body = body.to_string();
        if let Ok(inbound) = Fixture::listening().receive(&body)
            && let InboundBody::Unknown { raw, .. } = inbound.body
        {
            prop_assert_eq!(raw, body);
        }
    }

    #[test]
    fn bytes_without_sense_are_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut webhook = webhook("");
        webhook.body = body.into();
        let received = Fixture::listening().agent.receive(&webhook);
        prop_assert_eq!(received, Err(WebhookRefusal::Malformed));
    }
}
