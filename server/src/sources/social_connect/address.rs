//! How a contact is reached, as it is kept with the conversation.

use serde::{Deserialize, Serialize};

use super::client::{Failure, ours};

/// Written by the newest message of the contact, read for every call about it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Address {
    /// The channel as messages name it.
    pub(super) channel: String,
    /// The same as the calls for contacts and handovers name it.
    pub(super) service: String,
    /// The contact's id there; may be a phone number.
    pub(super) service_id: String,
    pub(super) topic_id: String,
    /// The message that is answered.
    pub(super) mention_id: String,
    /// Our profile that answers; empty where the message did not tell.
    #[serde(default)]
    pub(super) profile: String,
}

impl Address {
    pub(super) fn read(text: &str) -> Result<Self, Failure> {
        serde_json::from_str(text).map_err(|_| ours("the contact's address cannot be read"))
    }

    pub(super) fn write(&self) -> String {
        // Strings alone always serialise.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What tells the contact from all others, under the channel's own name: settings may change the other.
    pub(super) fn key(&self) -> String {
        format!("{}/{}", self.channel, self.service_id)
    }
}
