//! `parloir.v1.ConversationService`: each method converts, calls a use case, and converts.

use std::{sync::Arc, time::Duration};

use parloir_proto::v1::{
    self,
    conversation_service_server::{ConversationService, ConversationServiceServer},
};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, codec::CompressionEncoding};

use super::{
    call::{Call, identity, time_for},
    calls,
    status::{self, reason},
};
use crate::{
    conversations::Conversations,
    domain::{Error, Result},
    subscriptions::Subscriptions,
};

type Answer<T> = std::result::Result<Response<T>, Status>;

/// What the calls need to know of the configuration.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The longest wait for an outcome before a command answers with the state reached so far.
    pub answer_within: Duration,
    /// The largest request, in bytes, after decompression.
    pub max_message_bytes: usize,
}

/// The unary calls. `stopping` ends the acceptance of new commands; answers to questions that wait are still taken.
pub fn service(
    conversations: Arc<Conversations>,
    subscriptions: Arc<Subscriptions>,
    options: Options,
    stopping: CancellationToken,
) -> ConversationServiceServer<Calls> {
    let calls = Calls {
        conversations,
        subscriptions,
        answer_within: options.answer_within,
        stopping,
    };
    ConversationServiceServer::new(calls)
        .max_decoding_message_size(options.max_message_bytes)
        .accept_compressed(CompressionEncoding::Gzip)
}

/// `parloir.v1.ConversationService`, but for the stream.
#[derive(Debug)]
pub struct Calls {
    conversations: Arc<Conversations>,
    subscriptions: Arc<Subscriptions>,
    answer_within: Duration,
    stopping: CancellationToken,
}

impl Calls {
    /// Takes a call apart, unless the server is stopping.
    fn open<T>(&self, request: Request<T>) -> Result<(Call, T)> {
        still_open(&self.stopping)?;
        self.admit(request)
    }

    fn admit<T>(&self, request: Request<T>) -> Result<(Call, T)> {
        let call = Call::of(request.metadata(), request.extensions(), self.answer_within)?;
        Ok((call, request.into_inner()))
    }

    fn epoch(&self) -> u64 {
        self.conversations.epoch()
    }

    async fn answer<T>(&self, work: impl Future<Output = Result<T>>) -> Answer<T> {
        match work.await {
            Ok(message) => Ok(Response::new(message)),
            Err(error) => Err(status::status(&error, self.epoch())),
        }
    }
}

/// Whether new work is begun. A connection takes calls for a moment longer than the server does.
pub(super) fn still_open(stopping: &CancellationToken) -> Result<()> {
    if stopping.is_cancelled() {
        return Err(Error::Stopping);
    }
    Ok(())
}

#[tonic::async_trait]
impl ConversationService for Calls {
    async fn start_conversation(
        &self,
        request: Request<v1::StartConversationRequest>,
    ) -> Answer<v1::StartConversationResponse> {
        let work = async {
            let (call, message) = self.open(request)?;
            let command = calls::start::command(message)?;
            let started = self.conversations.start(&call.caller, command, call.wait);
            Ok(calls::start::response(&started.await?, self.epoch()))
        };
        self.answer(work).await
    }

    async fn send_message(
        &self,
        request: Request<v1::SendMessageRequest>,
    ) -> Answer<v1::SendMessageResponse> {
        let work = async {
            let (call, message) = self.open(request)?;
            let command = calls::send::command(message)?;
            let sent = self.conversations.send(&call.caller, command, call.wait);
            Ok(calls::send::response(&sent.await?, self.epoch()))
        };
        self.answer(work).await
    }

    async fn update_parameters(
        &self,
        request: Request<v1::UpdateParametersRequest>,
    ) -> Answer<v1::UpdateParametersResponse> {
        let work = async {
            let (call, message) = self.open(request)?;
            let command = calls::update::command(message)?;
            let updated = self
                .conversations
                .update_parameters(&call.caller, command, call.wait);
            Ok(calls::update::response(&updated.await?, self.epoch()))
        };
        self.answer(work).await
    }

    async fn end_conversation(
        &self,
        request: Request<v1::EndConversationRequest>,
    ) -> Answer<v1::EndConversationResponse> {
        let work = async {
            let (call, message) = self.open(request)?;
            let command = calls::end::command(&message)?;
            let ended = self.conversations.end(&call.caller, command, call.wait);
            Ok(calls::end::response(&ended.await?, self.epoch()))
        };
        self.answer(work).await
    }

    type SubscribeEventsStream =
        tokio_stream::Empty<std::result::Result<v1::SubscribeEventsResponse, Status>>;

    /// Streams are framed once for all their readers, which the generated service cannot do: a route of their own
    /// stands before this one.
    async fn subscribe_events(
        &self,
        _request: Request<v1::SubscribeEventsRequest>,
    ) -> Answer<Self::SubscribeEventsStream> {
        let error = Error::Unsupported("streams are served by the streaming route");
        Err(status::status(&error, self.epoch()))
    }

    async fn pull_events(
        &self,
        request: Request<v1::PullEventsRequest>,
    ) -> Answer<v1::PullEventsResponse> {
        let work = async {
            let longest = time_for(request.metadata());
            let (call, message) = self.open(request)?;
            let (hub, tenant) = (&self.conversations.hub, &call.caller.tenant);
            let settings = self.subscriptions.settings();
            match calls::pull::pull(message, tenant, hub, settings, longest)? {
                calls::pull::Pull::Ephemeral(wish, terms) => {
                    let hub = Arc::clone(hub);
                    // Reads the database: goes on even if the caller does not wait.
                    let opening = tokio::spawn(async move { hub.subscribe(wish).await });
                    let opened = opening.await.unwrap_or(Err(Error::Internal))?;
                    calls::pull::take(opened, terms).await
                }
                calls::pull::Pull::Named(membership, terms) => {
                    let key = membership.key.clone();
                    let terms = (membership.max_in_flight, terms.events, terms.wait);
                    let (of, member) = (membership.key, membership.member);
                    let pulling = self
                        .subscriptions
                        .pull(of, member, membership.creation, terms);
                    let pulled = pulling.await?;
                    calls::pull::response(pulled, &key, self.epoch())
                }
            }
        };
        self.answer(work).await
    }

