//! `[database]`: where everything is kept.

use serde::{Deserialize, Serialize};

use super::section::{Kind, Setting, section};

section! {
    /// The database.
    DatabaseConfig {
        /// The embedded database's file, as `sqlite:PATH`. It is made when it is not there; only one server may use
        /// it at a time.
        url: String = "sqlite:parloir.db".to_owned();
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
