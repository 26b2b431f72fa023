//! Every unary call of the contract, with the message of the contract.
//!
//! All of them keep the deadline of [`Builder::deadline`](crate::Builder::deadline) and are repeated while the server
//! answers UNAVAILABLE, which the idempotency key in the request makes safe.

use parloir_proto::v1::{
    AckEventsRequest, AckEventsResponse, EndConversationRequest, EndConversationResponse,
    ErasePersonalDataRequest, ErasePersonalDataResponse, GetConversationRequest,
    GetConversationResponse, GetErasureRequest, GetErasureResponse, LinkContactRequest,
    LinkContactResponse, ListAccountsRequest, ListAccountsResponse, ListContactsRequest,
    ListContactsResponse, ListConversationsRequest, ListConversationsResponse, ListEventsRequest,
    ListEventsResponse, PullEventsRequest, PullEventsResponse, RespondToAgentRequest,
    RespondToAgentResponse, SendHumanMessageRequest, SendHumanMessageResponse, SendMessageRequest,
    SendMessageResponse, SetAvailabilityRequest, SetAvailabilityResponse, StartConversationRequest,
    StartConversationResponse, TransferConversationRequest, TransferConversationResponse,
    UpdateParametersRequest, UpdateParametersResponse,
};

use crate::{Client, Error};

impl Client {
    /// Opens a conversation or resumes it. Without a `command_id` a repeat resumes it once more, which adds an event.
    pub async fn start_conversation(
        &self,
        request: StartConversationRequest,
    ) -> Result<StartConversationResponse, Error> {
        self.unary(request, |mut calls, request| async move {
            calls.start_conversation(request).await
        })
        .await
    }

    /// Sends a visitor's words or choice. With `resend` it is tried once only: whether a second try is worth the
    /// risk that the agent sees the message twice is the caller's to say.
    pub async fn send_message(
        &self,
        request: SendMessageRequest,
    ) -> Result<SendMessageResponse, Error> {
        if request.resend {
            return self
                .unary_times(1, request, |mut calls, request| async move {
                    calls.send_message(request).await
                })
                .await;
        }
        self.unary(request, |mut calls, request| async move {
            calls.send_message(request).await
        })
        .await
    }

    /// Sets session parameters without a message.
    pub async fn update_parameters(
        &self,
        request: UpdateParametersRequest,
    ) -> Result<UpdateParametersResponse, Error> {
        self.unary(request, |mut calls, request| async move {
            calls.update_parameters(request).await
        })
        .await
    }

    /// Ends the session.
    pub async fn end_conversation(
        &self,
        request: EndConversationRequest,
    ) -> Result<EndConversationResponse, Error> {
        self.unary(request, |mut calls, request| async move {
            calls.end_conversation(request).await
        })
        .await
    }

    /// Answers a question of the agent. When the answer to a first try was lost on its way, the repeat is answered
    /// DUPLICATE instead of ACCEPTED.
    pub async fn respond_to_agent(
        &self,
        request: RespondToAgentRequest,
    ) -> Result<RespondToAgentResponse, Error> {
        self.unary(request, |mut calls, request| async move {
            calls.respond_to_agent(request).await
        })
        .await
    }

    /// Takes events, or waits for them. Tried once: what an answer that was lost held comes again by itself.
    pub async fn pull_events(
        &self,
        request: PullEventsRequest,
    ) -> Result<PullEventsResponse, Error> {
        self.unary_times(1, request, |mut calls, request| async move {
            calls.pull_events(request).await
        })
        .await
    }

    /// Says what became of events of a named subscription. Said twice, the second time is answered `DONE_BEFORE`.
    pub async fn ack_events(&self, request: AckEventsRequest) -> Result<AckEventsResponse, Error> {
        self.unary(request, |mut calls, request| async move {
            calls.ack_events(request).await
        })
        .await
    }

    /// Publishes whether a team is online.
    pub async fn set_availability(
        &self,
        request: SetAvailabilityRequest,
    ) -> Result<SetAvailabilityResponse, Error> {
        self.unary(request, |mut calls, request| async move {
            calls.set_availability(request).await
        })
        .await
    }

    /// Changes who answers the visitor.
    pub async fn transfer_conversation(
        &self,
        request: TransferConversationRequest,
    ) -> Result<TransferConversationResponse, Error> {
        self.unary(request, |mut calls, request| async move {
            calls.transfer_conversation(request).await
        })
        .await
    }

    /// Lets the human side speak to the visitor.
    pub async fn send_human_message(
        &self,
        request: SendHumanMessageRequest,
    ) -> Result<SendHumanMessageResponse, Error> {
        self.unary(request, |mut calls, request| async move {
            calls.send_human_message(request).await
        })
        .await
    }

    /// Lists the accounts, each with its agent and its source.
    pub async fn list_accounts(
        &self,
        request: ListAccountsRequest,
    ) -> Result<ListAccountsResponse, Error> {
        self.on_accounts(request, |mut calls, request| async move {
            calls.list_accounts(request).await
        })
        .await
    }

    /// Reads one page of the visitors whom a source has brought.
    pub async fn list_contacts(
        &self,
        request: ListContactsRequest,
    ) -> Result<ListContactsResponse, Error> {
        self.on_accounts(request, |mut calls, request| async move {
            calls.list_contacts(request).await
        })
        .await
    }

    /// Says which conversation a visitor of a source has from now on.
    pub async fn link_contact(
        &self,
        request: LinkContactRequest,
    ) -> Result<LinkContactResponse, Error> {
        self.on_accounts(request, |mut calls, request| async move {
            calls.link_contact(request).await
        })
        .await
    }

    /// Reads one conversation.
    pub async fn get_conversation(
        &self,
        request: GetConversationRequest,
    ) -> Result<GetConversationResponse, Error> {
        self.unary(request, |mut calls, request| async move {
            calls.get_conversation(request).await
        })
        .await
    }

    /// Reads one page of conversations.
    pub async fn list_conversations(
        &self,
        request: ListConversationsRequest,
    ) -> Result<ListConversationsResponse, Error> {
        self.unary(request, |mut calls, request| async move {
            calls.list_conversations(request).await
        })
        .await
    }

    /// Reads one page of a conversation's events.
    pub async fn list_events(
        &self,
        request: ListEventsRequest,
    ) -> Result<ListEventsResponse, Error> {
        self.unary(request, |mut calls, request| async move {
            calls.list_events(request).await
        })
        .await
    }

    /// Erases what is personal about a conversation or a contact, here and at the platforms. It cannot be undone.
    pub async fn erase_personal_data(
        &self,
        request: ErasePersonalDataRequest,
    ) -> Result<ErasePersonalDataResponse, Error> {
        self.unary(request, |mut calls, request| async move {
            calls.erase_personal_data(request).await
        })
        .await
    }

    /// Reads the receipt of an erasure as it stands now.
    pub async fn get_erasure(
        &self,
        request: GetErasureRequest,
    ) -> Result<GetErasureResponse, Error> {
        self.unary(request, |mut calls, request| async move {
            calls.get_erasure(request).await
        })
        .await
    }
}