    /// Taken even while the server is stopping: what is done is done.
    async fn ack_events(
        &self,
        request: Request<v1::AckEventsRequest>,
    ) -> Answer<v1::AckEventsResponse> {
        let work = async {
            let (call, message) = self.admit(request)?;
            let (key, acks) = calls::ack::acks(message, &call.caller.tenant, self.epoch())?;
            let acked = self.subscriptions.ack(&key, acks).await?;
            Ok(calls::ack::response(acked))
        };
        self.answer(work).await
    }

    /// Taken even while the server is stopping: the grace is there so that agents that wait get their answer.
    async fn respond_to_agent(
        &self,
        request: Request<v1::RespondToAgentRequest>,
    ) -> Answer<v1::RespondToAgentResponse> {
        let work = async {
            let (call, message) = self.admit(request)?;
            let command = calls::respond::command(message)?;
            let responded = self.conversations.respond(&call.caller, command).await?;
            Ok(calls::respond::response(responded, self.epoch()))
        };
        self.answer(work).await
    }

    async fn set_availability(
        &self,
        request: Request<v1::SetAvailabilityRequest>,
    ) -> Answer<v1::SetAvailabilityResponse> {
        let work = async {
            let (call, message) = self.open(request)?;
            let command = calls::availability::command(message)?;
            let said = self.conversations.set_availability(&call.caller, command);
            Ok(calls::availability::response(said.await?))
        };
        self.answer(work).await
    }

    async fn transfer_conversation(
        &self,
        request: Request<v1::TransferConversationRequest>,
    ) -> Answer<v1::TransferConversationResponse> {
        let work = async {
            let (call, message) = self.open(request)?;
            let command = calls::transfer::command(message)?;
            let transferred = self.conversations.transfer(&call.caller, command).await?;
            Ok(calls::transfer::response(transferred, self.epoch()))
        };
        self.answer(work).await
    }

    async fn send_human_message(
        &self,
        request: Request<v1::SendHumanMessageRequest>,
    ) -> Answer<v1::SendHumanMessageResponse> {
        let work = async {
            let (call, message) = self.open(request)?;
            let command = calls::human::command(message)?;
            let sent = self
                .conversations
                .send_human_message(&call.caller, command, call.wait);
            Ok(calls::human::response(&sent.await?, self.epoch()))
        };
        self.answer(work).await
    }

    async fn get_conversation(
        &self,
        request: Request<v1::GetConversationRequest>,
    ) -> Answer<v1::GetConversationResponse> {
        let work = async {
            let (call, message) = self.open(request)?;
            let (account, id) = calls::get::query(&message)?;
            let found = self.conversations.get(&call.caller, &account, &id).await?;
            Ok(calls::get::response(
                &found,
                call.sees_personal,
                self.epoch(),
            ))
        };
        self.answer(work).await
    }

    async fn list_conversations(
        &self,
        request: Request<v1::ListConversationsRequest>,
    ) -> Answer<v1::ListConversationsResponse> {
        let work = async {
            let (call, message) = self.open(request)?;
            let listing = calls::list::query(message, &call.caller, self.epoch())?;
            let found = self.conversations.list(&call.caller, listing.query.clone());
            Ok(listing.response(found.await?, self.epoch()))
        };
        self.answer(work).await
    }

    async fn list_events(
        &self,
        request: Request<v1::ListEventsRequest>,
    ) -> Answer<v1::ListEventsResponse> {
        let work = async {
            let (call, message) = self.open(request)?;
            let transcript = calls::events::query(message, &call.caller, self.epoch())?;
            let found = self
                .conversations
                .events(&call.caller, transcript.query.clone());
            transcript.response(&found.await?, self.epoch())
        };
        self.answer(work).await
    }

    async fn erase_personal_data(
        &self,
        request: Request<v1::ErasePersonalDataRequest>,
    ) -> Answer<v1::ErasePersonalDataResponse> {
        let work = async {
            let by = identity(request.extensions())?;
            let (call, message) = self.open(request)?;
            let command = calls::erase::command(&message)?;
            let erased = self.conversations.erase(&call.caller, &by, command, reason);
            let erasure = erased.await?;
            Ok(v1::ErasePersonalDataResponse {
                erasure: Some(calls::erase::receipt(&erasure)),
            })
        };
        self.answer(work).await
    }

    async fn get_erasure(
        &self,
        request: Request<v1::GetErasureRequest>,
    ) -> Answer<v1::GetErasureResponse> {
        let work = async {
            let (call, message) = self.open(request)?;
            let receipt_id = calls::erase::receipt_id(&message)?;
            let erasure = self
                .conversations
                .erasure(&call.caller, &receipt_id)
                .await?;
            Ok(v1::GetErasureResponse {
                erasure: Some(calls::erase::receipt(&erasure)),
            })
        };
        self.answer(work).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_stops_begins_nothing_new() {
        let stopping = CancellationToken::new();
        assert_eq!(still_open(&stopping), Ok(()));
        stopping.cancel();
        assert_eq!(still_open(&stopping), Err(Error::Stopping));
    }
}
