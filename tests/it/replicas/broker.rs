//! A real NATS server of a test's own, which it may kill.

use std::process::Command;

use tempfile::TempDir;

use super::postgres::{blocking, output, script};

/// Stopped when it is dropped.
pub struct Broker {
    folder: TempDir,
    url: String,
}

impl Broker {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().to_owned();
        let url =
            blocking(move || output(Command::new(script("nats")).arg("start").arg(path))).await;
        Self { folder, url }
    }

    /// What makes a replica use it, as TOML for the top.
    pub fn settings(&self) -> String {
        format!("nats.url = \"{}\"", self.url)
    }

    pub async fn kill(&self) {
        let path = self.folder.path().to_owned();
        blocking(move || {
            output(
                Command::new(script("nats"))
                    .arg("stop")
                    .arg(path)
                    .arg("immediate"),
            )
        })
        .await;
    }

    pub async fn start_again(&self) {
        let path = self.folder.path().to_owned();
        let url =
            blocking(move || output(Command::new(script("nats")).arg("start").arg(path))).await;
        assert_eq!(url, self.url, "it has moved");
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // A test may have stopped it itself.
        let mut stop = Command::new(script("nats"));
        let _ = stop.arg("stop").arg(self.folder.path()).output();
    }
}
