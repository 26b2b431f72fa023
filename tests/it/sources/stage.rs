//! The binary between a simulated agent and a source's platform, killed and started again as a test wants.

use parloir_client::{
    Client, Item, Subscription,
    v1::{Event, ListConversationsRequest, Owner},
};

use super::{agent, story::Story};
use crate::process::{ACCOUNT, BOT, Server, Setup};
use parloir::simulate::Simulator;

/// What the configured source is called.
pub const SOURCE: &str = "desk";

pub struct Stage {
    pub agent: Simulator,
    pub setup: Setup,
    pub client: Client,
    /// Over every restart.
    pub story: Story,
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
        let story = Story::of(&client);
        Self {
            agent,
            setup,
            client,
            story,
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
