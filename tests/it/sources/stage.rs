//! The binary between a simulated agent and a source's platform, killed and started again as a test wants.

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
    pub events: Events,
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
        let changed = self.events.find(|body, _| match body {
            Body::OwnerChanged(changed) => Some(changed),
            _ => None,
        });
        let changed = changed.await;
        assert_eq!(changed.to(), owner, "{changed:?}");
    }

    /// Waits until the visitor's words are kept from the agent.
    pub async fn holds(&mut self, words: &str) {
        self.comes_to(words, DeliveryState::Held).await;
    }

    /// Waits until what carries these words of the visitor or the agent has come to this state.
    pub async fn comes_to(&mut self, words: &str, state: DeliveryState) {
        let mut id = None;
        let come = self.events.find(|body, event| {
            match body {
                Body::VisitorMessage(message) if said(&message) == words => {
                    id = Some(Subject::MessageId(message.message_id));
                    return (message.held && state == DeliveryState::Held).then_some(());
                }
                Body::AgentMessage(message) if message.text == words => {
                    id = Some(Subject::EventId(event.event_id.clone()));
                }
                Body::DeliveryChanged(changed) if id.is_some() && changed.subject == id => {
                    return (changed.state() == state).then_some(());
                }
                _ => {}
            }
            None
        });
        come.await;
    }

    /// Waits until the agent has said this.
    pub async fn agent_says(&mut self, words: &str) {
        let said = self.events.find(|body, _| match body {
            Body::AgentMessage(message) => (message.text == words).then_some(()),
            _ => None,
        });
        said.await;
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

    /// Waits until what this transfer asks of the source is done.
    pub async fn settles(&mut self, command: &str) {
        let mut id = None;
        let settled = self.events.find(|body, event| match body {
            Body::OwnerChanged(changed) if changed.command_id == command => {
                id = Some(Subject::EventId(event.event_id.clone()));
                None
            }
            Body::DeliveryChanged(changed) if id.is_some() && changed.subject == id => {
                Some(changed.state())
            }
            _ => None,
        });
        assert_eq!(settled.await, DeliveryState::Delivered, "{command}");
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
