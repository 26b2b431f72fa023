//! Every call of `AdminService`, with the message of the contract.
//!
//! Calls that read, that pause, resume or revoke are repeated as others are. What makes, changes, deletes or rotates is
//! tried once: those calls carry no idempotency key, so a second try would be refused, or worse, done on top of the first.
//! When no answer came, read the object and decide.

use parloir_proto::v1::{
    AdminServiceListAccountsRequest, AdminServiceListAccountsResponse, CreateAccountRequest,
    CreateAccountResponse, CreateAgentRequest, CreateAgentResponse, CreateCallerRequest,
    CreateCallerResponse, CreateKeyRequest, CreateKeyResponse, CreateSourceRequest,
    CreateSourceResponse, DeleteAccountRequest, DeleteAccountResponse, DeleteAgentRequest,
    DeleteAgentResponse, DeleteCallerRequest, DeleteCallerResponse, DeleteSourceRequest,
    DeleteSourceResponse, GetAccountRequest, GetAccountResponse, GetAgentRequest, GetAgentResponse,
    GetCallerRequest, GetCallerResponse, GetSourceRequest, GetSourceResponse, ListAgentsRequest,
    ListAgentsResponse, ListAuditEntriesRequest, ListAuditEntriesResponse, ListCallersRequest,
    ListCallersResponse, ListKeysRequest, ListKeysResponse, ListSourcesRequest,
    ListSourcesResponse, PauseAgentRequest, PauseAgentResponse, ResumeAgentRequest,
    ResumeAgentResponse, RevokeKeyRequest, RevokeKeyResponse, RotateSecretRequest,
    RotateSecretResponse, TestAgentRequest, TestAgentResponse, UpdateAccountRequest,
    UpdateAccountResponse, UpdateAgentRequest, UpdateAgentResponse, UpdateCallerRequest,
    UpdateCallerResponse, UpdateSourceRequest, UpdateSourceResponse, VerifyAuditLogRequest,
    VerifyAuditLogResponse,
};

use crate::{Client, Error, client::Repeat};

impl Client {
    /// Makes an agent. Made paused, it takes no visitors until [`Self::resume_agent`].
    pub async fn create_agent(
        &self,
        request: CreateAgentRequest,
    ) -> Result<CreateAgentResponse, Error> {
        self.on_admin(Repeat::Never, request, |mut calls, request| async move {
            calls.create_agent(request).await
        })
        .await
    }

    /// Reads an agent.
    pub async fn get_agent(&self, request: GetAgentRequest) -> Result<GetAgentResponse, Error> {
        self.on_admin(Repeat::Safe, request, |mut calls, request| async move {
            calls.get_agent(request).await
        })
        .await
    }

    /// Reads one page of the agents.
    pub async fn list_agents(
        &self,
        request: ListAgentsRequest,
    ) -> Result<ListAgentsResponse, Error> {
        self.on_admin(Repeat::Safe, request, |mut calls, request| async move {
            calls.list_agents(request).await
        })
        .await
    }

    /// Changes an agent.
    pub async fn update_agent(
        &self,
        request: UpdateAgentRequest,
    ) -> Result<UpdateAgentResponse, Error> {
        self.on_admin(Repeat::Never, request, |mut calls, request| async move {
            calls.update_agent(request).await
        })
        .await
    }

    /// Deletes an agent.
    pub async fn delete_agent(
        &self,
        request: DeleteAgentRequest,
    ) -> Result<DeleteAgentResponse, Error> {
        self.on_admin(Repeat::Never, request, |mut calls, request| async move {
            calls.delete_agent(request).await
        })
        .await
    }

    /// Pauses an agent.
    pub async fn pause_agent(
        &self,
        request: PauseAgentRequest,
    ) -> Result<PauseAgentResponse, Error> {
        self.on_admin(Repeat::Safe, request, |mut calls, request| async move {
            calls.pause_agent(request).await
        })
        .await
    }

    /// Lets a paused agent work.
    pub async fn resume_agent(
        &self,
        request: ResumeAgentRequest,
    ) -> Result<ResumeAgentResponse, Error> {
        self.on_admin(Repeat::Safe, request, |mut calls, request| async move {
            calls.resume_agent(request).await
        })
        .await
    }

    /// Asks the agent's platform whether it takes the agent's credentials. Every try is in the audit log.
    pub async fn test_agent(&self, request: TestAgentRequest) -> Result<TestAgentResponse, Error> {
        self.on_admin(Repeat::Never, request, |mut calls, request| async move {
            calls.test_agent(request).await
        })
        .await
    }

    /// Makes an account.
    pub async fn create_account(
        &self,
        request: CreateAccountRequest,
    ) -> Result<CreateAccountResponse, Error> {
        self.on_admin(Repeat::Never, request, |mut calls, request| async move {
            calls.create_account(request).await
        })
        .await
    }

    /// Reads an account.
    pub async fn get_account(
        &self,
        request: GetAccountRequest,
    ) -> Result<GetAccountResponse, Error> {
        self.on_admin(Repeat::Safe, request, |mut calls, request| async move {
            calls.get_account(request).await
        })
        .await
    }

    /// Reads one page of the accounts, with what `AdminService` knows of them. [`Self::list_accounts`] is for backends.
    pub async fn list_administrated_accounts(
        &self,
        request: AdminServiceListAccountsRequest,
    ) -> Result<AdminServiceListAccountsResponse, Error> {
        self.on_admin(Repeat::Safe, request, |mut calls, request| async move {
            calls.list_accounts(request).await
        })
        .await
    }

