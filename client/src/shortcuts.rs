//! The calls that are made most, with only the fields that are filled in most.

use parloir_proto::v1::{
    ActionResults, AvailabilityAnswer, Choice, Conversation, EndConversationRequest,
    EndConversationResponse, EscalationDecision, GetConversationRequest, Owner, Parameter,
    RequestFailure, RespondToAgentRequest, RespondToAgentResponse, SendMessageRequest,
    SendMessageResponse, StartConversationRequest, StartConversationResponse,
    TransferConversationRequest, TransferConversationResponse, respond_to_agent_request::Answer,
    send_message_request::Content,
};

use crate::{Client, Error};

impl Client {
    /// Opens a conversation or resumes it.
    pub async fn start(
        &self,
        account: impl Into<String>,
        conversation_id: impl Into<String>,
        command_id: impl Into<String>,
    ) -> Result<StartConversationResponse, Error> {
        self.start_conversation(StartConversationRequest {
            account: account.into(),
            conversation_id: conversation_id.into(),
            command_id: command_id.into(),
            ..StartConversationRequest::default()
        })
        .await
    }

    /// Sends a visitor's words.
    pub async fn say(
        &self,
        account: impl Into<String>,
        conversation_id: impl Into<String>,
        message_id: impl Into<String>,
        text: impl Into<String>,
    ) -> Result<SendMessageResponse, Error> {
        self.send(
            account.into(),
            conversation_id.into(),
            message_id.into(),
            Content::Text(text.into()),
        )
        .await
    }

    /// Sends the button that a visitor pressed.
    pub async fn choose(
        &self,
        account: impl Into<String>,
        conversation_id: impl Into<String>,
        message_id: impl Into<String>,
        choice: Choice,
    ) -> Result<SendMessageResponse, Error> {
        self.send(
            account.into(),
            conversation_id.into(),
            message_id.into(),
            Content::Choice(choice),
        )
        .await
    }

    /// Ends the session.
    pub async fn end(
        &self,
        account: impl Into<String>,
        conversation_id: impl Into<String>,
        command_id: impl Into<String>,
    ) -> Result<EndConversationResponse, Error> {
        self.end_conversation(EndConversationRequest {
            account: account.into(),
            conversation_id: conversation_id.into(),
            command_id: command_id.into(),
            expected_session: None,
        })
        .await
    }

    /// Makes a human, or the agent again, the one who answers the visitor, whoever does now. The note is for the one
    /// who takes over and may be empty.
    pub async fn hand_over(
        &self,
        account: impl Into<String>,
        conversation_id: impl Into<String>,
        command_id: impl Into<String>,
        to: Owner,
        note: impl Into<String>,
    ) -> Result<TransferConversationResponse, Error> {
        self.transfer_conversation(TransferConversationRequest {
            account: account.into(),
            conversation_id: conversation_id.into(),
            command_id: command_id.into(),
            to: to.into(),
            note: note.into(),
            expected_owner_epoch: None,
        })
        .await
    }

    /// Answers an action with its results.
    pub async fn answer_action(
        &self,
        request_id: impl Into<String>,
        results: Vec<Parameter>,
    ) -> Result<RespondToAgentResponse, Error> {
        self.answer(
            request_id.into(),
            Answer::ActionResults(ActionResults { results }),
        )
        .await
    }

    /// Accepts or refuses an escalation. Accepted, a human owns the conversation from this commit on.
    pub async fn decide_escalation(
        &self,
        request_id: impl Into<String>,
        accepted: bool,
    ) -> Result<RespondToAgentResponse, Error> {
        self.answer(
            request_id.into(),
            Answer::Escalation(EscalationDecision { accepted }),
        )
        .await
    }

    /// Says whether a team is online.
    pub async fn answer_availability(
        &self,
        request_id: impl Into<String>,
        online: bool,
    ) -> Result<RespondToAgentResponse, Error> {
        self.answer(
            request_id.into(),
            Answer::Availability(AvailabilityAnswer { online }),
        )
        .await
    }

    /// Says that a question of the agent cannot be answered: it gets the configured fallback at once. The reason is
    /// for the people who read the log.
    pub async fn fail_request(
        &self,
        request_id: impl Into<String>,
        reason: impl Into<String>,
    ) -> Result<RespondToAgentResponse, Error> {
        self.answer(
            request_id.into(),
            Answer::Failure(RequestFailure {
                reason: reason.into(),
            }),
        )
        .await
    }

    /// Reads one conversation; `None` when there is none of that id.
    pub async fn conversation(
        &self,
        account: impl Into<String>,
        conversation_id: impl Into<String>,
    ) -> Result<Option<Conversation>, Error> {
        let request = GetConversationRequest {
            account: account.into(),
            conversation_id: conversation_id.into(),
        };
        match self.get_conversation(request).await {
            Ok(response) => Ok(response.conversation),
            Err(error) if error.code() == tonic::Code::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn send(
        &self,
        account: String,
        conversation_id: String,
        message_id: String,
        content: Content,
    ) -> Result<SendMessageResponse, Error> {
        self.send_message(SendMessageRequest {
            account,
            conversation_id,
            message_id,
            content: Some(content),
            ..SendMessageRequest::default()
        })
        .await
    }

    async fn answer(
        &self,
        request_id: String,
        answer: Answer,
    ) -> Result<RespondToAgentResponse, Error> {
        self.respond_to_agent(RespondToAgentRequest {
            request_id,
            answer: Some(answer),
            responder: String::new(),
        })
        .await
    }
}
