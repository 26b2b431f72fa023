//! Idempotency keys: the same key with the same content gets the first outcome again, with other content none.

use parloir_client::v1::{
    EndConversationRequest, EndConversationResponse, Owner, SendMessageRequest,
    StartConversationRequest, TransferConversationRequest, UpdateParametersRequest, Visitor,
    send_message_request::Content,
};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::{calls, reason, refusal, start, transfer};
use crate::support::{
    platform::Behaviour,
    server::{ACCOUNT, TestServer, message, parameter},
};

fn said(text: &str) -> SendMessageRequest {
    SendMessageRequest {
        content: Some(Content::Text(text.to_owned())),
        ..message("C", "key")
    }
}

fn set(value: &str) -> UpdateParametersRequest {
    UpdateParametersRequest {
        account: ACCOUNT.to_owned(),
        conversation_id: "C".to_owned(),
        command_id: "key".to_owned(),
        parameters: vec![parameter("tier", value, false)],
    }
}

fn end(expected_session: Option<u32>) -> EndConversationRequest {
    EndConversationRequest {
        account: ACCOUNT.to_owned(),
        conversation_id: "C".to_owned(),
        command_id: "key".to_owned(),
        expected_session,
    }
}

#[track_caller]
fn assert_reused<T: std::fmt::Debug>(answer: Result<T, Status>, field: &str) {
    let status = answer.expect_err("other content");
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (Code::AlreadyExists, "IDEMPOTENCY_KEY_REUSED")
    );
    let info = status.get_details_error_info().expect("ErrorInfo");
    assert_eq!(info.metadata["field"], field);
}

#[tokio::test]
async fn a_repeated_start_gets_the_first_answer_and_another_none() {
    let server = TestServer::start().await;
    let mut calls = calls(&server).await;
    let first = calls
        .start_conversation(start("C", "key"))
        .await
        .expect("OK")
        .into_inner();
    let again = calls
        .start_conversation(start("C", "key"))
        .await
        .expect("OK")
        .into_inner();
    assert_eq!(
        (&first.cursor, first.resumed),
        (&again.cursor, again.resumed)
    );
    assert_eq!(server.platform.requests().len(), 1);
    let other = StartConversationRequest {
        visitor: Some(Visitor {
            display_name: "Zoë".to_owned(),
            ..Visitor::default()
        }),
        ..start("C", "key")
    };
    assert_reused(calls.start_conversation(other).await, "command_id");
}

#[tokio::test]
async fn a_repeated_start_without_an_id_finds_the_conversation_that_was_made() {
    let server = TestServer::start().await;
    let mut calls = calls(&server).await;
    let first = calls
        .start_conversation(start("", "key"))
        .await
        .expect("OK")
        .into_inner();
    let again = calls
        .start_conversation(start("", "key"))
        .await
        .expect("OK")
        .into_inner();
    let id = |answer: parloir_client::v1::StartConversationResponse| {
        answer.conversation.expect("a conversation").conversation_id
    };
    let made = id(first);
    assert_eq!(made.len(), 36, "a UUID: {made}");
    assert_eq!(made, id(again));
    assert_eq!(server.platform.requests().len(), 1);
}

#[tokio::test]
async fn a_repeated_message_gets_the_first_answer_and_another_none() {
    let server = TestServer::start().await;
    let mut calls = calls(&server).await;
    let first = calls
        .send_message(said("hi"))
        .await
        .expect("OK")
        .into_inner();
    let again = calls
        .send_message(said("hi"))
        .await
        .expect("OK")
        .into_inner();
    assert_eq!(first, again);
    assert_eq!(first.new_session, Some(true));
    assert_eq!(server.platform.requests().len(), 1);
    assert_reused(calls.send_message(said("ho")).await, "message_id");
}

#[tokio::test]
async fn one_key_serves_every_call_once() {
    let server = TestServer::start().await;
    let mut calls = calls(&server).await;
    calls
        .start_conversation(start("C", "key"))
        .await
        .expect("OK");
    calls.send_message(said("hi")).await.expect("OK");

    let first = calls
        .update_parameters(set("gold"))
        .await
        .expect("OK")
        .into_inner();
    let again = calls
        .update_parameters(set("gold"))
        .await
        .expect("OK")
        .into_inner();
    assert_eq!(first, again);
    assert_reused(calls.update_parameters(set("lead")).await, "command_id");

    let human = || transfer("C", "key", Owner::Human.into());
    let first = calls
        .transfer_conversation(human())
        .await
        .expect("OK")
        .into_inner();
    let again = calls
        .transfer_conversation(human())
        .await
        .expect("OK")
        .into_inner();
    assert_eq!(first, again);
    let other = TransferConversationRequest {
        note: "please".to_owned(),
        ..human()
    };
    assert_reused(calls.transfer_conversation(other).await, "command_id");

    let first: EndConversationResponse = calls
        .end_conversation(end(None))
        .await
        .expect("OK")
        .into_inner();
    let again = calls
        .end_conversation(end(None))
        .await
        .expect("OK")
        .into_inner();
    assert_eq!(first.cursor, again.cursor);
    assert_reused(calls.end_conversation(end(Some(1))).await, "command_id");
}

#[tokio::test]
async fn a_stored_failure_is_answered_again_and_nothing_is_sent() {
    let server = TestServer::start().await;
    let mut calls = calls(&server).await;
    server.platform.next(Behaviour::answer(400, ""));
    let expected = (Code::FailedPrecondition, "AGENT_REJECTED".to_owned());
    for _ in 0..2 {
        assert_eq!(refusal(calls.send_message(said("hi")).await), expected);
    }
    assert_eq!(server.platform.requests().len(), 1);
}

#[tokio::test]
async fn two_calls_with_one_key_at_one_time_do_it_once() {
    let server = TestServer::start().await;
    server.platform.hold();
    let (mut one, mut two) = (calls(&server).await, calls(&server).await);
    let released = async {
        server.platform.wait_for(1).await;
        server.platform.release();
    };
    let (first, second, ()) = tokio::join!(
        one.send_message(said("hi")),
        two.send_message(said("hi")),
        released
    );
    let (first, second) = (
        first.expect("OK").into_inner(),
        second.expect("OK").into_inner(),
    );
    assert_eq!(first, second);
    assert_eq!(server.platform.requests().len(), 1);
}
