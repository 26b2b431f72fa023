//! The simulated agent platform: what Zendesk AI agents - Advanced does, seen from outside.
//!
//! `parloir simulate` runs it for people, `parloir demo` plays its shop, and tests start it as a
//! [`Simulator`]. It answers `POST /converse/chat` (also below `/ai-agents/api`), keeps sessions, plays
//! dialogues from a script, and calls back by webhook: messages, actions, availability checks and
//! escalations, in order within each conversation. A ticket plays a dialogue too, and all that is said in
//! it leaves as one reply. What humans show in the platform's widget is recorded; what visitors do there is
//! up to the test: [`Simulator::widget_escalates`] begins such a conversation.
//!
//! What the platform's pages leave open is decided strictly, so that a client which counts on it fails
//! here first: a `metadata` event neither opens nor extends a session; a second start of a live session
//! sends no second welcome; a message without a start is answered without a welcome; an escalation
//! attempt ends the session, and a fallback is said in a new one.
//!
//! # Scripts
//!
//! A script is a TOML file. [`Script::shop_text`] is one that uses everything; unknown keys are refused.
//!
//! ```toml
//! welcome = "Hello!"                  # sent when a session starts
//!
//! [parameters]                        # what every session holds from its start
//! order_number = "A-1009"
//!
//! [inactivity]                        # said once when the visitor has been silent for this long
//! after = "10m"
//! text = "Are you still there?"
//!
//! [[dialogue]]                        # at least one of words, button and default
//! name = "track"
//! words = ["parcel", "my order"]      # whole words in the visitor's text, without regard to case
//! button = "Track my parcel"          # a button's label; closer than words
//! card = 1                            # with button: only on this card, from 0; closest of all
//! default = false                     # played when nothing else matches; one dialogue at most
//! fault = { status = 503, times = 1 } # what goes wrong with requests that play it
//!
//! [[dialogue.step]]                   # one message; {{name}} stands for a session parameter
//! reply = "What next, {{customer}}?"
//! buttons = ["Show mugs", { text = "Terms", link = "https://shop.example.org/terms" }]
//! confidence = 0.9                    # from 0 to 1
//!
//! [[dialogue.step]]                   # several messages
//! replies = ["First.", "Second."]
//!
//! [[dialogue.step]]                   # one to ten cards; only the title is required
//! carousel = [{ title = "Red mug", description = "0.4 l", image_url = "https://...", buttons = ["Choose"] }]
//!
//! [[dialogue.step]]                   # the caller is asked; its results become parameters
//! action = "fetch_order"
//! parameters = ["order_number", { key = "email", save_as = "contact", sanitize = true }]
//! on_failure = "I cannot look that up right now."   # then the dialogue stops
//!
//! [[dialogue.step]]                   # the caller is asked whether a team is online
//! availability = "billing"            # "" asks without a team
//! open = [{ reply = "We are here." }]
//! closed = [{ reply = "We are closed." }]
//!
//! [[dialogue.step]]                   # the last step, as nothing after it is played
//! escalate = "billing"                # "" names no target
//! fallback = "Nobody is free right now."
//!
//! # Another last step: `end = true`, with which the bot ends the session.
//! ```
//!
//! A name without a value stays in the text as `{{name}}`. The `fault` table has these keys:
//!
//! | key | meaning |
//! |---|---|
//! | `latency` | how long the answer is held back |
//! | `status`, `retry_after` | a status from 400 to 599, with a `Retry-After` |
//! | `answer` | `never`, `reset_before_headers`, `reset_after_headers`, `truncated`, `endless`, `malformed` |
//! | `redirect` | a 302 to this URL |
//! | `webhooks`, `webhook_delay` | `duplicate`, `reorder`, `late` (by the delay), `after_end`, `never` |
//! | `processed` | whether the bot reacts all the same; false with `status` and `redirect`, else true |
//! | `times` | how many requests meet it; all, if absent |
//!
//! A fault from the command line or from [`Faults`] counts before the dialogue's own, key by key.

mod asked;
mod bot;
mod clock;
mod conversation;
mod converse;
mod export;
mod faults;
mod faulty;
mod metadata;
mod recorder;
mod requests;
mod script;
mod settings;
mod signing;
mod simulator;
pub mod social_connect;
mod socket;
mod ticket;
mod user_data;
mod webhook;
mod widget;
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
pub use settings::{Bot, Organization, Settings};
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
