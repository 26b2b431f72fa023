//! Every refusal tells a program what it needs: a reason, the fields, the resource, what moved.

use parloir_client::v1::{
    EndConversationRequest, GetConversationRequest, ListConversationsRequest, ListEventsRequest,
    Owner, RespondToAgentRequest, SendMessageRequest, SetAvailabilityRequest,
    StartConversationRequest, TransferConversationRequest, UpdateParametersRequest,
    send_message_request::Content, set_availability_request::Scope,
};
use tonic::Code;
use tonic_types::StatusExt;

use super::{calls, fields, reason, refusal, start, transfer};
use crate::support::{
    platform::Behaviour,
    server::{ACCOUNT, AGENT, TestServer, message, parameter},
};

#[tokio::test]
async fn an_empty_request_is_told_all_that_it_misses() {
    let server = TestServer::start().await;
    let mut calls = calls(&server).await;
    let ids = ["account", "conversation_id", "command_id"];

    let empty = StartConversationRequest::default();
    let answer = calls.start_conversation(empty).await;
    assert_eq!(fields(answer), ["account", "command_id"]);
    let empty = SendMessageRequest::default();
    let expected = ["account", "conversation_id", "message_id", "content"];
    assert_eq!(fields(calls.send_message(empty).await), expected);
    let empty = UpdateParametersRequest::default();
    let answer = calls.update_parameters(empty).await;
    assert_eq!(fields(answer), [&ids[..], &["parameters"]].concat());
    let empty = EndConversationRequest::default();
    assert_eq!(fields(calls.end_conversation(empty).await), ids);
    let empty = TransferConversationRequest::default();
    let answer = calls.transfer_conversation(empty).await;
    assert_eq!(fields(answer), [&ids[..], &["to"]].concat());
    let empty = RespondToAgentRequest::default();
    let answer = calls.respond_to_agent(empty).await;
    assert_eq!(fields(answer), ["request_id", "answer"]);
    let empty = SetAvailabilityRequest::default();
    let answer = calls.set_availability(empty).await;
    assert_eq!(fields(answer), ["scope", "publisher", "availability"]);
    let empty = GetConversationRequest::default();
    assert_eq!(fields(calls.get_conversation(empty).await), ids[..2]);
    let empty = ListEventsRequest::default();
    assert_eq!(fields(calls.list_events(empty).await), ids[..2]);
    assert!(server.platform.requests().is_empty());
}

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once_by_its_path() {
    let server = TestServer::start().await;
    let request = SendMessageRequest {
        account: "x".repeat(257),
        content: Some(Content::Text(" ".to_owned())),
        parameters: vec![
            parameter("fine", "v", false),
            parameter("no name", "a\0b", false),
        ],
        ..message("C\0", "m")
    };
    let answer = calls(&server).await.send_message(request).await;
    let expected = [
        "account",
        "conversation_id",
        "text",
        "parameters[1].key",
        "parameters[1].value",
    ];
    assert_eq!(fields(answer), expected);
}

#[tokio::test]
async fn what_was_refused_left_no_trace() {
    let server = TestServer::start().await;
    let mut calls = calls(&server).await;
    fields(calls.send_message(message("C", "m")).await);
    let get = GetConversationRequest {
        account: ACCOUNT.to_owned(),
        conversation_id: "C".to_owned(),
    };
    let expected = (Code::NotFound, "CONVERSATION_NOT_FOUND".to_owned());
    assert_eq!(refusal(calls.get_conversation(get).await), expected);
}

#[tokio::test]
async fn values_that_the_contract_does_not_know_are_refused() {
    let server = TestServer::start().await;
    let mut calls = calls(&server).await;
    calls.start_conversation(start("C", "s")).await.expect("OK");
    let answer = calls.transfer_conversation(transfer("C", "t", 99)).await;
    assert_eq!(fields(answer), ["to"]);
    let list = ListConversationsRequest {
        owners: vec![Owner::Agent.into(), 99],
        session_states: vec![-1],
        ..ListConversationsRequest::default()
    };
    let answer = calls.list_conversations(list).await;
    assert_eq!(fields(answer), ["owners[1]", "session_states[0]"]);
    let list = ListEventsRequest {
        account: ACCOUNT.to_owned(),
        conversation_id: "C".to_owned(),
        kinds: vec![0],
        ..ListEventsRequest::default()
    };
    assert_eq!(fields(calls.list_events(list).await), ["kinds[0]"]);
}

