//! Checks C: what the agent says.

use super::fixture::{BOT, Fixture, chat};
use crate::domain::{Button, ButtonKind, inbound::InboundBody};

fn reply(label: &str) -> Button {
    Button {
        kind: ButtonKind::Reply,
        label: label.to_owned(),
        link: String::new(),
    }
}

fn link(label: &str, link: &str) -> Button {
    Button {
        kind: ButtonKind::Link,
        label: label.to_owned(),
        link: link.to_owned(),
    }
}

#[test]
fn check_54_a_text_message_is_taken_with_all_that_it_says() {
    let inbound = Fixture::listening().says(&chat(
        r#""eventType":"sendMessage","type":"text","text":"Your parcel left.","buttons":[],
           "carouselCards":[],"replyId":"r-1","confidence":0.93,"messageId":"m-1""#,
    ));
    assert_eq!(inbound.upstream_id.as_deref(), Some("c-1"));
    assert_eq!(inbound.platform_event_id.as_deref(), Some("m-1"));
    let InboundBody::Message(message) = inbound.body else {
        panic!("{:?}", inbound.body);
    };
    assert_eq!(message.text, "Your parcel left.");
    assert_eq!(message.confidence, Some(0.93));
    assert_eq!(message.platform_message_id, "m-1");
    assert_eq!(message.platform_reply_id, "r-1");
    assert_eq!(message.unknown_type, "");
    assert_eq!(message.raw, "", "all of it is shown");
}

#[test]
fn check_55_a_message_without_what_examples_leave_out_is_taken() {
    let body = format!(
        r#"{{"botId":"{BOT}","data":{{"eventType":"sendMessage","platformConversationId":"c-1",
            "type":"text","text":"hi"}}}}"#
    );
    let inbound = Fixture::listening().says(&body);
    assert_eq!(inbound.platform_event_id, None);
    let InboundBody::Message(message) = inbound.body else {
        panic!("{:?}", inbound.body);
    };
    assert_eq!((message.text.as_str(), message.raw.as_str()), ("hi", ""));
    assert_eq!(message.confidence, None);
}

#[test]
fn check_56_two_buttons_keep_their_order() {
    let message = Fixture::listening().message(&chat(
        r#""eventType":"sendMessage","type":"text","text":"Next?",
           "buttons":[{"type":"button","text":"Track it"},{"type":"button","text":"Cancel it"}]"#,
    ));
    assert!(message.buttons == [reply("Track it"), reply("Cancel it")]);
    assert_eq!(message.raw, "");
}

#[test]
fn check_57_a_link_button_leads_to_the_first_web_address_among_the_known_names() {
    for name in ["url", "link", "href", "uri", "value", "payload"] {
        let message = Fixture::listening().message(&chat(&format!(
            r#""eventType":"sendMessage","type":"text","text":"Read",
               "buttons":[{{"type":"link","text":"Terms","{name}":"https://shop.example.org/t"}}]"#
        )));
        assert!(
            message.buttons == [link("Terms", "https://shop.example.org/t")],
            "{name}"
        );
        assert_eq!(message.raw, "", "{name}");
    }
}

#[test]
fn a_link_button_without_a_web_address_is_kept_raw_and_leads_nowhere() {
    let body = chat(
        r#""eventType":"sendMessage","type":"text","text":"Read",
           "buttons":[{"type":"link","text":"Terms","url":"javascript:alert(1)"}]"#,
    );
    let message = Fixture::listening().message(&body);
    assert!(message.buttons == [link("Terms", "")]);
    assert_eq!(message.raw, body);
}

#[test]
fn check_58_a_carousel_keeps_the_order_of_its_cards() {
    let message = Fixture::listening().message(&chat(
        r#""eventType":"sendMessage","type":"carousel","text":"","buttons":[],"carouselCards":[
           {"title":"Blue mug","description":"0.3 l","imageUrl":"https://cdn.example.org/mug.png",
            "buttons":[{"type":"button","text":"Choose"}]},
           {"title":"Red bowl","buttons":[{"type":"button","text":"Choose"},
            {"type":"link","text":"Details","link":"https://shop.example.org/bowl"}]}]"#,
    ));
    let titles: Vec<_> = message
        .cards
        .iter()
        .map(|card| card.title.as_str())
        .collect();
    assert_eq!(titles, ["Blue mug", "Red bowl"]);
    assert_eq!(message.cards[0].description, "0.3 l");
    assert_eq!(
        message.cards[0].image_url,
        "https://cdn.example.org/mug.png"
    );
    assert_eq!(message.cards[1].description, "");
    let details = link("Details", "https://shop.example.org/bowl");
    assert!(message.cards[1].buttons == [reply("Choose"), details]);
    assert_eq!(message.raw, "");
}

