//! A conversation: its session, its owner, and what is allowed when.

use std::time::Duration;

use super::{
    id::{ConversationKey, Id},
    owner::{Evidence, Known, Owner},
    parameter::{self, Parameter},
    time::Timestamp,
};

/// One visitor's thread.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversation {
    pub key: ConversationKey,
    pub kind: ConversationKind,
    pub agent: Id,
    /// The source that brings the visitor; absent where callers do.
    pub source: Option<Id>,
    /// The id by which the agent's platform knows it now. Changes at each handback, so that late words of the session
    /// before can be told apart.
    pub upstream_id: String,
    /// The owner epoch in which that id came into use.
    pub upstream_epoch: u64,
    pub session: Session,
    pub owner: Owner,
    /// Grows by one with every change of the owner.
    pub owner_epoch: u64,
    /// When it changed last.
    pub owner_since: Timestamp,
    pub known: Known,
    /// A human has joined since a human last took over.
    pub human_joined: bool,
    /// `sequence` of the newest event.
    pub sequence: u64,
    /// Lane order of the newest end that a caller asked for; what was queued before it belongs to the session it ends.
    pub ended_order: u64,
    pub visitor: Option<Visitor>,
    /// Parameters of the session as last told.
    pub parameters: Vec<Parameter>,
    /// Parameters that wait for the next start or message, because no session was alive when they came.
    pub kept: Vec<Parameter>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// How the agent is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConversationKind {
    Chat,
    /// One text in, one reply out.
    Ticket,
    /// In the platform's own widget; seen from the handover on.
    Widget,
}

/// Our estimate of the platform's session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// From 1; 0 before the first.
    pub number: u32,
    pub state: SessionState,
    /// When it runs out if nothing is said until then. Meaningful while active.
    pub expires_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SessionState {
    None,
    Active,
    Ended,
}

/// Who the visitor is, as far as the caller told.
#[derive(Clone, PartialEq, Eq)]
pub struct Visitor {
    pub visitor_id: String,
    pub display_name: String,
    pub language: String,
}

/// A visitor's name is personal.
impl std::fmt::Debug for Visitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Visitor")
            .field("visitor_id", &self.visitor_id)
            .finish_non_exhaustive()
    }
}

impl Conversation {
    /// A conversation that nobody has heard of before.
    pub fn new(key: ConversationKey, agent: Id, upstream_id: String, now: Timestamp) -> Self {
        Self {
            key,
            kind: ConversationKind::Chat,
            agent,
            source: None,
            upstream_id,
            upstream_epoch: 1,
            session: Session {
                number: 0,
                state: SessionState::None,
                expires_at: Timestamp(0),
            },
            owner: Owner::Agent,
            owner_epoch: 1,
            owner_since: now,
            known: Known {
                evidence: Evidence::Assumed,
                observed_at: now,
                expires_at: None,
            },
            human_joined: false,
            sequence: 0,
            ended_order: 0,
            visitor: None,
            parameters: Vec::new(),
            kept: Vec::new(),
            created_at: now,
            updated_at: now,
        }
    }

    /// The `sequence` of the next event.
    pub fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    /// Whether the session is alive at `now`.
    pub fn session_is_live(&self, now: Timestamp) -> bool {
        self.session.state == SessionState::Active && now < self.session.expires_at
    }

    /// Whether the session is still open but its time has run out.
    pub fn session_has_expired(&self, now: Timestamp) -> bool {
        self.session.state == SessionState::Active && now >= self.session.expires_at
    }

    /// Something was said: the session lives `timeout` longer.
    pub fn extend_session(&mut self, now: Timestamp, timeout: Duration) {
        if self.session.state == SessionState::Active {
            self.session.expires_at = now + timeout;
        }
    }

    /// Begins the next session. Parameters do not carry over.
    pub fn begin_session(&mut self, now: Timestamp, timeout: Duration) {
        self.session = Session {
            number: self.session.number + 1,
            state: SessionState::Active,
            expires_at: now + timeout,
        };
        self.parameters.clear();
    }

    /// Ends the session.
    pub fn end_session(&mut self) {
        self.session.state = SessionState::Ended;
    }

