//! A server that knows one agent by its configuration, a platform with another bot, and the verbs.

use std::{
    fs,
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};

use parloir::simulate::{Bot, Script, Settings, Simulator};
use parloir_client::Client;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::process::{Server, Setup, binary};

/// The bot that administrators bring, and its first key.
pub const BOT: &str = "75f0c1a2b3d4e5f60718293b";
pub const FIRST_KEY: &str = "first-key-of-the-bot";

/// The agent and the account that administrators make.
pub const AGENT: &str = "care";
pub const ACCOUNT: &str = "clinic";

/// One answer to whatever the visitor says.
const SCRIPT: &str = r#"
    [[dialogue]]
    name = "anything"
    default = true

    [[dialogue.step]]
    reply = "I see."
"#;

pub struct Stage {
    pub setup: Setup,
    pub simulator: Simulator,
    _server: Server,
}

/// What came of a verb.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Stage {
    pub async fn start() -> Self {
        // Another test of this process may have installed it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let bot = Bot::new(BOT, FIRST_KEY, "http://127.0.0.1:9/")
            .with_script(Script::parse(SCRIPT).expect("a script"));
        let simulator = Simulator::start(Settings::new(vec![bot]), listener).expect("a simulator");
        // The simulated platform is on this machine.
        let setup = Setup::new(
            &simulator.base_url(),
            "admin.allow_private_addresses = true",
        );
        let webhooks = format!("http://{}/webhooks/{AGENT}", setup.webhooks);
        simulator.set_webhook_url(BOT, &webhooks);
        let mut server = setup.start(&[]);
        server.ready().await;
        let stage = Self {
            setup,
            simulator,
            _server: server,
        };
        stage.write("bot-key", FIRST_KEY);
        stage
    }

    /// A file beside the configuration.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.setup.path(name);
        fs::write(&path, text).expect("written");
        path
    }

    /// The new agent's settings as a file, in the form of the configuration.
    pub fn agent_file(&self) -> PathBuf {
        let text = format!(
            "name = \"{AGENT}\"\nsend_timeout = \"5s\"\n[platform.zendesk]\nbot_id = \"{BOT}\"\n\
             base_url = \"{}/ai-agents/api\"\napi_key = {{ file = \"{}\" }}\n",
            self.simulator.base_url(),
            self.setup.path("bot-key").display()
        );
        self.write("agent.toml", &text)
    }

    /// Runs `parloir admin` with these words against the server; `input` is what is typed.
    pub async fn typed(&self, words: &[&str], input: &str) -> Ran {
        let mut command = Command::new(binary());
        command
            .env_remove("PARLOIR_KEY")
            .args(["admin", "--server", &self.setup.grpc_url()])
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let input = input.to_owned();
        // The simulated platform needs this thread while the verb runs.
        let ran = tokio::task::spawn_blocking(move || {
            let mut child = command.spawn().expect("build the binary first");
            let mut stdin = child.stdin.take().expect("a pipe");
            // It may have ended without reading.
            let _ = stdin.write_all(input.as_bytes());
            drop(stdin);
            child.wait_with_output().expect("it ends")
        });
        let output = ran.await.expect("it runs");
        Ran {
            code: output.status.code().expect("no signal"),
            out: String::from_utf8(output.stdout).expect("text"),
            err: String::from_utf8(output.stderr).expect("text"),
        }
    }

    pub async fn run(&self, words: &[&str]) -> Ran {
        self.typed(words, "").await
    }

    /// What a verb that works prints.
    pub async fn done(&self, words: &[&str]) -> String {
        let ran = self.run(words).await;
        assert_eq!(ran.code, 0, "{words:?}: {ran:?}");
        ran.out
    }

    /// The one object that a verb that works prints.
    pub async fn object(&self, words: &[&str]) -> Value {
        let out = self.done(&[words, &["--output", "json"]].concat()).await;
        serde_json::from_str(&out).expect("one object")
    }

    /// The objects that a verb that works prints.
    pub async fn objects(&self, words: &[&str]) -> Vec<Value> {
        let out = self.done(&[words, &["--output", "json"]].concat()).await;
        let lines = out.lines();
        lines
            .map(|line| serde_json::from_str(line).expect("an object"))
            .collect()
    }

    /// What a verb that does not work says, and that it says no more.
    pub async fn refused(&self, words: &[&str]) -> String {
        let ran = self.run(words).await;
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{words:?}: {ran:?}");
        ran.err
    }

    pub fn client(&self) -> Client {
        let client = Client::builder(self.setup.grpc_url()).connect_lazy();
        client.expect("a URL")
    }
}