#[test]
fn check_59_buttons_given_as_strings_answer_the_agent() {
    let body = chat(r#""eventType":"sendMessage","type":"text","text":"?","buttons":["Yes","No"]"#);
    let message = Fixture::listening().message(&body);
    assert!(message.buttons == [reply("Yes"), reply("No")]);
    assert_eq!(message.raw, body, "read as what it is not");
}

#[test]
fn check_60_null_is_the_same_as_missing_and_empty() {
    let message = Fixture::listening().message(&chat(
        r#""eventType":"sendMessage","type":"text","text":"hi","buttons":null,"replyId":null,
           "confidence":null,"messageId":null"#,
    ));
    assert!(message.buttons.is_empty() && message.cards.is_empty());
    assert_eq!(
        (message.platform_message_id.as_str(), message.raw.as_str()),
        ("", "")
    );
}

#[test]
fn check_61_unknown_fields_at_every_level_are_taken_and_kept_raw() {
    let fixture = Fixture::listening();
    let button = |extra: &str| format!(r#""buttons":[{{"type":"button","text":"b"{extra}}}]"#);
    let card = |extra: &str| format!(r#""carouselCards":[{{"title":"t","buttons":[]{extra}}}]"#);
    let data = |rest: &str| chat(&format!(r#""eventType":"sendMessage","text":"hi",{rest}"#));
    let bodies = [
        data(r#""new":{"x":[1]}"#),
        data(&button(r#","new":1"#)),
        data(&card(r#","new":true"#)),
        data(r#""type":"text""#).replacen('{', r#"{"new":"x","#, 1),
        data(r#""type":"text""#).replace(r#""chat""#, r#""voice""#),
    ];
    for body in bodies {
        let message = fixture.message(&body);
        assert_eq!(message.text, "hi", "{body}");
        assert_eq!(message.raw, body);
    }
}

#[test]
fn check_62_an_unknown_event_type_is_taken_and_kept_raw() {
    let body = chat(r#""eventType":"somethingNew","x":1"#);
    let inbound = Fixture::listening().says(&body);
    assert_eq!(inbound.upstream_id.as_deref(), Some("c-1"));
    let InboundBody::Unknown { event_type, raw } = inbound.body else {
        panic!("{:?}", inbound.body);
    };
    assert_eq!(
        (event_type.as_str(), raw.as_str()),
        ("somethingNew", body.as_str())
    );
}

#[test]
fn check_63_a_message_of_an_unknown_type_keeps_its_words_and_names_the_type() {
    let body = chat(r#""eventType":"sendMessage","type":"video","text":"look","src":"v.mp4""#);
    let message = Fixture::listening().message(&body);
    assert_eq!(
        (message.text.as_str(), message.unknown_type.as_str()),
        ("look", "video")
    );
    assert_eq!(message.raw, body);
}

#[test]
fn check_64_65_a_message_is_known_again_by_its_id_and_not_by_its_words() {
    let fixture = Fixture::listening();
    let id = |id: &str| {
        let data = format!(r#""eventType":"sendMessage","text":"same","messageId":{id}"#);
        fixture.says(&chat(&data)).platform_event_id.expect("an id")
    };
    assert_eq!(id(r#""m-1""#), id(r#""m-1""#));
    assert_ne!(id(r#""m-1""#), id(r#""m-2""#));
    assert_eq!(id("17"), "17", "a number is an id too");
}

#[test]
fn a_confidence_is_a_share_or_dropped() {
    let fixture = Fixture::listening();
    let confidence = |value: &str| {
        let data = format!(r#""eventType":"sendMessage","text":"hi","confidence":{value}"#);
        let message = fixture.message(&chat(&data));
        (message.confidence, message.raw.is_empty())
    };
    assert_eq!(confidence("1"), (Some(1.0), true));
    assert_eq!(confidence(r#""0.5""#), (Some(0.5), false));
    for dropped in ["-0.1", "93", r#""NaN""#, r#""high""#, "true", "[]"] {
        assert_eq!(confidence(dropped), (None, false), "{dropped}");
    }
}

#[test]
fn an_event_of_a_conversation_must_name_one_that_could_be_ours() {
    let fixture = Fixture::listening();
    let long = "x".repeat(257);
    for event in [
        "sendMessage",
        "escalate",
        "widgetMessage",
        "widgetEndSession",
    ] {
        for id in [
            "null",
            r#""""#,
            r#""a\u0000b""#,
            &format!("\"{long}\""),
            "{}",
        ] {
            let body = format!(
                r#"{{"botId":"{BOT}","data":{{"eventType":"{event}","platformConversationId":{id}}}}}"#
            );
            assert!(fixture.receive(&body).is_err(), "{event} {id}");
        }
    }
}
