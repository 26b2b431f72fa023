//! A visitor as `LivePerson` knows one: a conversation of an account.

use serde::Deserialize;

use crate::domain::source::Contact;

/// How a visitor is reached: in the answer to a call about this conversation, whichever bot it was addressed to.
#[derive(Deserialize)]
struct Address {
    conversation: String,
}

/// The visitor of a conversation.
pub(super) fn contact(account_id: &str, conversation: &str) -> Contact {
    let address = serde_json::json!({ "conversation": conversation });
    Contact {
        key: format!("{account_id}/{conversation}"),
        address: address.to_string(),
    }
}

/// The conversation that an address of ours names.
pub(super) fn conversation(address: &str) -> Option<String> {
    let address: Address = serde_json::from_str(address).ok()?;
    Some(address.conversation)
}
