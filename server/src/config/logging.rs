//! `[logging]`: what the server says of itself, on standard error.

use serde::{Deserialize, Serialize};

use super::section::{Kind, Setting, section};

section! {
    /// The server's own log. It holds ids, never secrets or visitors' words.
    LoggingConfig {
        /// Lines for people (`text`) or one JSON object per line (`json`).
        format: LogFormat = LogFormat::Text;
        /// What is logged: a level (`error`, `warn`, `info`, `debug`, `trace`), or levels by module, such as
        /// `info,parloir::net=debug`.
        filter: String = "info".to_owned();
        /// Lines a minute about the refused webhooks of one agent or source; the others are counted in the next line, so
        /// that a flood of forged ones does not fill the disk.
        refused_webhooks: u32 = 10, "1" to "100000";
        /// Lines a minute about the refused calls that showed one key, and about all together that showed none which
        /// exists; the others are counted in the next line.
        refused_calls: u32 = 10, "1" to "100000";
    }
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

impl Setting for LogFormat {
    const KIND: Kind = Kind::Choice(&["text", "json"]);
}
