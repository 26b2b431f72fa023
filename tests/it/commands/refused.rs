//! What is refused before the platform sees anything, with the field that is wrong.

use parloir_client::{
    Code, Error,
    v1::{
        Choice, EndConversationRequest, SendMessageRequest, StartConversationRequest,
        TransferConversationRequest, send_message_request::Content,
    },
};

use crate::support::{
    server::{ACCOUNT, TestServer, message, parameter},
    webhook::chat,
};

#[track_caller]
fn assert_field<T: std::fmt::Debug>(result: Result<T, Error>, field: &str) {
    let error = result.expect_err(field);
    assert_eq!(error.code(), Code::InvalidArgument, "{field}: {error}");
    let fields: Vec<_> = error
        .field_violations()
        .map(|violation| violation.field)
        .collect();
    assert_eq!(fields, [field], "{error}");
}

fn choice(label: &str, card_index: Option<i32>, event_id: &str) -> Choice {
    Choice {
        label: label.to_owned(),
        card_index,
        event_id: event_id.to_owned(),
    }
}

#[tokio::test]
async fn check_06_blank_words_are_refused_and_the_platform_sees_nothing() {
    let server = TestServer::start().await;
    for (number, blank) in ["", " ", "\n\t ", "\u{a0}"].into_iter().enumerate() {
        let sent = server.say("C", &format!("m-{number}"), blank).await;
        assert_field(sent, "text");
    }
    let without = server.client.send_message(message("C", "m")).await;
    assert_eq!(
        without.expect_err("no content").code(),
        Code::InvalidArgument
    );
    let pressed = server.choose("C", "b", choice(" ", None, "")).await;
    assert_field(pressed, "choice.label");
    assert!(server.platform.requests().is_empty());
}

#[tokio::test]
async fn words_that_are_too_long_or_hold_nul_are_refused() {
    let server = TestServer::start().await;
    for text in ["x".repeat(10_001), "a\0b".to_owned()] {
        assert_field(server.say("C", "m", &text).await, "text");
    }
    let longest = "é".repeat(10_000);
    server
        .say("C", "m", &longest)
        .await
        .expect("just short enough");
    assert_eq!(server.platform.requests().len(), 1);
}

#[tokio::test]
async fn check_10_a_link_button_is_refused_and_the_platform_sees_nothing() {
    let server = TestServer::start().await;
    let mut events = server.events();
    let fields = r#""eventType":"sendMessage","text":"Read",
        "buttons":[{"type":"link","text":"Terms","link":"https://shop.example.org/terms"}]"#;
    server.taken(&chat("C", fields)).await;
    let (_, event) = events.agent_message().await;
    let pressed = server
        .choose("C", "m", choice("Terms", None, &event.event_id))
        .await;
    assert_field(pressed, "choice.label");
    let unknown = server
        .choose("C", "m", choice("Other", None, &event.event_id))
        .await;
    assert_field(unknown, "choice.label");
    let nowhere = server
        .choose("C", "m", choice("Terms", None, "no-such-event"))
        .await;
    assert_eq!(nowhere.expect_err("unknown").code(), Code::NotFound);
    assert!(server.platform.requests().is_empty());
}

#[tokio::test]
async fn check_16_a_reserved_parameter_is_refused_and_the_platform_sees_nothing() {
    let server = TestServer::start().await;
    for key in ["chatTranscript", "lastResolution", "platformConversationId"] {
        let request = SendMessageRequest {
            content: Some(Content::Text("hi".to_owned())),
            parameters: vec![parameter("fine", "v", false), parameter(key, "v", false)],
            ..message("C", "m")
        };
        let sent = server.client.send_message(request).await;
        assert_field(sent, "parameters[1].key");
    }
    assert!(server.platform.requests().is_empty());
}

#[tokio::test]
async fn parameters_that_are_no_names_or_too_large_are_refused() {
    let server = TestServer::start().await;
    for bad in ["", "2nd", "with space", "with-hyphen", "nul\0"] {
        let set = server.set("C", "u", vec![parameter(bad, "v", false)]).await;
        assert_field(set, "parameters[0].key");
    }
    let large = "v".repeat(8 * 1024 + 1);
    let updated = server
        .set("C", "u", vec![parameter("k", &large, false)])
        .await;
    assert_field(updated, "parameters[0].value");
    let many = vec![parameter("k", "v", false); 101];
    assert_field(server.set("C", "u", many).await, "parameters");
    assert_field(server.set("C", "u", vec![]).await, "parameters");
}

