//! What the demo needs: a server and a simulated agent that know each other.

use std::{fs, net::SocketAddr, path::Path};

use anyhow::{Context, Result};
use parloir_client::Client;
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::viewer::tell;
use crate::{
    app::App,
    config,
    simulate::{Bot, Script, Settings, Simulator},
};

/// The account that the demo's visitor belongs to.
pub const ACCOUNT: &str = "demo";

const BOT: &str = "65f0c1a2b3d4e5f60718293a";
const KEY: &str = "demo-key-of-the-simulated-agent";

/// A running server with a simulated agent behind it.
pub struct Stage {
    pub client: Client,
    app: App,
    simulator: Simulator,
    // Last: the database is removed when everything has closed.
    folder: TempDir,
}

impl Stage {
    pub async fn set() -> Result<Self> {
        Self::set_with(|_| Ok(String::new())).await
    }

    /// The same with more in the configuration, behind the account. `more` may put files into the folder that it gets.
    pub async fn set_with(more: impl FnOnce(&Path) -> Result<String>) -> Result<Self> {
        let folder = tempfile::tempdir().context("no temporary folder can be made")?;
        let more = more(folder.path())?;
        let platform = TcpListener::bind("127.0.0.1:0").await?;
        let config = configuration(folder.path(), platform.local_addr()?, &more)?;
        let loaded = config::load(Some(&config), std::iter::empty())?;
        let app = App::start(&loaded.config).await?;
        let webhooks = format!("http://{}/webhooks/shop", app.webhooks());
        let bot = Bot::new(BOT, KEY, &webhooks).with_script(Script::shop());
        let simulator = Simulator::start(Settings::new(vec![bot]), platform)?;
        let client = Client::builder(format!("http://{}", app.grpc()))
            .connect()
            .await?;
        Ok(Self {
            client,
            app,
            simulator,
            folder,
        })
    }

    /// Where platforms and sources call.
    pub fn webhooks(&self) -> SocketAddr {
        self.app.webhooks()
    }

    /// The simulated agent.
    pub fn agent(&self) -> &Simulator {
        &self.simulator
    }

    pub fn introduce(&self) -> Result<()> {
        tell(format_args!("Parloir is running:"))?;
        tell(format_args!("  gRPC        http://{}", self.app.grpc()))?;
        tell(format_args!(
            "  webhooks    http://{}/webhooks/shop",
            self.app.webhooks()
        ))?;
        tell(format_args!(
            "  operations  http://{}/metrics",
            self.app.ops()
        ))?;
        tell(format_args!(
            "  the agent   {} (simulated: a mug shop)",
            self.simulator.base_url()
        ))?;
        tell(format_args!(
            "  database    {} (temporary)",
            self.folder.path().join("demo.db").display()
        ))
    }

    /// What to try next, to be pasted.
    pub fn invite(&self) -> Result<()> {
        let grpc = self.app.grpc();
        let parloir = binary();
        tell(format_args!("\nStill running. In another terminal, try:\n"))?;
        tell(format_args!(
            "  talk to the agent     {parloir} chat --server http://{grpc} --account {ACCOUNT}"
        ))?;
        tell(format_args!(
            "  follow every event    {parloir} tail --server http://{grpc} --from earliest"
        ))?;
        tell(format_args!(
            "  from any language     grpcurl -plaintext -d '{{\"account\":\"{ACCOUNT}\",\"conversation_id\":\"mine\",\
             \"message_id\":\"1\",\"text\":\"hello\"}}' {grpc} parloir.v1.ConversationService/SendMessage"
        ))?;
        tell(format_args!(
            "  its figures           curl http://{}/metrics",
            self.app.ops()
        ))?;
        tell(format_args!("\nCtrl-C ends it."))
    }

    /// What a verb that talks to this server is given.
    pub fn server(&self) -> String {
        format!("--server http://{}", self.app.grpc())
    }

    pub async fn clear(self) {
        // Dropping the client first ends its streams, so that nothing has to be waited for.
        drop(self.client);
        self.app.stop().await;
        self.simulator.stop().await;
    }
}

/// How whoever watches starts this binary.
pub fn binary() -> &'static str {
    match std::env::var_os("CARGO") {
        Some(_) => "cargo run --",
        None => "parloir",
    }
}

/// Writes what an operator would write.
fn configuration(folder: &Path, platform: SocketAddr, more: &str) -> Result<std::path::PathBuf> {
    let key = folder.join("key");
    fs::write(&key, KEY)?;
    let text = format!(
        r#"
grpc.listen = "127.0.0.1:0"
webhooks.listen = "127.0.0.1:0"
ops.listen = "127.0.0.1:0"
database.url = "sqlite:{database}"
shutdown.notice = "0s"

[[agents]]
name = "shop"
[agents.platform.zendesk]
bot_id = "{BOT}"
base_url = "http://{platform}"
api_key = {{ file = "{key}" }}

# What the visitor is told when nobody answers.
[[agents.actions]]
name = "fetch_order"
time_limit = "5s"
fallback = "empty"
results = {{ order_status = "on its way" }}
[[agents.actions]]
name = "subscribe_newsletter"

[[accounts]]
name = "{ACCOUNT}"
agent = "shop"
{more}"#,
        database = folder.join("demo.db").display(),
        key = key.display(),
    );
    let path = folder.join("parloir.toml");
    fs::write(&path, text)?;
    Ok(path)
}
