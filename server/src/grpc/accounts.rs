//! `parloir.v1.AccountService`: what ties accounts, agents and sources together.

use std::sync::Arc;

use parloir_proto::v1::{
    self,
    account_service_server::{AccountService, AccountServiceServer},
};
use tonic::{Request, Response, Status, codec::CompressionEncoding};

use super::{
    call::Call,
    calls::contacts,
    service::{Options, still_open},
    status,
};
use crate::{
    conversations::{Caller, Conversations},
    domain::Result,
};
use tokio_util::sync::CancellationToken;

type Answer<T> = std::result::Result<Response<T>, Status>;

/// The service. `stopping` ends the acceptance of calls.
pub fn accounts(
    conversations: Arc<Conversations>,
    options: Options,
    stopping: CancellationToken,
) -> AccountServiceServer<Accounts> {
    let accounts = Accounts {
        conversations,
        options,
        stopping,
    };
    AccountServiceServer::new(accounts)
        .max_decoding_message_size(options.max_message_bytes)
        .accept_compressed(CompressionEncoding::Gzip)
}

/// `parloir.v1.AccountService`.
#[derive(Debug)]
pub struct Accounts {
    conversations: Arc<Conversations>,
    options: Options,
    stopping: CancellationToken,
}

impl Accounts {
    fn open<T>(&self, request: Request<T>) -> Result<(Caller, T)> {
        still_open(&self.stopping)?;
        let call = Call::of(
            request.metadata(),
            request.extensions(),
            self.options.answer_within,
        )?;
        Ok((call.caller, request.into_inner()))
    }

    async fn answer<T>(&self, work: impl Future<Output = Result<T>>) -> Answer<T> {
        match work.await {
            Ok(message) => Ok(Response::new(message)),
            Err(error) => Err(status::status(&error, self.conversations.epoch())),
        }
    }
}

#[tonic::async_trait]
impl AccountService for Accounts {
    async fn list_accounts(
        &self,
        request: Request<v1::ListAccountsRequest>,
    ) -> Answer<v1::ListAccountsResponse> {
        let work = async {
            let (caller, _) = self.open(request)?;
            Ok(contacts::accounts(
                &self.conversations.live.directory(),
                &caller,
            ))
        };
        self.answer(work).await
    }

    async fn list_contacts(
        &self,
        request: Request<v1::ListContactsRequest>,
    ) -> Answer<v1::ListContactsResponse> {
        let work = async {
            let (caller, message) = self.open(request)?;
            let listing = contacts::query(message, &caller, self.conversations.epoch())?;
            let found = self.conversations.contacts(&caller, listing.query.clone());
            Ok(listing.response(found.await?))
        };
        self.answer(work).await
    }

    async fn link_contact(
        &self,
        request: Request<v1::LinkContactRequest>,
    ) -> Answer<v1::LinkContactResponse> {
        let work = async {
            let (caller, message) = self.open(request)?;
            let (account, contact_id, conversation_id) = contacts::link(&message)?;
            let linked = self
                .conversations
                .link_contact(&caller, &account, &contact_id, &conversation_id)
                .await?;
            Ok(v1::LinkContactResponse {
                contact: Some(contacts::contact(&linked)),
            })
        };
        self.answer(work).await
    }
}
