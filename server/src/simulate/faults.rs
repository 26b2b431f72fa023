//! What goes wrong on purpose: in the answers to requests, and with the webhooks.

mod words;

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use super::locked;

pub use words::{AnswerWord, FaultWords, WebhookWord};

/// One fault. The default is none; the functions below make and refine one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// How long the answer is held back after the request has arrived.
    pub latency: Option<Duration>,
    /// What is answered in place of an empty 200.
    pub answer: Option<AnswerFault>,
    /// What happens to the webhooks that the request leads to.
    pub webhooks: Option<WebhookFault>,
    /// Whether the bot reacts to the request nevertheless. Absent: only where the fault does not say
    /// by a status that the request was refused.
    pub processed: Option<bool>,
    /// How many requests meet this fault. Absent: all.
    pub times: Option<u32>,
}

/// A wrong answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswerFault {
    Status {
        code: u16,
        retry_after: Option<Duration>,
    },
    /// The request is read and no byte comes back.
    NeverAnswer,
    /// A TCP reset in place of an answer.
    ResetBeforeHeaders,
    /// A 200 with its headers and the first bytes of a body, then a TCP reset.
    ResetAfterHeaders,
    /// A body shorter than its Content-Length, then an orderly close.
    TruncatedBody,
    /// A body that never ends.
    EndlessBody,
    /// A 200 whose JSON does not parse.
    MalformedBody,
    /// A 302 to this URL.
    Redirect(String),
}

/// What goes wrong with the webhooks of one turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookFault {
    /// Each is sent twice with the same `messageId`; those that wait for an answer, twice at once.
    Duplicate,
    /// Neighbouring messages change places.
    Reorder,
    /// Each goes out this long after the request has arrived; messages do not wait for one another.
    Late(Duration),
    /// Messages are kept until the conversation has ended.
    AfterEnd,
    /// Nothing is sent; what waits for an answer counts as failed.
    Never,
}

impl Fault {
    pub fn answer(answer: AnswerFault) -> Self {
        Self {
            answer: Some(answer),
            ..Self::default()
        }
    }

    pub fn status(code: u16) -> Self {
        Self::answer(AnswerFault::Status {
            code,
            retry_after: None,
        })
    }

    /// A status with a `Retry-After` header, rounded up to whole seconds.
    pub fn status_retry_after(code: u16, retry_after: Duration) -> Self {
        Self::answer(AnswerFault::Status {
            code,
            retry_after: Some(retry_after),
        })
    }

    pub fn latency(latency: Duration) -> Self {
        Self {
            latency: Some(latency),
            ..Self::default()
        }
    }

    pub fn webhooks(webhooks: WebhookFault) -> Self {
        Self {
            webhooks: Some(webhooks),
            ..Self::default()
        }
    }

    /// Limits the fault to the next `times` requests.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Says whether the bot reacts to the request although it is answered wrongly.
    #[must_use]
    pub fn processed(mut self, processed: bool) -> Self {
        self.processed = Some(processed);
        self
    }

    pub(super) fn is_processed(&self) -> bool {
        let refused = matches!(
            self.answer,
            Some(AnswerFault::Status { .. } | AnswerFault::Redirect(_))
        );
        self.processed.unwrap_or(!refused)
    }

    /// This fault, with what it leaves open taken from `other`.
    fn or(self, other: Self) -> Self {
        Self {
            latency: self.latency.or(other.latency),
            answer: self.answer.or(other.answer),
            webhooks: self.webhooks.or(other.webhooks),
            processed: self.processed.or(other.processed),
            times: None,
        }
    }
}

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
