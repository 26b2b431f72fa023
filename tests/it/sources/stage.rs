//! The binary between a simulated agent and a source's platform, killed and started again as a test wants.

use std::collections::HashMap;

use parloir_client::{
    Client, Item, Subscription,
    v1::{
        DeliveryState, Event, ListConversationsRequest, Owner, VisitorMessage,
        delivery_changed::Subject, event::Body, visitor_message::Content,
    },
};

use super::agent;
use crate::{
    process::{ACCOUNT, BOT, Server, Setup},
    support::events::Events,
};
use parloir::simulate::Simulator;

/// What the configured source is called.
pub const SOURCE: &str = "desk";

pub struct Stage {
    pub agent: Simulator,
    pub setup: Setup,
    pub client: Client,
    /// All events from the first on, over every restart.
    events: Events,
    /// What carries which words.
    carrying: HashMap<String, Subject>,
    server: Server,
}

impl Stage {
    /// `source` is the TOML of the source, from its table on.
    pub async fn start(source: &str) -> Self {
        let agent = agent::start().await;
        let source = format!("source = \"{SOURCE}\"\n{source}");
        let setup = Setup::with_source(&agent.base_url(), "", &source);
        agent.set_webhook_url(BOT, &setup.webhook_url());
        let mut server = setup.start(&[]);
        server.ready().await;
        let client = Client::builder(setup.grpc_url());
        let client = client.connect_lazy().expect("a valid address");
        let events = Events::new(client.subscribe(Subscription::new().from_earliest()));
        Self {
            agent,
            setup,
            client,
            events,
            carrying: HashMap::new(),
            server,
        }
    }

    /// SIGKILL, and a new process on the same database.
    pub async fn restart(&mut self) {
        self.kill();
        self.revive().await;
    }

    pub fn kill(&mut self) {
        self.server.kill();
    }

    pub async fn revive(&mut self) {
        self.server = self.setup.start(&[]);
        self.server.ready().await;
    }

    /// Waits for the next change of an owner, which must be to this one.
    pub async fn owner_changes_to(&mut self, owner: Owner) {
        loop {
            if let Body::OwnerChanged(changed) = self.next().await {
                assert_eq!(changed.to(), owner, "{changed:?}");
                return;
            }
        }
    }

    /// Waits until the visitor's words are kept from the agent.
    pub async fn holds(&mut self, words: &str) {
        self.comes_to(words, DeliveryState::Held).await;
    }

    /// Waits until what carries these words of the visitor or the agent, or the change of the owner that this command
    /// made, has come to this state.
    pub async fn comes_to(&mut self, words: &str, state: DeliveryState) {
        loop {
            match self.next().await {
                Body::VisitorMessage(message)
                    if message.held && state == DeliveryState::Held && said(&message) == words =>
                {
                    return;
                }
                Body::DeliveryChanged(changed)
                    if changed.state() == state
                        && self.carrying.get(words) == changed.subject.as_ref() =>
                {
                    return;
                }
                _ => {}
            }
        }
    }

    /// Waits until the agent has said this.
    pub async fn agent_says(&mut self, words: &str) {
        while !matches!(self.next().await, Body::AgentMessage(message) if message.text == words) {}
    }

    /// The next event, with what carries its words noted.
    async fn next(&mut self) -> Body {
        let event = self.events.next().await.event.expect("an event");
        let body = event.body.expect("a body");
        let by_event = Subject::EventId(event.event_id);
        let carrying = match &body {
            Body::VisitorMessage(message) => Some((
                said(message),
                Subject::MessageId(message.message_id.clone()),
            )),
            Body::AgentMessage(message) => Some((message.text.as_str(), by_event)),
            Body::OwnerChanged(changed) => Some((changed.command_id.as_str(), by_event)),
            _ => None,
        };
        if let Some((words, subject)) = carrying {
            self.carrying.insert(words.to_owned(), subject);
        }
        body
    }

    /// The conversation of the one visitor there is.
    pub async fn conversation(&self) -> String {
        let known = self
            .client
            .list_conversations(ListConversationsRequest::default());
        let known = known.await.expect("a list").conversations;
        let [conversation] = known.as_slice() else {
            panic!("{} conversations", known.len());
        };
        conversation.conversation_id.clone()
    }

    pub async fn transfer(&self, conversation: &str, command: &str, to: Owner) {
        let client = &self.client;
        let moved = client
            .hand_over(ACCOUNT, conversation, command, to, "")
            .await;
        assert_eq!(moved.expect("a transfer").owner(), to);
    }

    /// The whole log as it is now.
    pub async fn log(&self) -> Vec<Event> {
        let mut stream = self.client.subscribe(Subscription::new().from_earliest());
        let mut log = Vec::new();
        while let Some(item) = stream.next().await {
            match item.expect("no error") {
                Item::Event(delivered) => log.extend(delivered.event),
                Item::CaughtUp(_) => break,
                _ => {}
            }
        }
        log
    }
}

fn said(message: &VisitorMessage) -> &str {
    match &message.content {
        Some(Content::Text(text)) => text,
        Some(Content::Choice(choice)) => &choice.label,
        None => "",
    }
}
