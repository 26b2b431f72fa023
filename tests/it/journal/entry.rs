//! What a journal holds, one JSON object a line.

use std::{fs, io::Write as _, path::Path};

use serde::{Deserialize, Serialize};

/// Something a driver saw happen. `tick` comes from one counter that all drivers share, so that of two entries with
/// ticks the one with the lower was written first, whichever driver wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// A call or a webhook is about to be sent. Retries of one operation carry the same key.
    Asked {
        tick: u64,
        conversation: String,
        key: String,
    },
    /// It was answered OK, or 2xx: from here on it must never be lost.
    Acknowledged { tick: u64, key: String },
    /// A caller asked for the message to be sent once more.
    Resent { key: String },
    /// A subscriber begins: it is owed every event after `after` that is of these conversations (none named: all).
    Subscribed {
        subscriber: String,
        after: u64,
        conversations: Vec<String>,
    },
    /// An event reached a subscriber on its n-th connection.
    Delivered {
        subscriber: String,
        connection: u32,
        logged: Logged,
    },
    /// The agent got a visitor's message.
    AgentSaw { conversation: String, key: String },
}

/// An event at its place in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logged {
    pub position: u64,
    pub event_id: String,
    /// Empty for events of no conversation, whose `sequence` is 0.
    pub conversation: String,
    pub sequence: u64,
    pub fact: Fact,
}

/// What an event says, as far as the checker looks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// An operation, by its key. `owed` when it is a message that the agent is to get.
    Operation { key: String, owed: bool },
    /// What became of a message.
    Settled { key: String, how: Settled },
    /// Anything else.
    Other,
}

/// How a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settled {
    Delivered,
    /// It may have arrived or not: neither is a fault.
    Unknown,
    Failed,
}

/// What one driver wrote, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Journal(pub Vec<Entry>);

impl Journal {
    /// For people who look for the cause afterwards.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        let mut file = std::io::BufWriter::new(fs::File::create(path)?);
        for entry in &self.0 {
            serde_json::to_writer(&mut file, entry)?;
            file.write_all(b"\n")?;
        }
        file.flush()
    }

    pub fn read(path: &Path) -> std::io::Result<Self> {
        let text = fs::read_to_string(path)?;
        let entries = text
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()?;
        Ok(Self(entries))
    }
}
