//! A real `PostgreSQL` server of a test's own, which it may stop as if the machine had died.

use std::{
    fs,
    net::SocketAddr,
    path::PathBuf,
    process::{Command, Output},
};

use tempfile::TempDir;

use crate::architecture::source::root;

/// The database that the replicas share.
const DATABASE: &str = "parloir";

/// Stopped when it is dropped.
pub struct Postgres {
    folder: TempDir,
    /// Without a database.
    server: String,
}

impl Postgres {
    /// With one database in it, which is empty.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().to_owned();
        let server =
            blocking(move || output(Command::new(script("postgres")).arg("start").arg(path))).await;
        let postgres = Self { folder, server };
        let admin = format!("{}/postgres", postgres.server);
        psql(admin, format!("CREATE DATABASE {DATABASE}")).await;
        postgres
    }

    pub fn address(&self) -> SocketAddr {
        let address = self.server.rsplit('@').next().expect("an address");
        address.parse().expect("an address")
    }

    /// The database's URL, by way of `address`.
    pub fn url_at(address: SocketAddr) -> String {
        format!("postgres://parloir@{address}/{DATABASE}")
    }

    /// As if the machine had died: nothing is closed, nothing more is written.
    pub async fn kill(&self) {
        self.stop("immediate").await;
    }

    /// Where it was killed, it recovers from what had reached the disk.
    pub async fn start_again(&self) {
        let path = self.folder.path().to_owned();
        let server =
            blocking(move || output(Command::new(script("postgres")).arg("start").arg(path))).await;
        assert_eq!(server, self.server, "it has moved");
    }

    /// What it answers, a row a line.
    pub async fn ask(&self, sql: &str) -> String {
        psql(Self::url_at(self.address()), sql.to_owned()).await
    }

    /// As [`Postgres::ask`], of a single number.
    pub async fn count(&self, sql: &str) -> u64 {
        let answer = self.ask(sql).await;
        answer.parse().unwrap_or_else(|_| panic!("{sql}: {answer}"))
    }

    /// How often it has logged these words.
    pub fn has_said(&self, words: &str) -> usize {
        let log = fs::read_to_string(self.folder.path().join("log")).expect("a log");
        log.matches(words).count()
    }

    async fn stop(&self, mode: &'static str) {
        let path = self.folder.path().to_owned();
        blocking(move || {
            output(
                Command::new(script("postgres"))
                    .arg("stop")
                    .arg(path)
                    .arg(mode),
            )
        })
        .await;
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let mut stop = Command::new(script("postgres"));
        stop.arg("stop").arg(self.folder.path()).arg("immediate");
        // A test may have stopped it itself.
        let _ = stop.output();
    }
}

/// A script beside the tests, by its name.
pub fn script(name: &str) -> PathBuf {
    root().join("tests").join(name)
}

async fn psql(url: String, sql: String) -> String {
    blocking(move || {
        let mut psql = Command::new("psql");
        output(psql.args(["-v", "ON_ERROR_STOP=1", "-XAqtc", &sql, &url]))
    })
    .await
}

pub async fn blocking(work: impl FnOnce() -> String + Send + 'static) -> String {
    tokio::task::spawn_blocking(work).await.expect("it ends")
}

/// What it prints. It must succeed.
pub fn output(command: &mut Command) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .output()
        .expect("it can be started: `tests/run replicas` installs what is missing");
    let (stdout, stderr) = (
        String::from_utf8_lossy(&stdout),
        String::from_utf8_lossy(&stderr),
    );
    assert!(status.success(), "{command:?}: {stderr}{stdout}");
    stdout.trim().to_owned()
}
