//! A NATS server of its own, which can be killed, paused and started again.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use async_nats::{
    ConnectOptions,
    jetstream::{self, consumer, stream},
};
use tempfile::TempDir;
use tokio_stream::StreamExt;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/nats");

/// For everything that is waited for: far more than it takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_mins(1);

pub struct Broker {
    folder: TempDir,
    pub url: String,
}

impl Broker {
    pub fn start() -> Self {
        Self::configured("")
    }

    /// With these lines in its configuration.
    pub fn configured(extra: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("extra"), extra).expect("a file");
        let url = run("start", folder.path(), None);
        Self { folder, url }
    }

    pub fn start_again(&self) {
        assert_eq!(run("start", self.folder.path(), None), self.url);
    }

    /// As if its machine had died.
    pub fn kill(&self) {
        run("stop", self.folder.path(), Some("immediate"));
    }

    /// Its connections stay, and it answers nothing.
    pub fn pause(&self) {
        run("pause", self.folder.path(), None);
    }

    pub fn resume(&self) {
        run("resume", self.folder.path(), None);
    }

    /// A stream of this name that takes what is under this subject.
    pub async fn make_stream(&self, name: &str, subject: &str) {
        let jetstream = self.jetstream().await;
        let made = jetstream.create_stream(stream::Config {
            name: name.to_owned(),
            subjects: vec![subject.to_owned()],
            ..stream::Config::default()
        });
        made.await.expect("a stream");
    }

    pub async fn messages_in(&self, stream: &str) -> u64 {
        let stream = self.jetstream().await.get_stream(stream).await;
        let mut stream = stream.expect("there is one");
        stream.info().await.expect("it tells").state.messages
    }

    /// Everything in a stream, in order.
    pub async fn read_all(&self, stream: &str) -> Vec<async_nats::Message> {
        let count = self.messages_in(stream).await;
        let stream = self.jetstream().await.get_stream(stream).await;
        let config = consumer::pull::Config {
            ack_policy: consumer::AckPolicy::None,
            ..consumer::pull::Config::default()
        };
        let reader = stream.expect("there is one").create_consumer(config).await;
        let mut messages = reader
            .expect("it reads")
            .messages()
            .await
            .expect("it reads");
        let mut all = Vec::new();
        while (all.len() as u64) < count {
            let next = tokio::time::timeout(PATIENCE, messages.next()).await;
            let message = next.expect("in time").expect("one more");
            all.push(message.expect("a message").split().0);
        }
        all
    }

    pub async fn jetstream(&self) -> jetstream::Context {
        jetstream::new(self.client().await)
    }

    pub async fn client(&self) -> async_nats::Client {
        let client = ConnectOptions::new().connect(&self.url).await;
        client.expect("it is there")
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
    }
}

fn run(what: &str, folder: &Path, mode: Option<&str>) -> String {
    let done = Command::new(SCRIPT)
        .arg(what)
        .arg(folder)
        .args(mode)
        .stdin(Stdio::null())
        .output()
        .expect("bash");
    let (told, why) = (
        String::from_utf8_lossy(&done.stdout).trim().to_owned(),
        String::from_utf8_lossy(&done.stderr).into_owned(),
    );
    assert!(done.status.success(), "tests/nats {what}: {why}");
    told
}
