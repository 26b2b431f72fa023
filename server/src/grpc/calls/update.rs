//! `UpdateParameters`.

use parloir_proto::v1;

use super::super::{checks::Checks, view};
use crate::{
    conversations::{UpdateParameters, Updated},
    domain::Result,
};

pub(in crate::grpc) fn command(request: v1::UpdateParametersRequest) -> Result<UpdateParameters> {
    let mut checks = Checks::default();
    let account = checks.id("account", &request.account);
    let conversation_id = checks.id("conversation_id", &request.conversation_id);
    let command_id = checks.id("command_id", &request.command_id);
    if request.parameters.is_empty() {
        checks.wrong("parameters", "must not be empty");
    }
    let parameters = checks.parameters("parameters", request.parameters);
    checks.finish(|| {
        Some(UpdateParameters {
            account: account?,
            conversation_id: conversation_id?,
            command_id: command_id?,
            parameters: parameters?,
        })
    })
}

pub(in crate::grpc) fn response(updated: &Updated, epoch: u64) -> v1::UpdateParametersResponse {
    v1::UpdateParametersResponse {
        delivery: updated.delivery.as_ref().map(view::delivery),
        cursor: view::cursor(updated.position, epoch),
    }
}
