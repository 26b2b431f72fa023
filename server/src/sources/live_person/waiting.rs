//! Calls that wait for an answer: what is delivered meanwhile goes into the answer of the one that has waited longest.
//!
//! What is put into an answer counts as delivered, because the next message is only delivered after it and may belong
//! into the same answer. If `LivePerson` hangs up before the answer is written, what it holds is kept for the next
//! call.

use std::{
    collections::{HashMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use serde_json::Value;
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

use super::{LivePersonConfig, event::Wait, recent::Recent};

/// A lane sends the next of several waiting messages as soon as the one before is committed: what follows a late one
/// this fast may be late itself.
const SAME_BURST: Duration = Duration::from_millis(250);

/// All calls of one source that wait.
pub(super) struct Answers {
    state: Mutex<State>,
    answer_within: Duration,
    may_answer_within: Duration,
    gather: Duration,
    max_waiting: usize,
}

struct State {
    next: u64,
    count: usize,
    /// By conversation, in order of arrival.
    waiting: HashMap<String, VecDeque<Waiting>>,
    /// By conversation: taken into an answer that was never written.
    left: Recent<Left>,
    /// By conversation: the message that was last turned away because nobody waited.
    late: Recent<u64>,
    /// By event: its answer, or that one is on its way.
    given: Recent<OfEvent>,
}

struct OfEvent {
    conversation: String,
    answer: Given,
}

/// The answer of an event, as soon as there is one.
pub(super) type Given = watch::Receiver<Option<Bytes>>;

struct Left {
    event_id: Option<String>,
    items: Vec<Value>,
    closed: bool,
}

struct Waiting {
    number: u64,
    items: Vec<Value>,
    /// The latest moment for the answer.
    limit: Instant,
    /// When the answer is complete, unless something comes before.
    until: Instant,
    /// When a late message was last taken.
    late_at: Option<Instant>,
    /// The visitor was told something since the call came, in whichever answer.
    answered: bool,
    /// Takes nothing more.
    closed: bool,
    changed: Arc<Notify>,
}

/// What a call is to do for its answer.
pub(super) enum Turn {
    /// Wait for what is delivered.
    Collect(Collector),
    /// The same event came before: its answer is this one's.
    Join(Given),
    /// Too many wait already.
    Full,
}

/// One call's place. Dropped before its answer is complete, it leaves what it holds to the next call.
pub(super) struct Collector {
    answers: Arc<Answers>,
    conversation: String,
    event_id: Option<String>,
    number: u64,
    changed: Arc<Notify>,
    given: watch::Sender<Option<Bytes>>,
}

/// What a call has waited for.
pub(super) struct Collected {
    pub(super) items: Vec<Value>,
    /// The visitor was told something since the call came, in whichever answer, or needs to be told nothing.
    pub(super) answered: bool,
    given: watch::Sender<Option<Bytes>>,
}

impl Answers {
    pub(super) fn new(config: &LivePersonConfig) -> Self {
        let (most, keep) = (config.stored_answers, config.stored_for);
        Self {
            state: Mutex::new(State {
                next: 0,
                count: 0,
                waiting: HashMap::new(),
                left: Recent::new(most, keep),
                late: Recent::new(most, keep),
                given: Recent::new(most, keep),
            }),
            answer_within: config.answer_within,
            may_answer_within: config.may_answer_within.min(config.answer_within),
            gather: config.gather,
            max_waiting: config.max_waiting,
        }
    }

    /// A place for the answer to an event. Taken before the event is committed, so that no answer comes too early.
    pub(super) fn open(
        self: &Arc<Self>,
        conversation: &str,
        event_id: Option<&str>,
        wait: Wait,
    ) -> Turn {
        let mut state = self.lock();
        if let Some(given) = event_id.and_then(|id| state.given(id)) {
            return Turn::Join(given);
        }
        if state.count >= self.max_waiting {
            return Turn::Full;
        }
        let changed = Arc::new(Notify::new());
        let mut waiting = Waiting::new(self.span(wait), Arc::clone(&changed));
        if let Some(left) = state.left.take(conversation) {
            waiting.inherit(left, event_id, self);
        }
        let number = state.add(conversation, waiting);
        let (given, receiver) = watch::channel(None);
        if let Some(id) = event_id {
            let of_event = OfEvent {
                conversation: conversation.to_owned(),
                answer: receiver,
            };
            state.given.put(id, of_event);
        }
        Turn::Collect(Collector {
            answers: Arc::clone(self),
            conversation: conversation.to_owned(),
            event_id: event_id.map(str::to_owned),
            number,
            changed,
            given,
        })
    }

    /// Puts a message into the next answer of a conversation. False: nobody waits for one.
    pub(super) fn put(&self, conversation: &str, item: Value) -> bool {
        let mut state = self.lock();
        let print = fingerprint(&item);
        let State { waiting, late, .. } = &mut *state;
        let Some(all) = waiting.get_mut(conversation).filter(|all| takes(all)) else {
            if late.get(conversation) != Some(&print) {
                late.put(conversation, print);
            }
            return false;
        };
        let is_late = late.take(conversation) == Some(print);
        let mut open = all.iter_mut().filter(|waiting| !waiting.closed);
        if let Some(first) = open.next() {
            first.take(item, is_late, self);
        }
        open.filter(|_| !is_late)
            .for_each(|other| other.answered = true);
        true
    }

    /// Puts the last words into the next answer of a conversation: nothing follows them, here or in what else waits.
    /// False: nobody waits for one.
    pub(super) fn close_with(&self, conversation: &str, last: Vec<Value>) -> bool {
        let mut state = self.lock();
        let Some(all) = state.waiting.get_mut(conversation).filter(|all| takes(all)) else {
            return false;
        };
        if let Some(first) = all.iter_mut().find(|waiting| !waiting.closed) {
            first.items.extend(last);
        }
        all.iter_mut().for_each(Waiting::close);
        true
    }

    /// A conversation is over: what waits is answered as it stands, what was left is dropped.
    pub(super) fn end(&self, conversation: &str) {
        let mut state = self.lock();
        state.left.take(conversation);
        state.late.take(conversation);
        let all = state.waiting.get_mut(conversation).into_iter().flatten();
        all.for_each(Waiting::close);
    }

    /// What was said in a conversation is erased: what waits is answered without it, and no repeat gets it again.
    pub(super) fn forget(&self, conversation: &str) {
        let mut state = self.lock();
        state.left.take(conversation);
        state.late.take(conversation);
        state.given.drop_those(|of| of.conversation == conversation);
        for waiting in state.waiting.get_mut(conversation).into_iter().flatten() {
            waiting.items.clear();
            waiting.close();
        }
    }

    fn span(&self, wait: Wait) -> Duration {
        match wait {
            Wait::Answer => self.answer_within,
            Wait::Perhaps | Wait::Nothing => self.may_answer_within,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The answer of an event, unless the call that was to get it is gone without one.
    fn given(&mut self, event_id: &str) -> Option<Given> {
        let given = &self.given.get(event_id)?.answer;
        let is_coming = given.has_changed().is_ok();
        (is_coming || given.borrow().is_some()).then(|| given.clone())
    }

    fn add(&mut self, conversation: &str, mut waiting: Waiting) -> u64 {
        self.next += 1;
        self.count += 1;
        waiting.number = self.next;
        let all = self.waiting.entry(conversation.to_owned()).or_default();
        all.push_back(waiting);
        self.next
    }

    fn remove(&mut self, conversation: &str, number: u64) -> Option<Waiting> {
        let all = self.waiting.get_mut(conversation)?;
        let at = all.iter().position(|waiting| waiting.number == number)?;
        let waiting = all.remove(at);
        if all.is_empty() {
            self.waiting.remove(conversation);
        }
        self.count -= 1;
        waiting
    }
}

impl Waiting {
    fn new(span: Duration, changed: Arc<Notify>) -> Self {
        let limit = Instant::now() + span;
        Self {
            number: 0,
            items: Vec::new(),
            limit,
            until: limit,
            late_at: None,
            answered: false,
            closed: false,
            changed,
        }
    }

    /// What an earlier call left is the answer of its own event, and late for any other.
    fn inherit(&mut self, left: Left, event_id: Option<&str>, answers: &Answers) {
        let is_late = event_id.is_none() || left.event_id.as_deref() != event_id;
        for item in left.items {
            self.take(item, is_late, answers);
        }
        if left.closed {
            self.close();
        }
    }

    fn take(&mut self, item: Value, is_late: bool, answers: &Answers) {
        let now = Instant::now();
        self.items.push(item);
        let follows_late = self.late_at.is_some_and(|at| now - at <= SAME_BURST);
        if is_late {
            self.late_at = Some(now);
        } else {
            self.answered = true;
            let quiet = if follows_late {
                answers.gather.max(answers.may_answer_within)
            } else {
                answers.gather
            };
            self.until = self.limit.min(now + quiet);
        }
        self.changed.notify_one();
    }

    fn close(&mut self) {
        self.closed = true;
        self.answered = true;
        self.changed.notify_one();
    }

    /// When to look again; `None`: the answer is complete.
    fn pause(&self) -> Option<Instant> {
        (!self.closed && Instant::now() < self.until).then_some(self.until)
    }
}

impl Collector {
    /// Waits until the answer is complete.
    pub(super) async fn collect(mut self) -> Collected {
        loop {
            let waiting = self.pause();
            let Some(until) = waiting else { break };
            // Woken or not: what stands there now decides.
            let _ = tokio::time::timeout_at(until, self.changed.notified()).await;
        }
        let waiting = self.remove();
        let (given, _) = watch::channel(None);
        Collected {
            answered: waiting.as_ref().is_none_or(|waiting| waiting.answered),
            items: waiting.map(|waiting| waiting.items).unwrap_or_default(),
            given: std::mem::replace(&mut self.given, given),
        }
    }

    fn pause(&self) -> Option<Instant> {
        let state = self.answers.lock();
        let all = state.waiting.get(&self.conversation)?;
        all.iter()
            .find(|waiting| waiting.number == self.number)?
            .pause()
    }

    fn remove(&self) -> Option<Waiting> {
        let mut state = self.answers.lock();
        state.remove(&self.conversation, self.number)
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let Some(waiting) = self.remove() else {
            return;
        };
        if waiting.items.is_empty() {
            return;
        }
        let mut state = self.answers.lock();
        let before = state.left.take(&self.conversation);
        let mut items = before.map(|left| left.items).unwrap_or_default();
        items.extend(waiting.items);
        let left = Left {
            event_id: self.event_id.take(),
            items,
            closed: waiting.closed,
        };
        state.left.put(&self.conversation, left);
    }
}

impl Collected {
    /// Keeps the answer for a repeat of its event.
    pub(super) fn give(self, answer: &Bytes) {
        self.given.send_replace(Some(answer.clone()));
    }
}

fn takes(all: &VecDeque<Waiting>) -> bool {
    all.iter().any(|waiting| !waiting.closed)
}

fn fingerprint(item: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    item.to_string().hash(&mut hasher);
    hasher.finish()
}

/// What waits is words.
impl std::fmt::Debug for Answers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answers").finish_non_exhaustive()
    }
}
