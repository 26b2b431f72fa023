//! The simulated platform with one bot, and the settings that lead to it.

use std::fs;

use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::{
    agents::zendesk::ZendeskConfig,
    secret::Secret,
    simulate::{Bot, Settings, Simulator},
};

pub(in crate::commands) const BOT: &str = "65f0c1a2b3d4e5f60718293a";
const KEY: &str = "demo-key";

pub(in crate::commands) struct Stage {
    pub(in crate::commands) simulator: Simulator,
    pub(in crate::commands) settings: ZendeskConfig,
    _secrets: TempDir,
}

impl Stage {
    pub(in crate::commands) async fn start() -> Self {
        // Another test of this process may have installed it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let secrets = tempfile::tempdir().expect("a folder");
        let key = secrets.path().join("key");
        fs::write(&key, KEY).expect("a writable folder");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let bot = Bot::new(BOT, KEY, "http://127.0.0.1:9/webhooks/support");
        let simulator = Simulator::start(Settings::new(vec![bot]), listener).expect("it starts");
        let settings = ZendeskConfig {
            bot_id: BOT.to_owned(),
            base_url: format!("{}/ai-agents/api", simulator.base_url()),
            api_key: Secret::in_file(key),
            organization_id: Some("org-1".to_owned()),
            ..ZendeskConfig::default()
        };
        Self {
            simulator,
            settings,
            _secrets: secrets,
        }
    }
}
