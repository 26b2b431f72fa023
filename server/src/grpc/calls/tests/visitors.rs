//! What visitors do: start, send, update, end.

use parloir_proto::v1::{self, send_message_request::Content};

use super::super::{end, send, start, update};
use super::{parameter, wrong};
use crate::domain::VisitorContent;

fn started() -> v1::StartConversationRequest {
    v1::StartConversationRequest {
        account: "acme".into(),
        conversation_id: "c-1".into(),
        ..v1::StartConversationRequest::default()
    }
}

fn sent(content: Option<Content>) -> v1::SendMessageRequest {
    v1::SendMessageRequest {
        account: "acme".into(),
        conversation_id: "c-1".into(),
        message_id: "m-1".into(),
        content,
        ..v1::SendMessageRequest::default()
    }
}

fn choice(label: &str, card_index: Option<i32>, event_id: &str) -> Content {
    Content::Choice(v1::Choice {
        label: label.into(),
        card_index,
        event_id: event_id.into(),
    })
}

#[test]
fn a_start_needs_an_account_and_a_conversation_or_a_command_id() {
    let fields = wrong(start::command(v1::StartConversationRequest::default()));
    assert_eq!(fields, ["account", "command_id"]);
    let command = start::command(started()).expect("a conversation alone is enough");
    assert_eq!(
        (command.conversation_id.is_some(), command.command_id),
        (true, None)
    );
    let request = v1::StartConversationRequest {
        conversation_id: String::new(),
        command_id: "k-1".into(),
        ..started()
    };
    let command = start::command(request).expect("a command id alone is enough");
    assert_eq!(
        (command.conversation_id, command.command_id.is_some()),
        (None, true)
    );
}

#[test]
fn a_visitor_keeps_its_limits() {
    let visitor = v1::Visitor {
        visitor_id: "v".repeat(257),
        display_name: "a\0b".into(),
        language: "not a tag".into(),
    };
    let request = v1::StartConversationRequest {
        visitor: Some(visitor),
        ..started()
    };
    let expected = [
        "visitor.visitor_id",
        "visitor.display_name",
        "visitor.language",
    ];
    assert_eq!(wrong(start::command(request)), expected);
    let visitor = v1::Visitor {
        visitor_id: String::new(),
        display_name: "Zoë".into(),
        language: "fr-CA".into(),
    };
    let request = v1::StartConversationRequest {
        visitor: Some(visitor),
        ..started()
    };
    let command = start::command(request).expect("fine");
    assert_eq!(command.visitor.expect("told").display_name, "Zoë");
}

#[test]
fn ids_are_neither_empty_nor_long_nor_with_control_characters() {
    for bad in ["", "a\0b", "a\nb", "\u{7f}", &"x".repeat(257)] {
        let request = v1::SendMessageRequest {
            account: bad.into(),
            conversation_id: bad.into(),
            message_id: bad.into(),
            ..sent(Some(Content::Text("hi".into())))
        };
        let expected = ["account", "conversation_id", "message_id"];
        assert_eq!(wrong(send::command(request)), expected, "{bad:?}");
    }
}

#[test]
fn a_message_needs_content() {
    assert_eq!(wrong(send::command(sent(None))), ["content"]);
}

#[test]
fn blank_overlong_and_nul_text_is_refused() {
    for bad in ["", " \n\t ", "a\0b", &"x".repeat(10_001)] {
        let request = sent(Some(Content::Text(bad.into())));
        assert_eq!(wrong(send::command(request)), ["text"], "{bad:.10?}");
    }
    let longest = "é".repeat(10_000);
    let command = send::command(sent(Some(Content::Text(longest.clone())))).expect("fits");
    assert_eq!(command.content.text(), longest);
}

#[test]
fn a_choice_needs_a_label_and_a_card_that_can_exist() {
    let request = sent(Some(choice("", Some(-1), "e\n")));
    let expected = ["choice.card_index", "choice.label", "choice.event_id"];
    assert_eq!(wrong(send::command(request)), expected);
    let request = sent(Some(choice("Choose", Some(i32::MIN), "")));
    assert_eq!(wrong(send::command(request)), ["choice.card_index"]);
    let command = send::command(sent(Some(choice("Choose", Some(0), "e-1")))).expect("fine");
    let VisitorContent::Choice(choice) = command.content else {
        panic!("not a choice");
    };
    assert_eq!(
        (choice.card_index, choice.event_id.as_str()),
        (Some(0), "e-1")
    );
}

#[test]
fn parameters_are_named_by_index_and_at_most_a_hundred() {
    let request = v1::SendMessageRequest {
        parameters: vec![
            parameter("ok", "v"),
            parameter("no-name", "v"),
            parameter("ok", &"v".repeat(8193)),
        ],
        ..sent(Some(Content::Text("hi".into())))
    };
    let expected = ["parameters[1].key", "parameters[2].value"];
    assert_eq!(wrong(send::command(request)), expected);
    let request = v1::UpdateParametersRequest {
        account: "acme".into(),
        conversation_id: "c-1".into(),
        command_id: "k-1".into(),
        parameters: vec![parameter("k", "v"); 101],
    };
    assert_eq!(wrong(update::command(request)), ["parameters"]);
}

#[test]
fn an_update_needs_its_key_and_something_to_set() {
    let request = v1::UpdateParametersRequest {
        account: "acme".into(),
        conversation_id: "c-1".into(),
        ..v1::UpdateParametersRequest::default()
    };
    assert_eq!(
        wrong(update::command(request)),
        ["command_id", "parameters"]
    );
}

#[test]
fn an_end_needs_its_three_ids() {
    let request = v1::EndConversationRequest::default();
    let expected = ["account", "conversation_id", "command_id"];
    assert_eq!(wrong(end::command(&request)), expected);
}

#[test]
fn session_zero_may_be_expected() {
    let request = v1::EndConversationRequest {
        account: "acme".into(),
        conversation_id: "c-1".into(),
        command_id: "k-1".into(),
        expected_session: Some(0),
    };
    let command = end::command(&request).expect("fine");
    assert_eq!(command.expected_session, Some(0));
}