    /// Changes an account.
    pub async fn update_account(
        &self,
        request: UpdateAccountRequest,
    ) -> Result<UpdateAccountResponse, Error> {
        self.on_admin(Repeat::Never, request, |mut calls, request| async move {
            calls.update_account(request).await
        })
        .await
    }

    /// Deletes an account.
    pub async fn delete_account(
        &self,
        request: DeleteAccountRequest,
    ) -> Result<DeleteAccountResponse, Error> {
        self.on_admin(Repeat::Never, request, |mut calls, request| async move {
            calls.delete_account(request).await
        })
        .await
    }

    /// Makes a source. It brings no visitors until an account names it.
    pub async fn create_source(
        &self,
        request: CreateSourceRequest,
    ) -> Result<CreateSourceResponse, Error> {
        self.on_admin(Repeat::Never, request, |mut calls, request| async move {
            calls.create_source(request).await
        })
        .await
    }

    /// Reads a source.
    pub async fn get_source(&self, request: GetSourceRequest) -> Result<GetSourceResponse, Error> {
        self.on_admin(Repeat::Safe, request, |mut calls, request| async move {
            calls.get_source(request).await
        })
        .await
    }

    /// Reads one page of the sources.
    pub async fn list_sources(
        &self,
        request: ListSourcesRequest,
    ) -> Result<ListSourcesResponse, Error> {
        self.on_admin(Repeat::Safe, request, |mut calls, request| async move {
            calls.list_sources(request).await
        })
        .await
    }

    /// Changes a source.
    pub async fn update_source(
        &self,
        request: UpdateSourceRequest,
    ) -> Result<UpdateSourceResponse, Error> {
        self.on_admin(Repeat::Never, request, |mut calls, request| async move {
            calls.update_source(request).await
        })
        .await
    }

    /// Deletes a source.
    pub async fn delete_source(
        &self,
        request: DeleteSourceRequest,
    ) -> Result<DeleteSourceResponse, Error> {
        self.on_admin(Repeat::Never, request, |mut calls, request| async move {
            calls.delete_source(request).await
        })
        .await
    }

    /// Puts a new secret in the place of one. Done twice, the former one would be lost.
    pub async fn rotate_secret(
        &self,
        request: RotateSecretRequest,
    ) -> Result<RotateSecretResponse, Error> {
        self.on_admin(Repeat::Never, request, |mut calls, request| async move {
            calls.rotate_secret(request).await
        })
        .await
    }

    /// Makes a caller. The key follows by [`Self::create_key`].
    pub async fn create_caller(
        &self,
        request: CreateCallerRequest,
    ) -> Result<CreateCallerResponse, Error> {
        self.on_admin(Repeat::Never, request, |mut calls, request| async move {
            calls.create_caller(request).await
        })
        .await
    }

    /// Reads a caller.
    pub async fn get_caller(&self, request: GetCallerRequest) -> Result<GetCallerResponse, Error> {
        self.on_admin(Repeat::Safe, request, |mut calls, request| async move {
            calls.get_caller(request).await
        })
        .await
    }

    /// Reads one page of the callers.
    pub async fn list_callers(
        &self,
        request: ListCallersRequest,
    ) -> Result<ListCallersResponse, Error> {
        self.on_admin(Repeat::Safe, request, |mut calls, request| async move {
            calls.list_callers(request).await
        })
        .await
    }

    /// Changes a caller.
    pub async fn update_caller(
        &self,
        request: UpdateCallerRequest,
    ) -> Result<UpdateCallerResponse, Error> {
        self.on_admin(Repeat::Never, request, |mut calls, request| async move {
            calls.update_caller(request).await
        })
        .await
    }

    /// Deletes a caller.
    pub async fn delete_caller(
        &self,
        request: DeleteCallerRequest,
    ) -> Result<DeleteCallerResponse, Error> {
        self.on_admin(Repeat::Never, request, |mut calls, request| async move {
            calls.delete_caller(request).await
        })
        .await
    }

    /// Makes a key for a caller and tells its text, this once. When no answer comes there may be a key all the same:
    /// [`Self::list_keys`] shows it, [`Self::revoke_key`] ends it.
    pub async fn create_key(&self, request: CreateKeyRequest) -> Result<CreateKeyResponse, Error> {
        self.on_admin(Repeat::Never, request, |mut calls, request| async move {
            calls.create_key(request).await
        })
        .await
    }

    /// Reads one page of a caller's keys.
    pub async fn list_keys(&self, request: ListKeysRequest) -> Result<ListKeysResponse, Error> {
        self.on_admin(Repeat::Safe, request, |mut calls, request| async move {
            calls.list_keys(request).await
        })
        .await
    }

    /// Revokes a key.
    pub async fn revoke_key(&self, request: RevokeKeyRequest) -> Result<RevokeKeyResponse, Error> {
        self.on_admin(Repeat::Safe, request, |mut calls, request| async move {
            calls.revoke_key(request).await
        })
        .await
    }

    /// Reads one page of what administrators did and were refused, newest first.
    pub async fn list_audit_entries(
        &self,
        request: ListAuditEntriesRequest,
    ) -> Result<ListAuditEntriesResponse, Error> {
        self.on_admin(Repeat::Safe, request, |mut calls, request| async move {
            calls.list_audit_entries(request).await
        })
        .await
    }

    /// Checks that the record of acts is as it was written.
    pub async fn verify_audit_log(
        &self,
        request: VerifyAuditLogRequest,
    ) -> Result<VerifyAuditLogResponse, Error> {
        self.on_admin(Repeat::Safe, request, |mut calls, request| async move {
            calls.verify_audit_log(request).await
        })
        .await
    }
}
