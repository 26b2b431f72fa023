//! The command line of tail, and the JSON that programs read.

use clap::Parser;
use parloir_proto::v1::{
    AgentMessage, Button, ButtonKind, Choice, ConversationEnded, ConversationStarted,
    DeferredAnswer, DeliveryChanged, DeliveryState, EndCause, Erased, Event, HumanMessage,
    RequestClosed, VisitorMessage, delivery_changed::Subject, event::Body, request_closed::Answer,
    visitor_message::Content,
};
use serde_json::{Value, json};

use super::*;
use crate::commands::tests::agent::Agent;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    args: TailArgs,
}

fn parse(line: &[&str]) -> Result<TailArgs, clap::Error> {
    Line::try_parse_from(["tail"].iter().chain(line)).map(|line| line.args)
}

fn object_of(body: Body) -> Value {
    let event = Event {
        event_id: "e1".into(),
        account: "demo".into(),
        sequence: 7,
        recorded_at: Some(prost_types::Timestamp {
            seconds: 1_785_326_584,
            nanos: 120_000_000,
        }),
        body: Some(body),
        ..Event::default()
    };
    json::object(&DeliveredEvent {
        event: Some(event),
        cursor: "c1".into(),
        ..DeliveredEvent::default()
    })
}

#[test]
fn kinds_are_taken_by_the_name_they_have_in_the_contract() {
    let args = parse(&["--kind", "agent_message", "--kind", "erased"]).expect("two kinds");
    assert_eq!(args.kinds, [EventKind::AgentMessage, EventKind::Erased]);
    let error = parse(&["--kind", "agent_mesage"]).expect_err("a misspelt kind");
    assert!(error.to_string().contains("agent_message"), "{error}");
}

#[test]
fn a_cursor_and_an_end_of_the_log_exclude_each_other() {
    assert!(parse(&["--after", "c1"]).is_ok());
    assert!(parse(&["--after", "c1", "--from", "earliest"]).is_err());
}

#[test]
fn once_and_until_caught_up_are_the_same() {
    assert!(parse(&["--once"]).expect("a flag").until_caught_up);
    assert!(
        parse(&["--until-caught-up"])
            .expect("a flag")
            .until_caught_up
    );
}

#[test]
fn an_object_has_the_cursor_the_kind_and_the_names_of_the_contract() {
    let button = Button {
        kind: ButtonKind::Link.into(),
        label: "Shop".into(),
        link: "https://shop.example".into(),
    };
    let object = object_of(Body::AgentMessage(AgentMessage {
        text: "Hello".into(),
        buttons: vec![button],
        confidence: Some(0.5),
        ..AgentMessage::default()
    }));
    assert_eq!(object["cursor"], "c1");
    assert_eq!(object["kind"], "agent_message");
    assert_eq!(object["sequence"], 7);
    assert_eq!(object["recorded_at"], "2026-07-29T12:03:04.120000Z");
    assert_eq!(
        object["body"],
        json!({
            "text": "Hello",
            "buttons": [
                { "kind": "BUTTON_KIND_LINK", "label": "Shop", "link": "https://shop.example" }
            ],
            "cards": [],
            "confidence": 0.5,
            "platform_message_id": "",
            "platform_reply_id": "",
            "unknown_type": "",
            "raw": "",
        })
    );
}

#[test]
fn an_alternative_is_the_field_that_is_set() {
    let choice = Choice {
        label: "Buy".into(),
        card_index: None,
        event_id: "e0".into(),
    };
    let message = object_of(Body::VisitorMessage(VisitorMessage {
        content: Some(Content::Choice(choice)),
        ..VisitorMessage::default()
    }));
    assert_eq!(
        message["body"]["choice"],
        json!({ "label": "Buy", "card_index": null, "event_id": "e0" })
    );
    assert_eq!(message["body"].get("text"), None);

    let changed = object_of(Body::DeliveryChanged(DeliveryChanged {
        subject: Some(Subject::CommandId("k-1".into())),
        state: DeliveryState::Unknown.into(),
        ..DeliveryChanged::default()
    }));
    assert_eq!(changed["body"]["command_id"], "k-1");
    assert_eq!(changed["body"]["state"], "DELIVERY_STATE_UNKNOWN");

    let closed = object_of(Body::RequestClosed(RequestClosed {
        answer: Some(Answer::Deferred(DeferredAnswer {})),
        ..RequestClosed::default()
    }));
    assert_eq!(closed["body"]["deferred"], json!({}));
}

