//! How many calls are left this hour: counted here, corrected by what the answers say, closed when the limit is reached.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use http::HeaderMap;

use super::config::SocialConnectConfig;
use crate::domain::Timestamp;

/// The vendor counts calls by the hour.
const WINDOW: Duration = Duration::from_hours(1);
/// How long to stay away when the limit is reached and no answer says until when.
const UNTOLD: Duration = Duration::from_mins(1);
/// The shortest wait that is worth naming.
const SHORTEST: Duration = Duration::from_secs(1);

/// What a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Share {
    /// Messages and looking for them: not the reserve.
    Messages,
    /// Asking who answers: not the half of the reserve that changing it may need.
    Reads,
    /// Changing who answers: all that is left.
    Owner,
}

/// The calls of one token. Kept in memory: after a restart, the first answer tells what is left.
#[derive(Debug)]
pub(super) struct Budget {
    per_hour: usize,
    reserve: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// When the calls of the last hour were made.
    calls: VecDeque<Timestamp>,
    told: Option<Told>,
    /// Calls whose end is not known yet.
    in_flight: usize,
    /// The vendor has answered since the start, so what is left is known as far as it tells.
    is_answered: bool,
    closed_until: Option<Timestamp>,
}

/// What the vendor said is left, less what was called since.
#[derive(Debug, Clone, Copy)]
struct Told {
    left: usize,
    until: Timestamp,
}

/// A call that is being made. Dropped, it is in flight no more.
#[derive(Debug)]
pub(super) struct Call<'a> {
    budget: &'a Budget,
    at: Timestamp,
}

impl Call<'_> {
    /// It did not leave: it counts as never made.
    pub(super) fn give_back(self) {
        let mut state = self.budget.state();
        if let Some(place) = state.calls.iter().rposition(|at| *at == self.at) {
            state.calls.remove(place);
        }
        if let Some(told) = &mut state.told {
            told.left = told.left.saturating_add(1);
        }
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        let mut state = self.budget.state();
        state.in_flight = state.in_flight.saturating_sub(1);
    }
}

impl Budget {
    pub(super) fn new(config: &SocialConnectConfig) -> Self {
        let count = |calls: u32| usize::try_from(calls).unwrap_or(usize::MAX);
        Self {
            per_hour: count(config.calls_per_hour),
            reserve: count(config.reserve_for_handovers),
            state: Mutex::default(),
        }
    }

    /// Counts a call that is about to be made, or tells how long to wait for it.
    pub(super) fn take(&self, share: Share, now: Timestamp) -> Result<Call<'_>, Duration> {
        let mut state = self.state();
        state.forget(now);
        if let Some(until) = state.closed_until {
            return Err(until.since(now).max(SHORTEST));
        }
        let kept = match share {
            Share::Messages => self.reserve,
            Share::Reads => self.reserve.div_ceil(2),
            Share::Owner => 0,
        };
        // Others may have used the token before the start: one call finds out, instead of as many as wait.
        if share == Share::Messages && !state.is_answered && state.in_flight > 0 {
            return Err(SHORTEST);
        }
        let may = self.per_hour.saturating_sub(kept);
        if state.calls.len() >= may {
            // The call that must age out before the count is below what this share may use.
            let oldest = state.calls.get(state.calls.len() - may.max(1)).copied();
            return Err((oldest.unwrap_or(now) + WINDOW).since(now).max(SHORTEST));
        }
        if let Some(told) = &mut state.told {
            if told.left <= kept {
                return Err(told.until.since(now).max(SHORTEST));
            }
            told.left -= 1;
        }
        state.calls.push_back(now);
        state.in_flight += 1;
        Ok(Call {
            budget: self,
            at: now,
        })
    }

    /// Notes what an answer says is left. It comes before its [`Call`] is dropped.
    pub(super) fn heed(&self, headers: &HeaderMap, now: Timestamp) {
        let mut state = self.state();
        state.is_answered = true;
        let (Some(left), Some(until)) = (
            number(headers, "x-ratelimit-remaining"),
            reset(headers, now),
        ) else {
            return;
        };
        // The other calls on their way may not be counted in it yet.
        let others = state.in_flight.saturating_sub(1);
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        let left = left.saturating_sub(others);
        state.told = Some(match state.told {
            // Answers overtake each other: within a window the lowest is true, and an old window tells nothing.
            Some(told) if told.until == until => Told {
                left: told.left.min(left),
                until,
            },
            Some(told) if told.until > until => told,
            _ => Told { left, until },
        });
    }

    /// The limit is reached: no call until the time that the answer names. Tells how long that is.
    pub(super) fn close(&self, headers: &HeaderMap, now: Timestamp) -> Duration {
        let until = reset(headers, now)
            .unwrap_or(now + UNTOLD)
            .max(now + SHORTEST);
        self.state().closed_until = Some(until);
        until.since(now)
    }

    /// Calls of the last hour.
    pub(super) fn used(&self, now: Timestamp) -> usize {
        let mut state = self.state();
        state.forget(now);
        state.calls.len()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What is over counts no more.
    fn forget(&mut self, now: Timestamp) {
        while self.calls.front().is_some_and(|call| *call + WINDOW <= now) {
            self.calls.pop_front();
        }
        self.told = self.told.filter(|told| told.until > now);
        self.closed_until = self.closed_until.filter(|until| *until > now);
    }
}

/// When the vendor's window ends. Never further than an hour away, whatever is said.
fn reset(headers: &HeaderMap, now: Timestamp) -> Option<Timestamp> {
    let seconds = number(headers, "x-ratelimit-reset")?;
    let at = Timestamp(i64::try_from(seconds).ok()?.saturating_mul(1_000_000));
    Some(at.min(now + WINDOW))
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}
