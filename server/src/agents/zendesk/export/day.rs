//! The day of an export, as the platform takes it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};

use crate::domain::Timestamp;

/// The platform keeps exports for this long.
const KEPT_DAYS: u64 = 30;
const SECONDS_PER_DAY: u64 = 86_400;

/// A day in UTC, one of the last thirty or today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day(String);

impl Day {
    /// Reads `2026-09-29`. Refuses what the platform would not have at `now`.
    pub fn parse(text: &str, now: Timestamp) -> anyhow::Result<Self> {
        let day = number_of(text).context("must be a day written as in 2026-09-29")?;
        let now = u64::try_from(now.0).map_or(Duration::ZERO, Duration::from_micros);
        let today = now.as_secs() / SECONDS_PER_DAY;
        if day > today {
            bail!("is not over yet: days are counted in UTC");
        }
        if today - day > KEPT_DAYS {
            bail!("is more than {KEPT_DAYS} days ago, and the platform keeps no older exports");
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The day's number since 1970.
fn number_of(text: &str) -> Option<u64> {
    let shape = |(at, byte): (usize, u8)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    if text.len() != 10 || !text.bytes().enumerate().all(shape) {
        return None;
    }
    let midnight: SystemTime = humantime::parse_rfc3339(&format!("{text}T00:00:00Z")).ok()?;
    let since = midnight.duration_since(UNIX_EPOCH).ok()?;
    Some(since.as_secs() / SECONDS_PER_DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-20 13:00 UTC.
    const NOW: Timestamp = Timestamp((1_795_132_800 + 13 * 3600) * 1_000_000);

    #[test]
    fn check_100_only_one_of_the_last_thirty_days_is_asked_for() {
        for fine in ["2026-11-20", "2026-11-19", "2026-10-31", "2026-10-21"] {
            let day = Day::parse(fine, NOW).expect(fine);
            assert_eq!(day.as_str(), fine);
        }
        for (bad, words) in [
            ("2026-10-20", "30 days ago"),
            ("2025-11-20", "30 days ago"),
            ("2026-11-21", "not over yet"),
            ("2027-01-01", "not over yet"),
            ("2026-11-31", "written as in"),
            ("2026-02-29", "written as in"),
            ("2026-13-01", "written as in"),
            ("2026-00-10", "written as in"),
            ("2026-1-1", "written as in"),
            ("20261120", "written as in"),
            ("2026/11/20", "written as in"),
            ("2026-11-20T00", "written as in"),
            (" 2026-11-20", "written as in"),
            ("yesterday", "written as in"),
            ("+026-11-20", "written as in"),
            ("", "written as in"),
        ] {
            let error = Day::parse(bad, NOW).expect_err(bad).to_string();
            assert!(error.contains(words), "{bad}: {error}");
        }
    }

    #[test]
    fn the_day_begins_at_midnight_utc() {
        let midnight = Timestamp(1_795_132_800 * 1_000_000);
        assert!(Day::parse("2026-11-20", midnight).is_ok());
        let before = Timestamp(midnight.0 - 1);
        assert!(Day::parse("2026-11-20", before).is_err());
        assert!(Day::parse("2026-10-20", before).is_ok());
    }
}
