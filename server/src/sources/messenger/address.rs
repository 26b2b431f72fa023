//! How a visitor is reached: the page-scoped id by which the page knows them.

use serde::{Deserialize, Serialize};

/// What is kept of a contact.
#[derive(Serialize, Deserialize)]
pub(super) struct Address {
    pub(super) psid: String,
}

impl Address {
    pub(super) fn write(psid: &str) -> String {
        serde_json::json!({ "psid": psid }).to_string()
    }

    /// `None`: it was not written here.
    pub(super) fn read(text: &str) -> Option<Self> {
        let address: Self = serde_json::from_str(text).ok()?;
        (!address.psid.is_empty()).then_some(address)
    }
}
