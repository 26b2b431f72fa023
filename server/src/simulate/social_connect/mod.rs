//! A simulated Qualtrics Social Connect: accounts, contacts, private messages, handovers and tags, seen from outside.
//!
//! [`Platform`] is the whole of it without a socket: what it is asked, it answers, and what happens in it waits as
//! webhooks to be sent. [`SocialConnect`] puts it behind a listener and sends them.
//!
//! What the vendor documents is kept: the envelope, the names of errors, 400 for a limit that is reached, topics that
//! some channels' contacts need, tag modes, direct publishing for private messages of listed applications alone. What
//! it does not document is decided strictly, so that a client which counts on it fails here first: no webhook is sent
//! twice or again, our own publications come back as webhooks, and addresses of further pages carry the token.

mod access;
mod contact;
mod fault;
mod handover;
mod inbox;
mod people;
mod platform;
mod publisher;
mod record;
mod server;
mod settings;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub use fault::{FailedAnswer, Failure};
pub use platform::Platform;
pub use record::{Call, SeenCall};
pub use server::{PostedWebhook, SocialConnect};
pub use settings::Settings;
pub use state::{Contact, Line, Speaker};
pub use wire::{Reply, Request};
