//! Changing the master key under a running server, with kills in between.

use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use parloir::{
    keys::{Custody, KeySource},
    sources::social_connect::{Grant, TokenFile},
};
use parloir_client::{Client, v1::ListEventsRequest};

use crate::{
    process::{ACCOUNT, Server, Setup},
    support::{http::Connection, platform::FakeServer},
};

/// Many batches of one row each, so that a kill falls between them.
const CONVERSATIONS: usize = 60;
const PATIENCE: Duration = Duration::from_mins(1);

struct Stage {
    setup: Setup,
    keys: PathBuf,
    _platform: FakeServer,
    _folder: tempfile::TempDir,
}

impl Stage {
    async fn new() -> Self {
        Self::with_source(|_| String::new()).await
    }

    /// `source` is TOML that goes into the account's table and after it; what it names stands in the folder.
    async fn with_source(source: impl FnOnce(&Path) -> String) -> Self {
        let platform = FakeServer::start().await;
        let folder = tempfile::tempdir().expect("a folder");
        let keys = folder.path().join("keys");
        let settings = format!(
            r#"
            encryption.master_key = {{ file = "{}" }}
            encryption.look_interval = "1s"
            encryption.rewrap_batch = 1
            "#,
            keys.display()
        );
        Self {
            setup: Setup::with_source(&platform.url(), &settings, &source(folder.path())),
            keys,
            _platform: platform,
            _folder: folder,
        }
    }

    fn put(&self, lines: &[&str]) {
        fs::write(&self.keys, lines.join("\n")).expect("the keys can be written");
    }

    async fn start(&self) -> Server {
        let mut server = self.setup.start(&[]);
        server.ready().await;
        server
    }

    async fn client(&self) -> Client {
        let client = Client::builder(self.setup.grpc_url());
        client.connect().await.expect("a server that listens")
    }

    /// How many keys and secrets are under a master key.
    async fn under(&self, id: &str) -> Option<u64> {
        let metrics = get(self.setup.ops(), "/metrics").await;
        let name = format!("parloir_encryption_keys{{master_id=\"{id}\"}} ");
        let line = metrics.lines().find_map(|line| line.strip_prefix(&name))?;
        line.parse().ok()
    }