#[tokio::test]
async fn check_18_a_negative_card_is_refused_and_the_platform_sees_nothing() {
    let server = TestServer::start().await;
    let pressed = server
        .choose("C", "m", choice("Choose", Some(-1), ""))
        .await;
    assert_field(pressed, "choice.card_index");
    assert!(server.platform.requests().is_empty());
}

#[tokio::test]
async fn check_19_ids_that_are_missing_too_long_or_not_printable_are_refused() {
    let server = TestServer::start().await;
    let long = "x".repeat(257);
    for bad in ["", "a\0b", "line\nbreak", long.as_str()] {
        assert_field(server.say(bad, "m", "hi").await, "conversation_id");
        assert_field(server.say("C", bad, "hi").await, "message_id");
        assert_field(server.client.say(bad, "C", "m", "hi").await, "account");
        let end = EndConversationRequest {
            account: ACCOUNT.to_owned(),
            conversation_id: "C".to_owned(),
            command_id: bad.to_owned(),
            expected_session: None,
        };
        assert_field(server.client.end_conversation(end).await, "command_id");
    }
    let start = StartConversationRequest {
        account: ACCOUNT.to_owned(),
        ..StartConversationRequest::default()
    };
    let started = server.client.start_conversation(start).await;
    assert_field(started, "command_id");
    assert!(server.platform.requests().is_empty());
}

#[tokio::test]
async fn an_owner_that_nobody_can_be_handed_to_is_refused() {
    let server = TestServer::start().await;
    server.say("C", "m", "hi").await.expect("a message");
    for to in [0, 3, 4, 99] {
        let transfer = TransferConversationRequest {
            account: ACCOUNT.to_owned(),
            conversation_id: "C".to_owned(),
            command_id: "t".to_owned(),
            to,
            ..TransferConversationRequest::default()
        };
        assert_field(server.client.transfer_conversation(transfer).await, "to");
    }
}

#[tokio::test]
async fn what_is_unknown_is_not_found_and_the_platform_sees_nothing() {
    let server = TestServer::start().await;
    let sent = server.client.say("nobody", "C", "m", "hi").await;
    assert_eq!(sent.expect_err("unknown account").code(), Code::NotFound);
    let ended = server.client.end(ACCOUNT, "nothing", "e").await;
    assert_eq!(
        ended.expect_err("unknown conversation").code(),
        Code::NotFound
    );
    let updated = server
        .set("nothing", "u", vec![parameter("k", "v", false)])
        .await;
    assert_eq!(
        updated.expect_err("unknown conversation").code(),
        Code::NotFound
    );
    let answered = server.client.decide_escalation("nothing", true).await;
    assert_eq!(
        answered.expect_err("unknown request").code(),
        Code::NotFound
    );
    assert!(server.platform.requests().is_empty());
}

#[tokio::test]
async fn a_conversation_of_another_account_is_not_found() {
    let server = TestServer::start_with(crate::support::server::Wishes {
        agent: "default_account = \"demo\"",
        end: "[[accounts]]\nname = \"second\"\nagent = \"shop\"\nupstream_prefix = \"s-\""
            .to_owned(),
        ..Default::default()
    })
    .await;
    server.say("C", "m", "hi").await.expect("a message");
    let ended = server.client.end("second", "C", "e").await;
    assert_eq!(ended.expect_err("another account's").code(), Code::NotFound);
    let read = server.client.conversation("second", "C").await;
    assert_eq!(read.expect("an answer"), None);
}

#[tokio::test]
async fn a_message_that_is_too_large_is_refused_with_the_limit() {
    let server = TestServer::start().await;
    let request = SendMessageRequest {
        content: Some(Content::Text("hi".to_owned())),
        parameters: (0..100)
            .map(|number| parameter(&format!("k{number}"), &"v".repeat(8000), false))
            .collect(),
        ..message("C", "m")
    };
    let error = server
        .client
        .send_message(request)
        .await
        .expect_err("too large");
    assert_eq!(error.code(), Code::ResourceExhausted, "{error}");
    assert!(server.platform.requests().is_empty());
}

#[tokio::test]
async fn a_message_id_that_comes_again_with_other_words_is_refused() {
    let server = TestServer::start().await;
    server.say("C", "m", "hi").await.expect("a message");
    server.say("C", "m", "hi").await.expect("the same again");
    let error = server.say("C", "m", "ho").await.expect_err("other words");
    assert_eq!(error.code(), Code::AlreadyExists);
    assert_eq!(error.reason(), Some("IDEMPOTENCY_KEY_REUSED"));
    assert_eq!(server.platform.requests().len(), 1);
}
