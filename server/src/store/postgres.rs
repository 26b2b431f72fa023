//! `PostgreSQL`: how its connections are made. Time is bounded at the server, because a query that is given up here would
//! leave its connection in an unknown state.

use std::{fmt, str::FromStr, time::Duration};

use sea_orm::{
    ConnectOptions,
    sqlx::{
        Executor,
        postgres::{PgConnectOptions, PgPoolOptions},
    },
};
use secrecy::{ExposeSecret, SecretString};

use super::open::OpenError;

pub(super) const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// As `database.readers` and `database.statement_timeout`.
const READERS: u32 = 16;
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a query waits for a free connection before it is refused: a caller retries better than it waits.
const ACQUIRE: Duration = Duration::from_secs(3);
/// Connections are replaced this often, so that they follow a server that has moved behind its name.
const LIFETIME: Duration = Duration::from_mins(30);
/// A connection that was idle for longer is tried before it is used.
const TRIED_AFTER_IDLE: Duration = Duration::from_secs(30);

/// Keepalives by the server: it lets go of what a replica that vanished had locked within a few seconds.
const KEEPALIVES: [(&str, &str); 3] = [
    ("tcp_keepalives_idle", "3"),
    ("tcp_keepalives_interval", "2"),
    ("tcp_keepalives_count", "2"),
];

/// A database at a `PostgreSQL` server.
#[derive(Clone)]
pub struct Server {
    options: Box<PgConnectOptions>,
    readers: u32,
    statement_timeout: Duration,
}

impl Server {
    pub(super) fn new(url: &str) -> Result<Self, OpenError> {
        // What is wrong with it is not repeated: it may hold a password.
        let options = PgConnectOptions::from_str(url).map_err(|_| OpenError::ServerUrl)?;
        Ok(Self {
            options: Box::new(options),
            readers: READERS,
            statement_timeout: STATEMENT_TIMEOUT,
        })
    }

    /// With this password.
    #[must_use]
    pub fn with_password(mut self, password: &SecretString) -> Self {
        self.options = Box::new(self.options.password(password.expose_secret()));
        self
    }

    /// With so many connections that read.
    #[must_use]
    pub fn with_readers(mut self, readers: u32) -> Self {
        self.readers = readers;
        self
    }

    /// The server ends what takes longer. The head of the log is locked while a transaction lasts, and everybody waits for
    /// it: a replica that stands still in the middle of one loses it after as long.
    #[must_use]
    pub fn with_statement_timeout(mut self, timeout: Duration) -> Self {
        self.statement_timeout = timeout;
        self
    }

    /// After this, no answer comes any more: the server would have ended the statement.
    pub(super) fn patience(&self) -> Duration {
        self.statement_timeout * 2
    }

    /// The one connection that writes.
    pub(super) fn writer(&self) -> ConnectOptions {
        self.pool(1)
    }

    pub(super) fn readers(&self) -> ConnectOptions {
        self.pool(self.readers)
    }

    /// A connection outside of the pools, to listen by.
    pub(super) fn connection(&self) -> PgConnectOptions {
        self.limited()
    }

    fn pool(&self, connections: u32) -> ConnectOptions {
        let limited = self.limited();
        // Only the scheme counts.
        let mut options = ConnectOptions::new("postgres://server");
        options
            .max_connections(connections)
            .min_connections(1)
            .acquire_timeout(ACQUIRE)
            .connect_timeout(ACQUIRE)
            .max_lifetime(LIFETIME)
            .test_before_acquire(false)
            .test_before_acquire_if_idle_for(TRIED_AFTER_IDLE)
            .sqlx_logging(false)
            .record_stmt_in_spans(false)
            .map_sqlx_postgres_opts(move |_| limited.clone())
            .map_sqlx_postgres_pool_opts(healed);
        options
    }

    fn limited(&self) -> PgConnectOptions {
        let limit = format!("{}ms", self.statement_timeout.as_millis());
        let limits = [
            ("statement_timeout", limit.as_str()),
            ("idle_in_transaction_session_timeout", limit.as_str()),
        ];
        let options = PgConnectOptions::clone(&self.options).application_name("parloir");
        options.options(limits).options(KEEPALIVES)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_string())
    }
}

/// Without user and password.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let database = self.options.get_database().unwrap_or_default();
        let (host, port) = (self.options.get_host(), self.options.get_port());
        write!(f, "postgres://{host}:{port}/{database}")
    }
}

/// A connection whose query was given up may come back inside an open transaction, in which later writes would be answered
/// and lost.
fn healed(options: PgPoolOptions) -> PgPoolOptions {
    options.after_release(|connection, _| {
        Box::pin(async move {
            // A ROLLBACK alone would make the server warn of each connection that has nothing to roll back.
            connection.execute("BEGIN; ROLLBACK").await?;
            Ok(true)
        })
    })
}
