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

/// Connections that read, of each replica.
const READERS: u32 = 16;
/// How long a query waits for a free connection before it is refused: a caller retries better than it waits.
const ACQUIRE: Duration = Duration::from_secs(3);
/// Connections are replaced this often, so that they follow a server that has moved behind its name.
const LIFETIME: Duration = Duration::from_secs(30 * 60);
/// A connection that was idle for longer is tried before it is used.
const TRIED_AFTER_IDLE: Duration = Duration::from_secs(30);

/// The server ends what takes longer. The head of the log is locked while a transaction lasts, and everybody waits for it:
/// a replica that stands still in the middle of one loses it after the second of these.
const LIMITS: [(&str, &str); 5] = [
    ("statement_timeout", "5s"),
    ("idle_in_transaction_session_timeout", "3s"),
    // Keepalives by the server: a replica that vanished lets go of the head within a few seconds.
    ("tcp_keepalives_idle", "3"),
    ("tcp_keepalives_interval", "2"),
    ("tcp_keepalives_count", "2"),
];

/// A database at a `PostgreSQL` server.
#[derive(Clone)]
pub struct Server {
    url: SecretString,
    options: PgConnectOptions,
}

impl Server {
    pub(super) fn new(url: &str) -> Result<Self, OpenError> {
        // What is wrong with it is not repeated: it may hold a password.
        let options = PgConnectOptions::from_str(url).map_err(|_| OpenError::ServerUrl)?;
        Ok(Self {
            url: url.into(),
            options,
        })
    }

    /// The one connection that writes.
    pub(super) fn writer(&self) -> ConnectOptions {
        self.pool(1)
    }

    pub(super) fn readers(&self) -> ConnectOptions {
        self.pool(READERS)
    }

    /// A connection outside of the pools, to listen by.
    pub(super) fn connection(&self) -> PgConnectOptions {
        limited(self.options.clone())
    }

    fn pool(&self, connections: u32) -> ConnectOptions {
        let mut options = ConnectOptions::new(self.url.expose_secret());
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
            .map_sqlx_postgres_opts(limited)
            .map_sqlx_postgres_pool_opts(healed);
        options
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

fn limited(options: PgConnectOptions) -> PgConnectOptions {
    options.application_name("parloir").options(LIMITS)
}

/// A connection whose query was given up may come back inside an open transaction, in which later writes would be answered
/// and lost.
fn healed(options: PgPoolOptions) -> PgPoolOptions {
    options.after_release(|connection, _| {
        Box::pin(async move {
            connection.execute("ROLLBACK").await?;
            Ok(true)
        })
    })
}
