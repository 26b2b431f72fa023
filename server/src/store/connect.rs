//! How connections are made: every pragma through the connect options, so that each connection has it.

use std::{path::PathBuf, time::Duration};

use sea_orm::{
    ConnectOptions,
    sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::open::OpenError;
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
    /// The file. It is made if it is not there; its folder is not.
    pub path: PathBuf,
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
            path: path.into(),
            synchronous: Synchronous::Full,
            max_pages: None,
            master_key: KeySource::default(),
            command_time_limit: Duration::from_secs(10),
            cached_keys: 20_000,
        }
    }

    /// A database as the configuration names it: `sqlite:PATH`, or `sqlite://PATH`.
    pub fn from_url(url: &str) -> Result<Self, OpenError> {
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

    pub(super) fn writer(&self) -> ConnectOptions {
        let settings = self.clone();
        let mut options = pool(1);
        options.map_sqlx_sqlite_opts(move |options| {
            let options = settings.common(options).create_if_missing(true);
            match settings.max_pages {
                Some(pages) => options.pragma("max_page_count", pages.to_string()),
                None => options,
            }
        });
        options
    }

    pub(super) fn readers(&self) -> ConnectOptions {
        let settings = self.clone();
        let mut options = pool(READERS);
        options.map_sqlx_sqlite_opts(move |options| {
            settings.common(options).pragma("query_only", "ON")
        });
        options
    }

    fn common(&self, options: SqliteConnectOptions) -> SqliteConnectOptions {
        options
            .filename(&self.path)
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
