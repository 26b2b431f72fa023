//! Times as they are typed: an instant, or how long from now.

use std::time::{Duration, SystemTime};

use prost_types::Timestamp;

use crate::commands::terminal;

/// An instant in UTC.
pub(super) fn instant(text: &str) -> Result<SystemTime, String> {
    humantime::parse_rfc3339_weak(text)
        .map_err(|_| "is no time: write 2026-11-27T08:00:00Z".to_owned())
}

/// A length with its unit.
pub(super) fn length(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "is no duration: write 90days or 12h".to_owned())
}

/// An instant, or how long ago it was.
pub(super) fn past(text: &str) -> Result<SystemTime, String> {
    if let Ok(at) = instant(text) {
        return Ok(at);
    }
    let ago = length(text)
        .map_err(|_| "is neither a time, 2026-11-27T08:00:00Z, nor a duration, 24h".to_owned())?;
    SystemTime::now()
        .checked_sub(ago)
        .ok_or_else(|| "is before all times".to_owned())
}

pub(super) fn timestamp(at: SystemTime) -> Timestamp {
    Timestamp::from(at)
}

/// How a time is shown, `absent` where there is none.
pub(super) fn shown(at: Option<&Timestamp>, absent: &str) -> String {
    at.map_or_else(|| absent.to_owned(), |at| terminal::second(at.seconds))
}
