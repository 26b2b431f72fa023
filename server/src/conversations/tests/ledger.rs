//! What was committed, unit by unit, and what left the house and arrived: kept apart from the code under test, and held
//! against the rules of ownership as it comes in.

use std::{
    collections::{HashMap, HashSet},
    fmt::Write,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{setup::Setup, witness::Deed, words};
use crate::domain::{
    AgentMessage, Conversation, ConversationKey, Delivery, DeliveryState, Direction, EndCause,
    EventBody, Id, Known, NewEvent, Outbound, Owner, Request, RequestKind, Timestamp,
};

/// The ledger as all who tell it something share it.
#[derive(Debug, Clone)]
pub(super) struct Shared(Arc<Mutex<Ledger>>);

#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub setup: Setup,
    /// All that happened, in words.
    pub story: String,
    /// What must not be.
    pub wrong: Vec<String>,
    /// A commit is under way: whether it counts is not known yet.
    pub committing: bool,
    /// The time of the newest commit.
    pub now: Timestamp,
    /// Grows whenever something happens.
    pub activity: u64,
    pub talks: HashMap<ConversationKey, Talk>,
    pub rows: HashMap<Id, Row>,
    pub requests: HashMap<Id, Asked>,
    /// Whose conversation each address has.
    pub addresses: HashMap<String, ConversationKey>,
    /// Where each visitor's words stand.
    pub heard: HashMap<String, (ConversationKey, u64)>,
    /// The owner epoch of the session from which the agent spoke these words, whatever id it named.
    pub spoken: HashMap<String, u64>,
    /// The owner epoch that a caller expected, by its command.
    pub expected: HashMap<String, Option<u64>>,
    /// What readings have said of each address, and the owner epoch in which they were begun.
    pub readings: Vec<(String, Owner, u64)>,
    pub unit: Unit,
}

/// A conversation as its commits tell it.
#[derive(Debug, Clone)]
pub(super) struct Talk {
    pub sequence: u64,
    pub owner: Owner,
    pub epoch: u64,
    pub known: Known,
    pub has_source: bool,
    pub unknown_since: Option<Timestamp>,
    /// Every id at the platform, with the owner epoch since which it was used; the newest last.
    pub upstream: Vec<(String, u64)>,
}

/// A delivery.
#[derive(Debug)]
pub(super) struct Row {
    pub now: Delivery,
    /// The id at the platform when its request was committed.
    pub upstream_id: String,
    /// The attempts whose request has left.
    pub left: HashSet<u32>,
    /// What of it has reached the other side.
    pub arrived: Vec<String>,
    pub resent: bool,
}

/// A question of the agent, and the owner epoch in which it was asked.
#[derive(Debug)]
pub(super) struct Asked {
    pub now: Request,
    pub epoch: u64,
}

/// What the unit that is being told has done.
#[derive(Debug, Default)]
pub(super) struct Unit {
    pub keys: HashSet<ConversationKey>,
    pub saved: HashMap<ConversationKey, Conversation>,
    pub attempts: Vec<Id>,
    /// Where somebody ended the session.
    pub ended: Vec<ConversationKey>,
    /// Sequences of what the visitor said, and whether it is held.
    pub heard: Vec<(ConversationKey, u64, bool)>,
    /// Sequences of what the agent said, and whether it is current.
    pub said: Vec<(ConversationKey, u64, bool)>,
}

