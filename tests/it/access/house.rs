//! A server that asks who calls, its keys, and calls to any of its methods.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use parloir::{access::Key, app::App, config};
use parloir_client::{Builder, Client};
use secrecy::ExposeSecret;
use tempfile::TempDir;
use tonic::{
    Code, Request, Status,
    client::Grpc,
    transport::{Channel, Endpoint},
};
use tonic_prost::ProstCodec;
use tonic_types::StatusExt;

use crate::support::clock::TestClock;

/// Longer than anything here may take.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A server without agents: whoever is let in is told that the account is not known, and nothing else happens.
pub struct House {
    pub app: App,
    pub clock: Arc<TestClock>,
    folder: TempDir,
}

impl House {
    /// `more` is TOML; it is told in which folder the files are that `prepare` has put there.
    pub async fn start(more: impl FnOnce(&Path) -> String) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let more = more(folder.path());
        let database = folder.path().join("parloir.db");
        let text = format!(
            "grpc.listen = \"127.0.0.1:0\"\nwebhooks.listen = \"127.0.0.1:0\"\nops.listen = \"127.0.0.1:0\"\n\
             database.url = \"sqlite:{}\"\nshutdown.notice = \"0s\"\n{more}",
            database.display()
        );
        let file = folder.path().join("parloir.toml");
        fs::write(&file, text).expect("written");
        let loaded = config::load(Some(&file), std::iter::empty()).expect("a valid configuration");
        let clock = Arc::new(TestClock::default());
        let app = App::start_by(&loaded.config, Arc::clone(&clock) as _).await;
        Self {
            app: app.expect("a server that starts"),
            clock,
            folder,
        }
    }

    /// With a caller of each scope, named after it.
    pub async fn with_callers(more: &str) -> Self {
        Self::start(|folder| {
            let callers = ["converse", "subscribe", "respond", "admin"]
                .map(|scope| caller(folder, scope, &format!("\"{scope}\""), ""));
            format!("{more}\n{}", callers.concat())
        })
        .await
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The key of a configured caller.
    pub fn key(&self, caller: &str) -> String {
        let text = fs::read_to_string(self.path(&format!("{caller}.key")));
        text.expect("a key").trim().to_owned()
    }

    pub fn builder(&self) -> Builder {
        Client::builder(format!("http://{}", self.app.grpc()))
            .attempts(1)
            .deadline(PATIENCE)
    }

    pub async fn client(&self, caller: &str) -> Client {
        let builder = self.builder().key(self.key(caller));
        builder.connect().await.expect("a server that listens")
    }

    pub async fn channel(&self) -> Channel {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.app.grpc()));
        let endpoint = endpoint.expect("a URL");
        endpoint.connect().await.expect("a server that listens")
    }

    /// What the server counts, as the operators' listener tells it.
    pub async fn metrics(&self) -> String {
        let mut connection = crate::support::http::Connection::open(self.app.ops()).await;
        connection.head("GET", "/metrics", &[]).await;
        connection.reply().await.expect("an answer").body
    }
}

/// A fresh key in a file, and the TOML of the caller that has it.
pub fn caller(folder: &Path, name: &str, scopes: &str, more: &str) -> String {
    let path = folder.join(format!("{name}.key"));
    fs::write(&path, fresh_key()).expect("written");
    format!(
        "[[callers]]\nname = \"{name}\"\nscopes = [{scopes}]\nkeys = [{{ file = \"{}\" }}]\n{more}\n",
        path.display()
    )
}

pub fn fresh_key() -> String {
    let key = Key::generate().expect("random");
    key.text().expose_secret().to_owned()
}

/// Calls a method by its path with an empty message; `authorization` as it stands in the header.
pub async fn call(
    channel: &Channel,
    path: &str,
    authorization: Option<&str>,
) -> Result<(), Status> {
    let mut grpc = Grpc::new(channel.clone());
    grpc.ready().await.expect("a connection");
    let mut request = Request::new(());
    if let Some(value) = authorization {
        let value = value.parse().expect("a header");
        request.metadata_mut().insert("authorization", value);
    }
    let path = path.parse().expect("a path");
    // Answers to calls that are no streams fit this form, too.
    let answered = grpc
        .server_streaming(request, path, ProstCodec::<(), ()>::default())
        .await;
    answered.map(drop)
}

pub fn bearer(key: &str) -> String {
    format!("Bearer {key}")
}

pub fn reason(status: &Status) -> String {
    let info = status.get_details_error_info();
    info.map(|info| info.reason).unwrap_or_default()
}

/// That the guard refused for this reason.
pub fn assert_refused(answer: Result<(), Status>, code: Code, expected: &str, what: &str) {
    let status = answer.expect_err(what);
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (code, expected),
        "{what}: {status:?}"
    );
}

/// That the guard let it in, whatever it was answered then.
pub fn assert_admitted(answer: &Result<(), Status>, what: &str) {
    if let Err(status) = answer {
        let refused = [
            "CREDENTIALS_MISSING",
            "CREDENTIALS_INVALID",
            "SCOPE_MISSING",
            "METHOD_CLOSED",
        ];
        assert!(
            !refused.contains(&reason(status).as_str()),
            "{what}: {status:?}"
        );
    }
}