#[tokio::test]
async fn what_is_not_there_is_named_as_a_resource() {
    let server = TestServer::start().await;
    let mut calls = calls(&server).await;
    let request = StartConversationRequest {
        account: "nobody".to_owned(),
        ..start("C", "s")
    };
    let status = calls
        .start_conversation(request)
        .await
        .expect_err("unknown");
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (Code::NotFound, "ACCOUNT_NOT_FOUND")
    );
    let resource = status.get_details_resource_info().expect("ResourceInfo");
    assert_eq!(resource.resource_type, "account");
    assert_eq!(resource.resource_name, "nobody");

    let unknown = |scope| SetAvailabilityRequest {
        scope: Some(scope),
        publisher: "desk".to_owned(),
        availability: Some(parloir_client::v1::Availability {
            team: String::new(),
            online: true,
            time_to_live: Some("60s".parse().expect("a span")),
        }),
    };
    for (scope, reason) in [
        (Scope::Agent("nobody".to_owned()), "AGENT_NOT_FOUND"),
        (Scope::Account(AGENT.to_owned()), "ACCOUNT_NOT_FOUND"),
    ] {
        let answer = calls.set_availability(unknown(scope)).await;
        assert_eq!(refusal(answer), (Code::NotFound, reason.to_owned()));
    }
}

#[tokio::test]
async fn what_moved_is_told_with_its_present_value() {
    let server = TestServer::start().await;
    let mut calls = calls(&server).await;
    calls.start_conversation(start("C", "s")).await.expect("OK");
    let end = EndConversationRequest {
        account: ACCOUNT.to_owned(),
        conversation_id: "C".to_owned(),
        command_id: "e".to_owned(),
        expected_session: Some(7),
    };
    let status = calls.end_conversation(end).await.expect_err("moved");
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (Code::Aborted, "SESSION_MOVED")
    );
    let metadata = status.get_details_error_info().expect("ErrorInfo").metadata;
    assert_eq!(
        (metadata["expected"].as_str(), metadata["actual"].as_str()),
        ("7", "1")
    );

    let request = TransferConversationRequest {
        expected_owner_epoch: Some(9),
        ..transfer("C", "t", Owner::Human.into())
    };
    let status = calls
        .transfer_conversation(request)
        .await
        .expect_err("moved");
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (Code::Aborted, "OWNER_EPOCH_MOVED")
    );
    let state = status.get_details_precondition_failure().expect("a state");
    assert_eq!(state.violations[0].subject, "expected_owner_epoch");
}

#[tokio::test]
async fn a_refusal_of_the_agent_is_a_failed_precondition_with_its_own_reason() {
    let server = TestServer::start().await;
    let mut calls = calls(&server).await;
    for (status, expected) in [
        (400, "AGENT_REJECTED"),
        (401, "AGENT_CREDENTIALS_REJECTED"),
        (403, "AGENT_CREDENTIALS_REJECTED"),
        (404, "AGENT_NOT_FOUND_UPSTREAM"),
    ] {
        server.platform.next(Behaviour::answer(status, ""));
        let name = format!("C-{status}");
        let answer = calls.start_conversation(start(&name, &name)).await;
        let expected = (Code::FailedPrecondition, expected.to_owned());
        assert_eq!(refusal(answer), expected, "{status}");
    }
}

#[tokio::test]
async fn a_request_above_the_limit_is_told_the_limit() {
    let server = TestServer::start().await;
    let request = SendMessageRequest {
        content: Some(Content::Text("x".repeat(256 * 1024))),
        ..message("C", "m")
    };
    let answer = calls(&server).await.send_message(request).await;
    let status = answer.expect_err("too large");
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (Code::ResourceExhausted, "LIMIT_REACHED")
    );
    let quota = status.get_details_quota_failure().expect("QuotaFailure");
    assert_eq!(quota.violations[0].subject, "max_message_bytes");
}
