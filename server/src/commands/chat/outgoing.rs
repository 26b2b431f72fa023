//! The calls of a chat: under way beside each other, because the agent may ask something before one has returned.

use parloir_client::{Client, Error};
use parloir_proto::v1::{
    Choice, Delivery, Owner, Parameter, RespondToAgentRequest, RespondToAgentResponse,
    SendMessageRequest, StartConversationRequest, StartConversationResponse,
    respond_to_agent_request::Answer, send_message_request::Content,
};
use tokio::task::JoinSet;
use uuid::Uuid;

/// Who answers questions in a chat, for the log.
const RESPONDER: &str = "parloir chat";

pub(super) struct Outgoing {
    client: Client,
    account: String,
    conversation: String,
    calls: JoinSet<Outcome>,
}

/// What a call came to.
pub(super) enum Outcome {
    /// The start, by its command id.
    Started(String, Result<Box<StartConversationResponse>, Error>),
    /// A message or a command, by its id.
    Sent(String, Result<Option<Delivery>, Error>),
    /// An answer to the agent.
    Answered(Result<RespondToAgentResponse, Error>),
}

impl Outgoing {
    pub(super) fn new(client: Client, account: String, conversation: String) -> Self {
        Self {
            client,
            account,
            conversation,
            calls: JoinSet::new(),
        }
    }

    pub(super) fn account(&self) -> &str {
        &self.account
    }

    pub(super) fn conversation(&self) -> &str {
        &self.conversation
    }

    /// Whether nothing is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.calls.is_empty()
    }

    /// The next call that comes back; `None` when nothing is under way.
    pub(super) async fn returned(&mut self) -> Option<Outcome> {
        // A call does not panic and is not aborted; if one ever did, the others still count.
        loop {
            if let Ok(outcome) = self.calls.join_next().await? {
                return Some(outcome);
            }
        }
    }

    /// The command id of the start.
    pub(super) fn start(&mut self, parameters: Vec<Parameter>) -> String {
        let (client, id) = (self.client.clone(), new_id());
        let request = StartConversationRequest {
            account: self.account.clone(),
            conversation_id: self.conversation.clone(),
            command_id: id.clone(),
            parameters,
            ..StartConversationRequest::default()
        };
        let sent = id.clone();
        self.calls.spawn(async move {
            Outcome::Started(sent, client.start_conversation(request).await.map(Box::new))
        });
        id
    }

    /// The id that the words or the choice were sent with.
    pub(super) fn say(&mut self, text: String) -> String {
        self.send(Content::Text(text))
    }

    pub(super) fn choose(&mut self, choice: Choice) -> String {
        self.send(Content::Choice(choice))
    }

    pub(super) fn end(&mut self) -> String {
        let (client, id) = (self.client.clone(), new_id());
        let (account, conversation) = (self.account.clone(), self.conversation.clone());
        self.spawn(id, move |id| async move {
            Ok(client.end(account, conversation, id).await?.delivery)
        })
    }

    pub(super) fn hand_over(&mut self, to: Owner, note: String) -> String {
        let (client, id) = (self.client.clone(), new_id());
        let (account, conversation) = (self.account.clone(), self.conversation.clone());
        self.spawn(id, move |id| async move {
            client
                .hand_over(account, conversation, id, to, note)
                .await?;
            Ok(None)
        })
    }

    pub(super) fn answer(&mut self, request_id: String, answer: Answer) {
        let client = self.client.clone();
        let request = RespondToAgentRequest {
            request_id,
            answer: Some(answer),
            responder: RESPONDER.to_owned(),
        };
        self.calls
            .spawn(async move { Outcome::Answered(client.respond_to_agent(request).await) });
    }

    fn send(&mut self, content: Content) -> String {
        let (client, id) = (self.client.clone(), new_id());
        let request = SendMessageRequest {
            account: self.account.clone(),
            conversation_id: self.conversation.clone(),
            message_id: id.clone(),
            content: Some(content),
            ..SendMessageRequest::default()
        };
        self.spawn(id, move |_| async move {
            Ok(client.send_message(request).await?.delivery)
        })
    }

    fn spawn<F>(&mut self, id: String, call: impl FnOnce(String) -> F) -> String
    where
        F: Future<Output = Result<Option<Delivery>, Error>> + Send + 'static,
    {
        let call = call(id.clone());
        let sent = id.clone();
        self.calls
            .spawn(async move { Outcome::Sent(sent, call.await) });
        id
    }
}

fn new_id() -> String {
    Uuid::now_v7().to_string()
}