impl Shared {
    pub(super) fn new(setup: Setup) -> Self {
        Self(Arc::new(Mutex::new(Ledger {
            setup,
            ..Ledger::default()
        })))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Talk {
    fn new() -> Self {
        Self {
            sequence: 0,
            owner: Owner::Agent,
            epoch: 1,
            known: Known::by_us(Timestamp(0)),
            has_source: false,
            unknown_since: None,
            upstream: Vec::new(),
        }
    }

    /// The owner epoch of the session that the agent is in now.
    pub(super) fn session_epoch(&self) -> u64 {
        self.upstream.last().map_or(1, |(_, epoch)| *epoch)
    }
}

impl Ledger {
    /// A transaction is durable.
    pub(super) fn committed(&mut self, now: Timestamp, deeds: Vec<Deed>) {
        self.now = now;
        if deeds.iter().any(|deed| !matches!(deed, Deed::Unit)) {
            self.activity += 1;
        }
        for deed in deeds {
            match deed {
                Deed::Unit => self.end_unit(now),
                Deed::Event(event) => self.event(now, &event),
                Deed::Row(row) => self.row(row),
                Deed::Conversation(conversation) => {
                    self.unit.keys.insert(conversation.key.clone());
                    let key = conversation.key.clone();
                    self.unit.saved.insert(key, *conversation);
                }
                Deed::Request(request) => self.request(request),
                Deed::Contact(contact) => {
                    self.addresses.insert(contact.address, contact.key);
                }
                Deed::Upstream(key, id, epoch) => self.talk(&key).upstream.push((id, epoch)),
            }
        }
        self.end_unit(now);
    }

    pub(super) fn talk(&mut self, key: &ConversationKey) -> &mut Talk {
        self.talks.entry(key.clone()).or_insert_with(Talk::new)
    }

    pub(super) fn tell(&mut self, what: impl AsRef<str>) {
        let _ = writeln!(self.story, "  {}", what.as_ref());
    }

    pub(super) fn blame(&mut self, what: String) {
        self.tell(format!("!! {what}"));
        self.wrong.push(what);
    }

    pub(super) fn demand(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.blame(otherwise());
        }
    }

    /// Whether an escalation waits for its answer.
    pub(super) fn is_escalating(&self, key: &ConversationKey) -> bool {
        self.open_escalations(key).next().is_some()
    }

    pub(super) fn open_escalations(&self, key: &ConversationKey) -> impl Iterator<Item = &Asked> {
        self.requests.values().filter(move |asked| {
            asked.now.kind == RequestKind::Escalation
                && asked.now.closed.is_none()
                && asked.now.key.as_ref() == Some(key)
        })
    }

    /// What waits or is under way.
    pub(super) fn unfinished(&self) -> impl Iterator<Item = &Row> {
        self.rows.values().filter(|row| !row.now.state.is_final())
    }

    fn event(&mut self, now: Timestamp, event: &NewEvent) {
        let Some(key) = event.key.clone() else {
            return;
        };
        self.unit.keys.insert(key.clone());
        let told = words::event(self, event);
        self.tell(told);
        let next = self.talk(&key).sequence + 1;
        self.demand(event.sequence == next, || {
            format!("sequence {} follows {}", event.sequence, next - 1)
        });
        self.talk(&key).sequence = event.sequence;
        match &event.body {
            EventBody::OwnerChanged { .. } => self.owner_changed(now, &key, &event.body),
            EventBody::ConversationEnded {
                cause: EndCause::Caller | EndCause::Visitor,
                ..
            } => self.unit.ended.push(key),
            EventBody::AgentMessage(message) => self.agent_said(&key, event, message),
            EventBody::VisitorMessage(said) => {
                let held = (key.clone(), event.sequence, said.held);
                self.unit.heard.push(held);
                let text = said.content.text().to_owned();
                let place = (key.clone(), event.sequence);
                let before = self.heard.insert(text.clone(), place);
                self.demand(before.is_none(), || format!("{text} was recorded twice"));
            }
            EventBody::HumanMessage(said) if !said.from_source => {
                self.human_said(&key, &said.message_id);
            }
            _ => {}
        }
    }

    fn row(&mut self, row: Delivery) {
        let kept = self.rows.get(&row.id).map(|row| &row.now);
        let before = kept.map(|kept| kept.state);
        let begins = row.state == DeliveryState::Attempting
            && kept.is_none_or(|kept| (kept.state, kept.attempt) != (row.state, row.attempt));
        if before != Some(row.state) || begins {
            let told = words::row(self, &row, before);
            self.tell(told);
        }
        self.check_transition(&row, before);
        self.check_epoch(&row);
        if begins {
            self.check_attempt(&row);
        }
        let upstream = self.talk(&row.key).upstream.last().cloned();
        let kept = self.rows.entry(row.id.clone()).or_insert_with(|| Row {
            now: row.clone(),
            upstream_id: String::new(),
            left: HashSet::new(),
            arrived: Vec::new(),
            resent: false,
        });
        kept.resent |= matches!(before, Some(DeliveryState::Unknown | DeliveryState::Failed));
        if begins {
            kept.upstream_id = upstream.unwrap_or_default().0;
            self.unit.attempts.push(row.id.clone());
        }
        kept.now = row;
    }

    fn request(&mut self, request: Request) {
        let epoch = match &request.key {
            Some(key) => self.talk(key).epoch,
            None => 0,
        };
        let asked = self.requests.entry(request.id.clone()).or_insert(Asked {
            now: request.clone(),
            epoch,
        });
        asked.now = request;
    }

    /// Something is sent: the row that it belongs to, which must be committed as being under way.
    pub(super) fn leaves(
        &mut self,
        key: Option<&ConversationKey>,
        direction: Direction,
        what: &str,
    ) -> Option<Id> {
        self.activity += 1;
        let under_way = self.rows.values_mut().find(|row| {
            Some(&row.now.key) == key
                && row.now.direction == direction
                && row.now.state == DeliveryState::Attempting
        });
        let Some(row) = under_way else {
            self.blame(format!("{what} leaves without being ATTEMPTING"));
            return None;
        };
        let (id, sequence) = (row.now.id.clone(), row.now.sequence);
        let again = !row.left.insert(row.now.attempt);
        self.tell(format!(
            "-> {what} leaves for the {direction:?} (#{sequence})"
        ));
        self.demand(!again, || format!("{what} left twice in one attempt"));
        Some(id)
    }

    /// Something is sent to the agent: the words of its row, under the id of the session that its commit entered.
    pub(super) fn leaves_for_agent(
        &mut self,
        outbound: &Outbound,
        what: &str,
        is_message: bool,
    ) -> Option<Id> {
        let mut talks = self.talks.iter();
        let whose = talks.find(|(_, talk)| {
            let mut ids = talk.upstream.iter();
            ids.any(|(id, _)| *id == outbound.upstream_id)
        });
        let key = whose.map(|(key, _)| key.clone());
        let id = self.leaves(key.as_ref(), Direction::Agent, what)?;
        let row = &self.rows[&id];
        let place = (row.now.key.clone(), row.now.sequence);
        let named = row.upstream_id == outbound.upstream_id;
        let own_words = !is_message || self.heard.get(what) == Some(&place);
        self.demand(named && own_words, || {
            format!("{what} leaves under the id {}", outbound.upstream_id)
        });
        Some(id)
    }

    /// It has reached the other side.
    pub(super) fn arrives(&mut self, row: &Id, what: &str, only_once: bool) {
        let Some(row) = self.rows.get_mut(row) else {
            return;
        };
        let twice = only_once && !row.resent && row.arrived.iter().any(|before| before == what);
        row.arrived.push(what.to_owned());
        self.demand(!twice, || format!("{what} arrived twice"));
    }

    fn agent_said(&mut self, key: &ConversationKey, event: &NewEvent, message: &AgentMessage) {
        let current = self.check_agent_words(key, event, &message.text);
        self.unit.said.push((key.clone(), event.sequence, current));
    }
}
