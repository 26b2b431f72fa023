//! The simulated agent platform.

mod bot;
mod clock;
mod conversation;
mod converse;
mod faults;
mod faulty;
mod metadata;
mod recorder;
mod script;
mod settings;
mod signing;
mod simulator;
mod socket;
mod webhook;
mod world;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use clock::{Clock, Moment};
pub use conversation::{ConversationState, ConversationView};
pub use faults::{AnswerFault, AnswerWord, Fault, FaultWords, Faults, WebhookFault, WebhookWord};
pub use recorder::{Observation, Observer, SeenRequest, SentWebhook, WebhookAnswer};
pub use script::{
    Action, Availability, Button, Card, Dialogue, Escalation, Inactivity, Message, Parameter,
    Script, ScriptError, Step, Triggers,
};
pub use settings::{Bot, Settings};
pub use signing::{Encoding, HmacSigning, Signing, Timestamp, TimestampForm};
pub use simulator::{Simulator, StartError};

/// Locks `mutex`. No lock here is held over anything that leaves half a change behind, so one that a
/// panic poisoned is as good as any.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or_default();
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits.map(digit).collect()
}

#[cfg(test)]
mod tests;
