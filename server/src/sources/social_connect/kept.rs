//! The newest tokens: those of the file, and those that could not be written to it yet.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{
    oauth::Grant,
    token::NoToken,
    token_file::{Found, TokenFile, Unread},
};
use crate::{
    domain::{Clock, Timestamp},
    keys::NotOpened,
};

/// How long a file that could not be written is not tried again: a full disk is not freed by the second.
const PAUSE: Duration = Duration::from_mins(1);

/// The newest tokens that we know of.
#[derive(Debug)]
pub(super) struct Kept {
    file: TokenFile,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    unwritten: Option<Unwritten>,
    /// When the file may be sealed anew, after that failed.
    seal_at: Timestamp,
}

/// Tokens that exist in memory alone. Those that they replaced are void: the vendor takes a refresh token once.
#[derive(Debug)]
struct Unwritten {
    replaced: Grant,
    next: Grant,
    try_at: Timestamp,
}

impl Kept {
    pub(super) fn new(file: TokenFile, clock: &Arc<dyn Clock>) -> Self {
        Self {
            file,
            clock: Arc::clone(clock),
            state: Mutex::default(),
        }
    }

    /// The name of the source, for the log.
    pub(super) fn source(&self) -> &str {
        self.file.source()
    }

    /// The file's tokens, looked at for every call, so that another login counts at once; or those that should have
    /// taken the place of what is still there.
    pub(super) fn read(&self) -> Result<Grant, NoToken> {
        let mut state = self.state();
        let found = self.found(&mut state).map_err(|unread| {
            NoToken::Refused(format!("token_file {unread}: run parloir source-login"))
        })?;
        let unwritten = &mut state.unwritten;
        let waiting = unwritten.take_if(|waiting| waiting.replaced != found.grant);
        if waiting.is_some() {
            let source = self.source();
            tracing::info!(
                source,
                "somebody else has written token_file: its tokens count"
            );
        }
        let Some(waiting) = unwritten.as_mut() else {
            return Ok(found.grant);
        };
        let next = waiting.next.clone();
        if waiting.try_at <= self.clock.now() {
            waiting.try_at = self.clock.now() + PAUSE;
            if self.is_written(&next) {
                *unwritten = None;
            }
        }
        Ok(next)
    }

    /// Under which master key the file is, after it was sealed anew where that was not the one that seals.
    pub(super) fn reseal(&self) -> Option<String> {
        match self.found(&mut self.state()) {
            Ok(found) => found.master_id,
            Err(Unread::Sealed(NotOpened::NoKey(id) | NotOpened::WrongKey(id))) => Some(id),
            Err(_) => None,
        }
    }

    /// What stands in the file, sealed anew first where it is plain or under another key than the one that seals.
    fn found(&self, state: &mut State) -> Result<Found, Unread> {
        let found = self.file.read()?;
        let now = self.clock.now();
        if self.file.is_current(found.master_id.as_deref()) || now < state.seal_at {
            return Ok(found);
        }
        let source = self.source();
        if let Err(error) = self.file.write(&found.grant) {
            state.seal_at = now + PAUSE;
            let was = found.master_id.as_deref().unwrap_or("none");
            tracing::error!(source, %error, was, "token_file cannot be sealed under the first master key: its folder \
                must be writable");
            return Ok(found);
        }
        if found.master_id.is_none() {
            tracing::info!(source, "token_file was plain and is sealed now");
        } else {
            tracing::info!(
                source,
                "token_file was sealed anew under the first master key"
            );
        }
        self.file.read()
    }

    /// Keeps `next`, which `replaced` was renewed to; not where somebody else has changed the file since.
    pub(super) fn keep(&self, replaced: &Grant, next: Grant) {
        let mut state = self.state();
        // What never came to the file was replaced a second time: the file still holds what was there before.
        let former = state.unwritten.take();
        let former = former.filter(|former| former.next == *replaced);
        let replaced = former.map_or_else(|| replaced.clone(), |former| former.replaced);
        let found = self.file.read();
        let is_untouched = found.is_ok_and(|found| found.grant == replaced);
        if is_untouched && self.is_written(&next) {
            return;
        }
        // Where the file holds something else, the next reader finds out, and lets it be.
        state.unwritten = Some(Unwritten {
            replaced,
            next,
            try_at: self.clock.now() + PAUSE,
        });
    }

    fn is_written(&self, next: &Grant) -> bool {
        let written = self.file.write(next);
        if let Err(error) = &written {
            let source = self.source();
            tracing::error!(source, %error, "the renewed token cannot be written to token_file: a restart loses it");
        }
        written.is_ok()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
