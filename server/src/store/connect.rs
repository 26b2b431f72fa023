//! How connections are made: every pragma through the connect options, so that each connection has it.

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use sea_orm::{
    ConnectOptions,
    sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::{
    open::OpenError,
    postgres::{self, Server},
};
use crate::keys::KeySource;

/// Readers wait this long for the moments in which `SQLite` locks them out, and the writer for a checkpoint.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The write-ahead log is cut back to this size once it was larger.
const JOURNAL_BYTES: &str = "67108864";
/// Connections that read beside the one that writes.
const READERS: u32 = 4;

/// Where the database is and how it is kept.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    pub location: Location,
    pub synchronous: Synchronous,
    /// The most pages of 4 KiB that the file may have; absent: as many as the disk holds.
    pub max_pages: Option<u32>,
    /// Where the master keys come from; by default a file beside the database.
    pub master_key: KeySource,
    /// How long a program that prints them may take.
    pub command_time_limit: Duration,
    /// How many data keys stay unwrapped in memory.
    pub cached_keys: usize,
}

impl StoreSettings {
    /// A file that survives a power cut and may fill the disk.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            location: Location::File(path.into()),
            synchronous: Synchronous::Full,
            max_pages: None,
            master_key: KeySource::default(),
            command_time_limit: Duration::from_secs(10),
            cached_keys: 20_000,
        }
    }

    /// A database as the configuration names it: `sqlite:PATH`, `sqlite://PATH`, or the URL of a `PostgreSQL` database.
    pub fn from_url(url: &str) -> Result<Self, OpenError> {
        if is_server(url) {
            return Ok(Self {
                location: Location::Server(Server::new(url)?),
                ..Self::new("")
            });
        }
        let path = url
            .strip_prefix("sqlite:")
            .map(|path| path.strip_prefix("//").unwrap_or(path))
            // In memory, nothing would be durable.
            .filter(|path| !path.is_empty() && !path.starts_with(':'));
        let path = path.ok_or_else(|| OpenError::Url {
            url: url.to_owned(),
        })?;
        Ok(Self::new(path))
    }

    /// The file, where the database is one.
    pub fn file(&self) -> Option<&Path> {
        match &self.location {
            Location::File(path) => Some(path),
            Location::Server(_) => None,
        }
    }

    pub(super) fn writer(&self) -> ConnectOptions {
        match &self.location {
            Location::File(path) => self.file_writer(path),
            Location::Server(server) => server.writer(),
        }
    }

    pub(super) fn readers(&self) -> ConnectOptions {
        match &self.location {
            Location::File(path) => self.file_readers(path),
            Location::Server(server) => server.readers(),
        }
    }

    fn file_writer(&self, path: &Path) -> ConnectOptions {
        let (settings, path) = (self.clone(), path.to_owned());
        let mut options = pool(1);
        options.map_sqlx_sqlite_opts(move |options| {
            let options = settings.common(options, &path).create_if_missing(true);
            match settings.max_pages {
                Some(pages) => options.pragma("max_page_count", pages.to_string()),
                None => options,
            }
        });
        options
    }

    fn file_readers(&self, path: &Path) -> ConnectOptions {
        let (settings, path) = (self.clone(), path.to_owned());
        let mut options = pool(READERS);
        options.map_sqlx_sqlite_opts(move |options| {
            settings.common(options, &path).pragma("query_only", "ON")
        });
        options
    }

    fn common(&self, options: SqliteConnectOptions, path: &Path) -> SqliteConnectOptions {
        options
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(match self.synchronous {
                Synchronous::Full => SqliteSynchronous::Full,
                Synchronous::Normal => SqliteSynchronous::Normal,
            })
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true)
            .pragma("journal_size_limit", JOURNAL_BYTES)
            .pragma("secure_delete", "ON")
    }
}

/// Where a database is.
#[derive(Debug, Clone)]
pub enum Location {
    /// In a file. It is made if it is not there; its folder is not.
    File(PathBuf),
    /// At a `PostgreSQL` server, shared by equal replicas.
    Server(Server),
}

impl Location {
    /// How long an answer may take. Absent: a file always answers.
    pub(super) fn patience(&self) -> Option<Duration> {
        match self {
            Self::File(_) => None,
            Self::Server(server) => Some(server.patience()),
        }
    }
}

/// Without user and password.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Server(server) => server.fmt(f),
        }
    }
}

/// Whether a URL names a `PostgreSQL` server.
pub fn is_server(url: &str) -> bool {
    postgres::SCHEMES
        .iter()
        .any(|scheme| url.starts_with(scheme))
}

/// What a commit waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Synchronous {
    /// The disk: what was acknowledged survives a power cut.
    #[default]
    Full,
    /// The operating system: it survives the end of the process, not always a power cut. About a third faster.
    Normal,
}

fn pool(connections: u32) -> ConnectOptions {
    // Only the scheme counts: the file is named by the options, so that its name may hold any character.
    let mut options = ConnectOptions::new("sqlite:parloir.db");
    options
        .max_connections(connections)
        .min_connections(connections)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .sqlx_logging(false)
        .record_stmt_in_spans(false);
    options
}
