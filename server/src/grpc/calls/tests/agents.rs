//! What answers agents: respond, availability, transfer.

use parloir_proto::v1::{
    self, respond_to_agent_request::Answer as Given, set_availability_request::Scope,
};

use super::super::{availability, respond, transfer};
use super::{parameter, wrong};
use crate::domain::Owner;

fn responded(answer: Option<Given>) -> v1::RespondToAgentRequest {
    v1::RespondToAgentRequest {
        request_id: "r-1".into(),
        answer,
        responder: String::new(),
    }
}

fn available(seconds: i64) -> v1::SetAvailabilityRequest {
    v1::SetAvailabilityRequest {
        scope: Some(Scope::Agent("shop".into())),
        publisher: "desk".into(),
        availability: Some(v1::Availability {
            team: String::new(),
            online: true,
            time_to_live: Some(prost_types::Duration { seconds, nanos: 0 }),
        }),
    }
}

fn transferred(to: i32) -> v1::TransferConversationRequest {
    v1::TransferConversationRequest {
        account: "acme".into(),
        conversation_id: "c-1".into(),
        command_id: "k-1".into(),
        to,
        ..v1::TransferConversationRequest::default()
    }
}

#[test]
fn a_response_needs_a_request_and_an_answer() {
    let request = v1::RespondToAgentRequest::default();
    assert_eq!(wrong(respond::command(request)), ["request_id", "answer"]);
}

#[test]
fn results_reasons_and_responders_keep_their_limits() {
    let results = vec![parameter("ok", "v"), parameter("1st", "v")];
    let request = v1::RespondToAgentRequest {
        responder: "a\nb".into(),
        ..responded(Some(Given::ActionResults(v1::ActionResults { results })))
    };
    let expected = ["action_results.results[1].key", "responder"];
    assert_eq!(wrong(respond::command(request)), expected);
    let results = vec![parameter("k", "v"); 101];
    let request = responded(Some(Given::ActionResults(v1::ActionResults { results })));
    assert_eq!(wrong(respond::command(request)), ["action_results.results"]);
    let reason = "x".repeat(513);
    let request = responded(Some(Given::Failure(v1::RequestFailure { reason })));
    assert_eq!(wrong(respond::command(request)), ["failure.reason"]);
}

#[test]
fn an_action_may_be_answered_without_results() {
    let results = v1::ActionResults::default();
    let command = respond::command(responded(Some(Given::ActionResults(results))));
    assert!(command.is_ok());
}

#[test]
fn availability_needs_a_scope_a_publisher_and_a_word() {
    let request = v1::SetAvailabilityRequest::default();
    let expected = ["scope", "publisher", "availability"];
    assert_eq!(wrong(availability::command(request)), expected);
}

#[test]
fn availability_holds_for_a_second_to_a_day() {
    for seconds in [1, 86_400] {
        assert!(
            availability::command(available(seconds)).is_ok(),
            "{seconds}"
        );
    }
    for seconds in [-1, 0, 86_401, i64::MAX] {
        let fields = wrong(availability::command(available(seconds)));
        assert_eq!(fields, ["availability.time_to_live"], "{seconds}");
    }
}

#[test]
fn an_empty_agent_or_account_is_no_scope() {
    for (scope, field) in [
        (Scope::Agent(String::new()), "agent"),
        (Scope::Account(String::new()), "account"),
    ] {
        let request = v1::SetAvailabilityRequest {
            scope: Some(scope),
            ..available(60)
        };
        assert_eq!(wrong(availability::command(request)), [field]);
    }
}

#[test]
fn a_conversation_goes_to_the_agent_or_to_a_human_only() {
    for to in [v1::Owner::Agent, v1::Owner::Human] {
        assert!(transfer::command(transferred(to.into())).is_ok());
    }
    for to in [0, 3, 4, 5, -1, i32::MAX] {
        assert_eq!(wrong(transfer::command(transferred(to))), ["to"], "{to}");
    }
}

#[test]
fn a_note_has_four_thousand_characters_at_most() {
    let request = |note: String| v1::TransferConversationRequest {
        note,
        ..transferred(1)
    };
    let command = transfer::command(request("é\n".repeat(2000))).expect("fits");
    assert_eq!(command.to, Owner::Agent);
    for bad in ["x".repeat(4001), "a\0b".to_owned()] {
        assert_eq!(wrong(transfer::command(request(bad))), ["note"]);
    }
}
