//! Events as a person wants to read them: one line each, safe to print whatever a visitor or an agent wrote.

mod names;
mod words;

#[cfg(test)]
mod tests;

use std::{
    borrow::Cow,
    fmt::Write,
    io,
    time::{Duration, SystemTime},
};

use anyhow::Result;
use parloir_proto::v1::{DeliveredEvent, Event};

pub(super) use names::owner_change_cause;
pub use names::{evidence, kind_name, kinds, owner};
pub use words::words;
pub(super) use words::{button, cause, delivery_trouble};

/// Year 9999, the last that a date of this form can name.
const LAST_SECOND: i64 = 253_402_300_799;

/// An event in one line: when, where, its number in the conversation, its kind, and what it says.
pub fn line(delivered: &DeliveredEvent) -> String {
    let Some(event) = &delivered.event else {
        return String::new();
    };
    let superseded = if event.superseded {
        "(superseded) "
    } else {
        ""
    };
    format!(
        "{}  {}  {:<20}  {superseded}{}",
        time(event),
        place(event),
        kind(event),
        words(event)
    )
}

/// The kind of an event under the name that the contract gives to its part of `Event.body`. `unknown` for a kind that
/// this version does not know.
pub fn kind(event: &Event) -> &'static str {
    names::kind_of(event).map_or("unknown", kind_name)
}

/// When an event was recorded, in UTC, by the second.
pub fn time(event: &Event) -> String {
    let seconds = event.recorded_at.map_or(0, |at| at.seconds);
    second(seconds)
}

/// A second since 1970 as a date and a time in UTC. What no date of four digits can name is cut to the nearest.
pub(super) fn second(seconds: i64) -> String {
    let seconds = seconds.clamp(0, LAST_SECOND).unsigned_abs();
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    humantime::format_rfc3339_seconds(at).to_string()
}

/// Text on one line. Control characters could move the cursor, recolour the screen or forge a line: they become
/// spaces.
pub fn one_line(text: &str) -> Cow<'_, str> {
    if text.contains(char::is_control) {
        Cow::Owned(text.replace(char::is_control, " "))
    } else {
        Cow::Borrowed(text)
    }
}

/// Text with its own lines kept and every other control character made a space.
pub(super) fn many_lines(text: &str) -> String {
    text.replace(|c: char| c.is_control() && c != '\n', " ")
}

/// What a program that prints answers when nobody reads any more (`parloir tail | head`): nothing.
pub fn unless_nobody_reads(outcome: Result<()>) -> Result<()> {
    match outcome {
        Err(error)
            if error
                .downcast_ref::<io::Error>()
                .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) =>
        {
            Ok(())
        }
        outcome => outcome,
    }
}

/// `account/conversation #3`, or the agent for an event that belongs to no conversation.
fn place(event: &Event) -> String {
    if event.conversation_id.is_empty() {
        return format!("agent {}", one_line(&event.agent));
    }
    let mut place = format!(
        "{}/{}",
        one_line(&event.account),
        one_line(&event.conversation_id)
    );
    if event.sequence > 0 {
        // Writing to a string cannot fail.
        let _ = write!(place, "  #{}", event.sequence);
    }
    place
}
