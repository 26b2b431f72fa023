//! What goes wrong on purpose, and whom it meets.

mod fault;
mod words;

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use super::locked;

pub use fault::{AnswerFault, Fault, WebhookFault};
pub use words::{AnswerWord, FaultWords, WebhookWord};

/// The faults in force: a queue, of which each request takes one, then the standing fault.
/// A dialogue's own fault fills what these two leave open.
#[derive(Debug, Default)]
pub struct Faults {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Fault>,
    standing: Option<Fault>,
    /// How often each dialogue's fault has been met, by bot and dialogue.
    met: HashMap<(String, String), u32>,
}

impl Faults {
    /// Puts `fault` in force for every request, or for as many as it says; replaces the one before.
    pub fn set(&self, fault: Fault) {
        locked(&self.state).standing = Some(fault);
    }

    /// Appends `fault` to the queue, once or as many times as it says.
    pub fn push(&self, fault: &Fault) {
        let times = fault.times.unwrap_or(1);
        let mut state = locked(&self.state);
        state.queue.extend((0..times).map(|_| fault.clone()));
    }

    /// Ends the standing fault and empties the queue.
    pub fn clear(&self) {
        let mut state = locked(&self.state);
        state.queue.clear();
        state.standing = None;
    }

    /// The fault that the request just arrived meets, in `dialogue` of bot `bot` if it plays one.
    pub(super) fn meet(&self, bot: &str, dialogue: Option<(&str, &Fault)>) -> Fault {
        let mut state = locked(&self.state);
        let general = state.take();
        let own = dialogue.and_then(|(name, fault)| state.take_own(bot, name, fault));
        general.unwrap_or_default().or(own.unwrap_or_default())
    }
}

impl State {
    fn take(&mut self) -> Option<Fault> {
        if let Some(fault) = self.queue.pop_front() {
            return Some(fault);
        }
        let standing = self.standing.as_mut()?;
        match &mut standing.times {
            None => {}
            Some(0) => return None,
            Some(left) => *left -= 1,
        }
        Some(standing.clone())
    }

    fn take_own(&mut self, bot: &str, dialogue: &str, fault: &Fault) -> Option<Fault> {
        let met = self.met.entry((bot.to_owned(), dialogue.to_owned()));
        let met = met.or_default();
        *met = met.saturating_add(1);
        (*met <= fault.times.unwrap_or(u32::MAX)).then(|| fault.clone())
    }
}