    pub fn set_parameters(&mut self, changes: &[Parameter]) {
        parameter::merge(&mut self.parameters, changes);
    }

    pub fn keep_parameters(&mut self, changes: &[Parameter]) {
        parameter::merge(&mut self.kept, changes);
    }

    /// What was kept and has reached the agent need not be kept longer. What was set anew meanwhile stays.
    pub fn drop_kept(&mut self, delivered: &[Parameter]) {
        self.kept.retain(|kept| !delivered.contains(kept));
    }

    /// What is set anew takes the place of what was kept under the same key.
    pub fn forget_kept(&mut self, changes: &[Parameter]) {
        self.kept
            .retain(|kept| changes.iter().all(|change| change.key != kept.key));
    }

    /// Gives the conversation to another owner under a new epoch, `now`; when that was seen to be so may be earlier.
    pub fn change_owner(&mut self, to: Owner, known: Known, now: Timestamp) {
        self.owner_since = now;
        self.owner = to;
        self.owner_epoch += 1;
        self.known = known;
        self.human_joined = false;
    }

    /// Whether what is known of the owner is too old to act on, where it can be read.
    pub fn owner_is_stale(&self, now: Timestamp, max_age: Duration) -> bool {
        self.known.evidence == Evidence::Assumed
            || self
                .known
                .expires_at
                .is_some_and(|expires_at| now >= expires_at)
            || now.since(self.known.observed_at) > max_age
    }

    /// Somebody else may have taken over: the owner must be read before the agent is asked or speaks.
    pub fn doubt_owner(&mut self, now: Timestamp) {
        self.known.expires_at = Some(now);
    }

    /// Whether words that name an id from `upstream_epoch` are of today, whoever owns the conversation.
    pub fn is_of_today(&self, upstream_epoch: u64) -> bool {
        upstream_epoch == self.upstream_epoch
    }

    /// Whether words of the agent that name an id from `upstream_epoch` are of today.
    pub fn is_current(&self, upstream_epoch: u64) -> bool {
        self.owner == Owner::Agent && upstream_epoch == self.upstream_epoch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn conversation() -> Conversation {
        let id = |text: &str| Id::trusted(text);
        let key = ConversationKey {
            tenant: id("t"),
            account: id("a"),
            id: id("c"),
        };
        Conversation::new(key, id("agent"), "c".into(), Timestamp(0))
    }

    #[test]
    fn a_session_lives_until_nothing_was_said_for_its_timeout() {
        let mut conversation = conversation();
        assert!(!conversation.session_is_live(Timestamp(0)));
        conversation.begin_session(Timestamp(0), 2 * HOUR);
        assert!(conversation.session_is_live(Timestamp(0) + HOUR));
        conversation.extend_session(Timestamp(0) + HOUR, 2 * HOUR);
        assert!(conversation.session_is_live(Timestamp(0) + HOUR * 5 / 2));
        assert!(conversation.session_has_expired(Timestamp(0) + 3 * HOUR));
    }

    #[test]
    fn parameters_do_not_carry_over_into_the_next_session() {
        let mut conversation = conversation();
        conversation.begin_session(Timestamp(0), HOUR);
        conversation.set_parameters(&[Parameter {
            key: "k".into(),
            value: "v".into(),
            personal: false,
        }]);
        conversation.end_session();
        conversation.begin_session(Timestamp(1), HOUR);
        assert!(conversation.parameters.is_empty());
        assert_eq!(conversation.session.number, 2);
    }

    #[test]
    fn words_under_an_older_upstream_id_or_while_a_human_owns_are_not_current() {
        let mut conversation = conversation();
        assert!(conversation.is_current(1));
        conversation.change_owner(Owner::Human, Known::by_us(Timestamp(1)), Timestamp(1));
        assert!(!conversation.is_current(1));
        conversation.change_owner(Owner::Agent, Known::by_us(Timestamp(2)), Timestamp(2));
        conversation.upstream_epoch = conversation.owner_epoch;
        assert!(!conversation.is_current(1));
        assert!(conversation.is_current(3));
    }
}