    async fn until(&self, id: &str, wanted: impl Fn(Option<u64>) -> bool) {
        let look = async {
            while !wanted(self.under(id).await) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let looked = tokio::time::timeout(PATIENCE, look).await;
        looked.unwrap_or_else(|_| panic!("{id} did not get there"));
    }

    async fn all_can_be_read(&self) {
        let client = self.client().await;
        for number in 0..CONVERSATIONS {
            let request = ListEventsRequest {
                account: ACCOUNT.to_owned(),
                conversation_id: format!("c-{number}"),
                ..ListEventsRequest::default()
            };
            let page = client.list_events(request).await.expect("a page");
            let told = format!("{:?}", page.events);
            assert!(told.contains(&format!("words-{number}-")), "{told}");
        }
    }
}

async fn get(ops: SocketAddr, path: &str) -> String {
    let mut connection = Connection::open(ops).await;
    connection.head("GET", path, &[]).await;
    connection.reply().await.expect("an answer").body
}

/// A line and its id.
fn line() -> (String, String) {
    let line = parloir::keys::new_line().to_string();
    let id = line.split(':').next().expect("an id").to_owned();
    (line, id)
}

#[tokio::test]
async fn a_master_key_is_changed_under_a_running_server_and_a_kill_in_between_loses_nothing() {
    let stage = Stage::new().await;
    let ((old, old_id), (new, new_id)) = (line(), line());
    stage.put(&[&old]);
    let mut server = stage.start().await;
    let client = stage.client().await;
    for number in 0..CONVERSATIONS {
        let said = client.say(
            ACCOUNT,
            format!("c-{number}"),
            format!("m-{number}"),
            format!("words-{number}-"),
        );
        said.await.expect("is taken");
    }
    // The key of each conversation, beside the server's own secrets.
    stage.put(&[&new, &old]);
    stage
        .until(&new_id, |count| count.is_some_and(|count| count > 5))
        .await;
    server.kill();
    let log = fs::read_to_string(stage.setup.path("server.log")).expect("a log");
    assert!(
        !log.contains("the lines below the first may go"),
        "it was finished before the kill"
    );

    let mut server = stage.start().await;
    stage.until(&old_id, |count| count == Some(0)).await;
    stage.all_can_be_read().await;
    server.kill();
    let log = fs::read_to_string(stage.setup.path("server.log")).expect("a log");
    assert!(
        log.contains("the lines below the first may go"),
        "{log:.2000}"
    );

    stage.put(&[&new]);
    let server = stage.start().await;
    stage.all_can_be_read().await;
    assert_eq!(stage.under(&old_id).await, None);
    drop(server);
}

#[tokio::test]
async fn a_line_that_is_taken_out_too_early_breaks_nothing_that_runs_and_a_start_names_it() {
    let stage = Stage::new().await;
    let ((old, old_id), (new, new_id)) = (line(), line());
    stage.put(&[&old]);
    let mut server = stage.start().await;
    let client = stage.client().await;
    for number in 0..CONVERSATIONS {
        let said = client.say(
            ACCOUNT,
            format!("c-{number}"),
            format!("m-{number}"),
            format!("words-{number}-"),
        );
        said.await.expect("is taken");
    }
    stage.put(&["this is no list of keys"]);
    let complains = async {
        while !fs::read_to_string(stage.setup.path("server.log"))
            .expect("a log")
            .contains("the master keys cannot be read again")
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, complains)
        .await
        .expect("it is told");
    let mut connection = Connection::open(stage.setup.ops()).await;
    connection.head("GET", "/readyz", &[]).await;
    assert_eq!(connection.reply().await.expect("an answer").status, 200);
    stage.all_can_be_read().await;

    // The old line is gone before anything is under the new one.
    stage.put(&[&new]);
    stage
        .until(&new_id, |count| count.is_some_and(|count| count > 5))
        .await;
    server.kill();
    let log = fs::read_to_string(stage.setup.path("server.log")).expect("a log");
    assert!(log.contains("its line is gone"), "{log:.2000}");
    assert!(
        !log.contains("the lines below the first may go"),
        "it was finished before the kill"
    );

    let mut refused = stage.setup.start(&[]);
    assert!(!refused.exited().await.success());
    assert!(
        refused.last_words().contains(&old_id),
        "{}",
        refused.last_words()
    );
    stage.put(&[&new, &old]);
    let _server = stage.start().await;
    stage.until(&old_id, |count| count == Some(0)).await;
    stage.all_can_be_read().await;
}

#[tokio::test]
async fn what_is_under_a_key_is_counted_anew_while_it_stays_and_a_file_that_others_can_read_is_told()
 {
    let stage = Stage::new().await;
    let (key, id) = line();
    stage.put(&[&key]);
    fs::set_permissions(&stage.keys, fs::Permissions::from_mode(0o644)).expect("its owner");
    let mut server = stage.start().await;
    stage.until(&id, |count| count.is_some()).await;
    let before = stage.under(&id).await;
    let client = stage.client().await;
    let said = client.say(ACCOUNT, "c-1", "m-1", "words").await;
    said.expect("is taken");
    stage.until(&id, |count| count > before).await;
    server.kill();
    let log = || fs::read_to_string(stage.setup.path("server.log")).expect("a log");
    let warned = log().matches("chmod 600").count();
    assert_eq!(warned, 1, "{}", log());

    fs::set_permissions(&stage.keys, fs::Permissions::from_mode(0o600)).expect("its owner");
    let mut server = stage.start().await;
    server.kill();
    assert_eq!(log().matches("chmod 600").count(), warned);
}

#[tokio::test]
async fn a_key_that_a_token_file_is_under_is_not_told_to_be_free() {
    let stage = Stage::with_source(|folder| {
        fs::write(folder.join("client"), "the-client-secret").expect("written");
        format!(
            r#"
            source = "care"
            [[sources]]
            name = "care"
            [sources.system.social_connect]
            account_id = "1417"
            client_id = "parloir-app"
            client_secret = {{ file = "{0}/client" }}
            token_file = "{0}/tokens"
            "#,
            folder.display()
        )
    })
    .await;
    let ((old, old_id), (new, _)) = (line(), line());
    stage.put(&[&old]);
    let source = KeySource::File(stage.keys.clone());
    let keys = Custody::open(source, Path::new("db"), PATIENCE, false).await;
    let path = stage.keys.with_file_name("tokens");
    let file = TokenFile::new("care", &path, Some(Arc::new(keys.expect("keys").0)));
    let grant = Grant {
        access_token: "access".to_owned(),
        refresh_token: "refresh".to_owned(),
        expires_at: None,
    };
    file.write(&grant).expect("the tokens can be written");

    // Nothing in the database is under the old key, and the file does not open.
    stage.put(&[&new]);
    let mut server = stage.start().await;
    let log = || fs::read_to_string(stage.setup.path("server.log")).expect("a log");
    let told = "token files of sources are still under other master keys";
    let complains = async {
        while !log().contains(told) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let complained = tokio::time::timeout(PATIENCE, complains).await;
    complained.expect("it is told");
    assert_eq!(stage.under(&old_id).await, Some(1));
    assert!(!log().contains("the lines below the first may go"));

    stage.put(&[&new, &old]);
    stage.until(&old_id, |count| count == Some(0)).await;
    server.kill();
    file.read().expect_err("it is under the new key");
}
