//! The contract as any generated client sees it: statuses with their details, metadata, pages, standard services.

mod calls;
mod cursors;
mod errors;
mod lists;
mod repeated;
mod standard;
mod transcripts;

use parloir_client::v1::{
    StartConversationRequest, TransferConversationRequest,
    conversation_service_client::ConversationServiceClient,
};
use tonic::{Code, Status, transport::Channel};
use tonic_types::StatusExt;

use crate::support::server::{ACCOUNT, TestServer};

type Calls = ConversationServiceClient<Channel>;

/// A generated client, with nothing of ours around it.
async fn calls(server: &TestServer) -> Calls {
    Calls::new(channel(server).await)
}

async fn channel(server: &TestServer) -> Channel {
    let address = format!("http://{}", server.app.grpc());
    let endpoint = Channel::from_shared(address).expect("an address");
    endpoint.connect().await.expect("a server that listens")
}

fn start(conversation: &str, command: &str) -> StartConversationRequest {
    StartConversationRequest {
        account: ACCOUNT.to_owned(),
        conversation_id: conversation.to_owned(),
        command_id: command.to_owned(),
        ..StartConversationRequest::default()
    }
}

fn transfer(conversation: &str, command: &str, to: i32) -> TransferConversationRequest {
    TransferConversationRequest {
        account: ACCOUNT.to_owned(),
        conversation_id: conversation.to_owned(),
        command_id: command.to_owned(),
        to,
        ..TransferConversationRequest::default()
    }
}

/// The stable reason, which every error of ours carries.
#[track_caller]
fn reason(status: &Status) -> String {
    let info = status.get_details_error_info();
    let info = info.unwrap_or_else(|| panic!("no ErrorInfo: {status:?}"));
    assert_eq!(info.domain, "parloir");
    info.reason
}

/// The fields that are wrong.
#[track_caller]
fn fields<T: std::fmt::Debug>(answer: Result<T, Status>) -> Vec<String> {
    let status = answer.expect_err("a refusal");
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    assert_eq!(reason(&status), "INVALID_FIELD");
    let wrong = status.get_details_bad_request().expect("a BadRequest");
    let wrong = wrong.field_violations.into_iter();
    wrong.map(|violation| violation.field).collect()
}

/// The code and the reason of a refusal.
#[track_caller]
fn refusal<T: std::fmt::Debug>(answer: Result<T, Status>) -> (Code, String) {
    let status = answer.expect_err("a refusal");
    let reason = reason(&status);
    (status.code(), reason)
}