#[test]
fn what_is_absent_is_null_and_never_left_out() {
    let started = object_of(Body::ConversationStarted(ConversationStarted::default()));
    assert_eq!(started["time_left"], Value::Null);
    assert_eq!(started["body"]["visitor"], Value::Null);
    let human = object_of(Body::HumanMessage(HumanMessage::default()));
    assert_eq!(human["body"].get("queue_position"), Some(&Value::Null));
    assert_eq!(
        object_of(Body::Erased(Erased {
            receipt_id: "r-1".into(),
            through_sequence: 7,
        }))["body"],
        json!({ "receipt_id": "r-1", "through_sequence": 7 })
    );
}

#[test]
fn an_enum_value_of_a_later_version_does_not_stop_the_line() {
    let ended = ConversationEnded {
        cause: 99,
        command_id: String::new(),
    };
    let object = object_of(Body::ConversationEnded(ended));
    assert_eq!(object["body"]["cause"], EndCause::Unspecified.as_str_name());
}

#[test]
fn an_object_is_one_line_whatever_was_written() {
    let message = AgentMessage {
        text: "a\nb\u{2028}\u{1b}[2J".into(),
        ..AgentMessage::default()
    };
    let mut printed = Vec::new();
    let event = Event {
        body: Some(Body::AgentMessage(message)),
        ..Event::default()
    };
    let delivered = DeliveredEvent {
        event: Some(event),
        ..DeliveredEvent::default()
    };
    print(&delivered, true, &mut printed).expect("printed");
    let printed = String::from_utf8(printed).expect("text");
    assert_eq!(printed.matches('\n').count(), 1, "{printed:?}");
    assert!(!printed.contains('\u{1b}'));
}

/// What is printed by this command line while these words are in the log.
async fn tail(line: &[&str], words: &[&str], out: &mut impl Write) -> Result<()> {
    let agent = Agent::default();
    for text in words {
        agent.says(text, &[]);
    }
    let url = agent.serve().await;
    let server = ["--server", &url];
    let args = parse(&[&server, line].concat())?;
    let events = args.connect.client().await?.subscribe(args.subscription());
    follow(events, args.json, args.until_caught_up, out).await
}

#[tokio::test]
async fn once_prints_what_is_in_the_log_and_ends() {
    let mut printed = Vec::new();
    tail(&["--once", "--json"], &["one", "two"], &mut printed)
        .await
        .expect("an end");
    let printed = String::from_utf8(printed).expect("text");
    let cursors: Vec<_> = printed
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["cursor"].clone())
        .collect();
    assert_eq!(cursors, ["c1", "c2"]);
}

#[tokio::test]
async fn an_expired_cursor_is_explained_with_the_one_that_works() {
    let error = tail(&["--after", "c0"], &[], &mut Vec::new())
        .await
        .expect_err("expired");
    assert!(format!("{error:#}").contains("--after c90"), "{error:#}");
}

#[tokio::test]
async fn nobody_reading_any_more_ends_it_quietly() {
    let (reader, mut writer) = io::pipe().expect("a pipe");
    drop(reader);
    let outcome = tail(&["--from", "earliest"], &["one"], &mut writer).await;
    assert!(outcome.is_err());
    assert!(terminal::unless_nobody_reads(outcome).is_ok());
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_with_the_remedy() {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .expect("a port")
        .local_addr();
    let url = format!("http://{}", free.expect("an address"));
    let error = run(parse(&["--server", &url]).expect("arguments"))
        .await
        .expect_err("nobody there");
    assert!(format!("{error:#}").contains("parloir serve"), "{error:#}");
}
