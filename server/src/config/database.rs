//! `[database]`: where everything is kept.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::section::{Kind, Setting, section};
use crate::secret::Secret;

section! {
    /// The database.
    DatabaseConfig {
        /// The embedded database's file, as `sqlite:PATH`: it is made when it is not there, and only one server may use
        /// it at a time. Or a `PostgreSQL` database that any number of replicas share:
        /// `postgres://USER@HOST:5432/NAME?sslmode=verify-full&sslrootcert=FILE`, without a password.
        url: String = "sqlite:parloir.db".to_owned();
        /// The password at a `PostgreSQL` server. Where it is not set, `PGPASSWORD` and `PGPASSFILE` count.
        password: Secret = Secret::default();
        /// Connections of each replica that read at a `PostgreSQL` server; it takes one more that writes, one that listens,
        /// and one for a moment while it starts.
        readers: u32 = 16, "1" to "1000";
        /// A `PostgreSQL` server ends a statement that takes longer, and a transaction in which a replica stands still for
        /// as long: others wait for it. A server that answers nothing for twice as long is taken for gone.
        #[serde(with = "humantime_serde")]
        statement_timeout: Duration = Duration::from_secs(5), "1s" to "1m";
        /// What a commit waits for. `full`: until it is on the disk, so that it survives a loss of power. `normal`:
        /// until the operating system has it; faster, and it survives the end of the process only.
        synchronous: Synchronous = Synchronous::Full;
        /// How large the file may grow, in bytes; absent: as large as the disk allows. When it is full, or the disk is,
        /// commands are answered `RESOURCE_EXHAUSTED` and webhooks 503 until retention has made room. Reading goes on.
        max_bytes: Option<u64> = None, "1048576" to "17592186040320";
    }
}

/// What a commit waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Synchronous {
    /// The disk.
    Full,
    /// The operating system.
    Normal,
}

impl Setting for Synchronous {
    const KIND: Kind = Kind::Choice(&["full", "normal"]);
}
