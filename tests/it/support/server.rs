//! The whole service in this process: started from a configuration file, on ports of its own, with its own database.

use std::{fs, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use parloir::{app::App, config};
use parloir_client::{
    Client, Error, Subscription,
    v1::{
        Choice, DeliveryState, Parameter, SendMessageRequest, SendMessageResponse,
        UpdateParametersRequest, UpdateParametersResponse, send_message_request::Content,
    },
};
use tempfile::TempDir;

use super::{
    clock::TestClock,
    events::Events,
    http::{Connection, Reply},
    platform::FakeServer,
    webhook,
};

/// The bot that the configured agent is, and its key.
pub const BOT: &str = "65f0c1a2b3d4e5f60718293a";
pub const KEY: &str = "2f7c0d7be0a94d5f8a6f";

/// The account that is configured, and its agent.
pub const ACCOUNT: &str = "demo";
pub const AGENT: &str = "shop";

/// What is configured beside the defaults: TOML for the top, for the agent's table, for its platform's table, and for
/// the end.
#[derive(Debug, Default)]
pub struct Wishes {
    pub top: &'static str,
    pub agent: &'static str,
    pub platform: String,
    pub end: String,
    /// What stands behind the platform's address.
    pub base_path: &'static str,
}

/// A server, its platform and a caller.
pub struct TestServer {
    pub platform: FakeServer,
    pub client: Client,
    pub webhooks: SocketAddr,
    /// Stops with the test.
    pub app: App,
    pub clock: Arc<TestClock>,
    folder: TempDir,
}

impl TestServer {
    pub async fn start() -> Self {
        Self::start_with(Wishes::default()).await
    }

    pub async fn start_with(wishes: Wishes) -> Self {
        let platform = FakeServer::start().await;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("parloir.toml");
        fs::write(folder.path().join("api-key"), KEY).expect("the key can be written");
        let text = configuration(&folder, &platform.url(), &wishes);
        fs::write(&file, text).expect("the configuration can be written");
        let loaded = config::load(Some(&file), std::iter::empty());
        let config = loaded.expect("a valid configuration").config;
        let clock = Arc::new(TestClock::default());
        let app = App::start_by(&config, Arc::clone(&clock) as _).await;
        let app = app.expect("a server that starts");
        let client = Client::builder(format!("http://{}", app.grpc()))
            .attempts(1)
            .deadline(Duration::from_secs(30))
            .connect()
            .await
            .expect("a server that listens");
        let webhooks = app.webhooks();
        Self {
            platform,
            client,
            webhooks,
            app,
            clock,
            folder,
        }
    }

    /// A file beside the configuration.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// All events from the first on.
    pub fn events(&self) -> Events {
        Events::new(self.client.subscribe(Subscription::new().from_earliest()))
    }

    pub async fn say(&self, conversation: &str, id: &str, text: &str) -> Sent {
        self.client.say(ACCOUNT, conversation, id, text).await
    }

    pub async fn choose(&self, conversation: &str, id: &str, choice: Choice) -> Sent {
        let request = SendMessageRequest {
            content: Some(Content::Choice(choice)),
            ..message(conversation, id)
        };
        self.client.send_message(request).await
    }

    pub async fn set(
        &self,
        conversation: &str,
        id: &str,
        parameters: Vec<Parameter>,
    ) -> Result<UpdateParametersResponse, Error> {
        let request = UpdateParametersRequest {
            account: ACCOUNT.to_owned(),
            conversation_id: conversation.to_owned(),
            command_id: id.to_owned(),
            parameters,
        };
        self.client.update_parameters(request).await
    }

    /// What the server counts, as the operators' listener tells it.
    pub async fn metrics(&self) -> String {
        let mut connection = Connection::open(self.app.ops()).await;
        connection.head("GET", "/metrics", &[]).await;
        connection.reply().await.expect("an answer").body
    }

    /// Posts a webhook to the configured agent.
    pub async fn webhook(&self, body: &str) -> Reply {
        webhook::post(self.webhooks, AGENT, &[], body.as_bytes()).await
    }

    /// Posts a webhook that must be taken with an empty 200.
    pub async fn taken(&self, body: &str) {
        let reply = self.webhook(body).await;
        assert_eq!(
            (reply.status, reply.body.as_str()),
            (200, ""),
            "{body:.200}"
        );
    }
}

pub type Sent = Result<SendMessageResponse, Error>;

/// A message without content.
pub fn message(conversation: &str, id: &str) -> SendMessageRequest {
    SendMessageRequest {
        account: ACCOUNT.to_owned(),
        conversation_id: conversation.to_owned(),
        message_id: id.to_owned(),
        ..SendMessageRequest::default()
    }
}

pub fn parameter(key: &str, value: &str, personal: bool) -> Parameter {
    Parameter {
        key: key.to_owned(),
        value: value.to_owned(),
        personal,
    }
}

/// The state that a message reached with its call.
pub fn state(sent: &Sent) -> DeliveryState {
    let response = sent.as_ref().expect("a message that is taken");
    response.delivery.as_ref().expect("a delivery").state()
}

fn configuration(folder: &TempDir, platform: &str, wishes: &Wishes) -> String {
    let Wishes {
        top,
        agent,
        platform: own,
        end,
        base_path,
    } = wishes;
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (database, key) = (at("parloir.db"), at("api-key"));
    // Every listener on a free port, and no notice before the end: nobody balances load here.
    format!(
        r#"
        {top}
        grpc.listen = "127.0.0.1:0"
        webhooks.listen = "127.0.0.1:0"
        ops.listen = "127.0.0.1:0"
        database.url = "sqlite:{database}"
        shutdown.notice = "0s"

        [[agents]]
        name = "{AGENT}"
        {agent}
        [agents.platform.zendesk]
        bot_id = "{BOT}"
        base_url = "{platform}{base_path}"
        api_key = {{ file = "{key}" }}
        {own}

        [[accounts]]
        name = "{ACCOUNT}"
        agent = "{AGENT}"

        {end}
        "#
    )
}
