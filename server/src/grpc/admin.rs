//! `parloir.v1.AdminService`: each method converts, calls a use case, and converts.

mod accounts;
mod acts;
mod callers;
mod objects;
mod pages;
mod secrets;
mod subscriptions;
mod values;

use std::{sync::Arc, time::Duration};

use parloir_proto::v1::{
    self,
    admin_service_server::{AdminService, AdminServiceServer},
};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, codec::CompressionEncoding};

use super::{
    call::{identity, time_for},
    service::{Options, still_open},
    status,
};
use crate::{
    admin::{Admin, Kind},
    domain::{Identity, Result},
    subscriptions::Subscriptions,
};

type Answer<T> = std::result::Result<Response<T>, Status>;

/// The service. `epoch` is the database's; `stopping` ends the acceptance of calls.
pub fn admin(
    admin: Arc<Admin>,
    subscriptions: Arc<Subscriptions>,
    epoch: u64,
    options: Options,
    stopping: CancellationToken,
) -> AdminServiceServer<Administration> {
    let administration = Administration {
        admin,
        subscriptions,
        epoch,
        stopping,
    };
    AdminServiceServer::new(administration)
        .max_decoding_message_size(options.max_message_bytes)
        .accept_compressed(CompressionEncoding::Gzip)
}

/// `parloir.v1.AdminService`.
#[derive(Debug)]
pub struct Administration {
    admin: Arc<Admin>,
    subscriptions: Arc<Subscriptions>,
    epoch: u64,
    stopping: CancellationToken,
}

/// One call of an administrator's.
pub(super) struct Door<'a> {
    pub admin: &'a Arc<Admin>,
    pub subscriptions: &'a Arc<Subscriptions>,
    pub identity: Identity,
    /// How long the call may take.
    pub longest: Duration,
    pub epoch: u64,
}

impl Administration {
    async fn answer<T, R>(
        &self,
        request: Request<T>,
        work: impl AsyncFnOnce(Door<'_>, T) -> Result<R>,
    ) -> Answer<R> {
        let answered = async {
            still_open(&self.stopping)?;
            let door = Door {
                admin: &self.admin,
                subscriptions: &self.subscriptions,
                identity: identity(request.extensions())?,
                longest: time_for(request.metadata()),
                epoch: self.epoch,
            };
            work(door, request.into_inner()).await
        };
        match answered.await {
            Ok(message) => Ok(Response::new(message)),
            Err(error) => Err(status::status(&error, self.epoch)),
        }
    }
}

/// Writes one method: it hands its message over to the function that answers it.
macro_rules! methods {
    ($($method:ident($request:ident) -> $response:ident = $work:expr;)+) => {
        #[tonic::async_trait]
        impl AdminService for Administration {
            $(
                async fn $method(&self, request: Request<v1::$request>) -> Answer<v1::$response> {
                    self.answer(request, $work).await
                }
            )+
        }
    };
}

methods! {
    create_agent(CreateAgentRequest) -> CreateAgentResponse = objects::create_agent;
    get_agent(GetAgentRequest) -> GetAgentResponse = objects::get_agent;
    list_agents(ListAgentsRequest) -> ListAgentsResponse = objects::list_agents;
    update_agent(UpdateAgentRequest) -> UpdateAgentResponse = objects::update_agent;
    delete_agent(DeleteAgentRequest) -> DeleteAgentResponse = async |door, message| {
        objects::delete(door, Kind::Agent, &message.name, &message.etag).await?;
        Ok(v1::DeleteAgentResponse {})
    };
    pause_agent(PauseAgentRequest) -> PauseAgentResponse = async |door, message| {
        let agent = Some(objects::pause(door, &message.name, true).await?);
        Ok(v1::PauseAgentResponse { agent })
    };
    resume_agent(ResumeAgentRequest) -> ResumeAgentResponse = async |door, message| {
        let agent = Some(objects::pause(door, &message.name, false).await?);
        Ok(v1::ResumeAgentResponse { agent })
    };
    test_agent(TestAgentRequest) -> TestAgentResponse = objects::test_agent;
    create_account(CreateAccountRequest) -> CreateAccountResponse = accounts::create;
    get_account(GetAccountRequest) -> GetAccountResponse = accounts::get;
    list_accounts(AdminServiceListAccountsRequest) -> AdminServiceListAccountsResponse = accounts::list;
    update_account(UpdateAccountRequest) -> UpdateAccountResponse = accounts::update;
    delete_account(DeleteAccountRequest) -> DeleteAccountResponse = accounts::delete;
    create_source(CreateSourceRequest) -> CreateSourceResponse = objects::create_source;
    get_source(GetSourceRequest) -> GetSourceResponse = objects::get_source;
    list_sources(ListSourcesRequest) -> ListSourcesResponse = objects::list_sources;
    update_source(UpdateSourceRequest) -> UpdateSourceResponse = objects::update_source;
    delete_source(DeleteSourceRequest) -> DeleteSourceResponse = async |door, message| {
        objects::delete(door, Kind::Source, &message.name, &message.etag).await?;
        Ok(v1::DeleteSourceResponse {})
    };
    rotate_secret(RotateSecretRequest) -> RotateSecretResponse = secrets::rotate;
    create_caller(CreateCallerRequest) -> CreateCallerResponse = callers::create;
    get_caller(GetCallerRequest) -> GetCallerResponse = callers::get;
    list_callers(ListCallersRequest) -> ListCallersResponse = callers::list;
    update_caller(UpdateCallerRequest) -> UpdateCallerResponse = callers::update;
    delete_caller(DeleteCallerRequest) -> DeleteCallerResponse = callers::delete;
    create_key(CreateKeyRequest) -> CreateKeyResponse = callers::create_key;
    list_keys(ListKeysRequest) -> ListKeysResponse = callers::list_keys;
    revoke_key(RevokeKeyRequest) -> RevokeKeyResponse = callers::revoke_key;
    list_audit_entries(ListAuditEntriesRequest) -> ListAuditEntriesResponse = acts::list;
    verify_audit_log(VerifyAuditLogRequest) -> VerifyAuditLogResponse = acts::verify;
    create_subscription(CreateSubscriptionRequest) -> CreateSubscriptionResponse = subscriptions::create;
    get_subscription(GetSubscriptionRequest) -> GetSubscriptionResponse = subscriptions::get;
    list_subscriptions(ListSubscriptionsRequest) -> ListSubscriptionsResponse = subscriptions::list;
    update_subscription(UpdateSubscriptionRequest) -> UpdateSubscriptionResponse = subscriptions::update;
    delete_subscription(DeleteSubscriptionRequest) -> DeleteSubscriptionResponse = subscriptions::delete;
    list_parked_events(ListParkedEventsRequest) -> ListParkedEventsResponse = subscriptions::parked;
    redrive_parked_events(RedriveParkedEventsRequest) -> RedriveParkedEventsResponse = subscriptions::redrive;
    move_subscription(MoveSubscriptionRequest) -> MoveSubscriptionResponse = subscriptions::move_to;
}
