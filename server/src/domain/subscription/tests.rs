//! A subscription under random members, acknowledgements, deaths and restarts: what must hold at every step, and that
//! everything is done in the end.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use proptest::prelude::*;

use super::*;
use crate::domain::ConversationKey;

const MAX_ATTEMPTS: u32 = 3;
const WINDOW: u32 = 3;
const IN_FLIGHT: u32 = 6;
const DEADLINE: Duration = Duration::from_secs(30);
const LEASE: Duration = Duration::from_secs(15);

/// The rows, as a database would have them.
#[derive(Default)]
struct Rows {
    entries: BTreeMap<Position, Entry>,
    held_back: BTreeMap<ConversationKey, HeldBack>,
}

/// How far an event is, as its members saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Out {
        attempt: u32,
    },
    /// It failed: an attempt was in vain.
    Failed {
        attempt: u32,
    },
    Done,
    Parked,
}

struct Stage {
    group: Group,
    rows: Rows,
    now: Timestamp,
    /// The conversation of each event; its position is its place, from 1.
    log: Vec<u8>,
    sessions: BTreeMap<Id, u64>,
    next_session: u64,
    /// What members have in hand.
    hands: BTreeMap<AckId, (Id, u32)>,
    seen: BTreeMap<Position, Seen>,
    /// Of the next hand-outs the places with these bits are not sent.
    unreadable: u64,
    /// Hand-outs that nobody saw, and that are still to be taken back.
    unseen: Vec<HandOut>,
}

#[derive(Debug, Clone)]
enum Deed {
    Say(u8),
    Join(u8),
    Leave(u8),
    /// The n-th in hand.
    Done(usize),
    DoneThrough(usize),
    Retry(usize),
    Park(usize),
    /// The member's time is over.
    Expire(usize),
    /// Leases that are not renewed end.
    Sleep,
    Restart,
    Redrive,
    /// The next hand-outs cannot all be read.
    Unreadable(u64),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        6 => (0..5_u8).prop_map(Deed::Say),
        2 => (0..4_u8).prop_map(Deed::Join),
        1 => (0..4_u8).prop_map(Deed::Leave),
        6 => any::<usize>().prop_map(Deed::Done),
        1 => any::<usize>().prop_map(Deed::DoneThrough),
        2 => any::<usize>().prop_map(Deed::Retry),
        1 => any::<usize>().prop_map(Deed::Park),
        2 => any::<usize>().prop_map(Deed::Expire),
        1 => Just(Deed::Sleep),
        1 => Just(Deed::Restart),
        1 => Just(Deed::Redrive),
        3 => any::<u64>().prop_map(Deed::Unreadable),
    ]
}

fn key(conversation: u8) -> ConversationKey {
    ConversationKey {
        tenant: Id::trusted("default"),
        account: Id::trusted("demo"),
        id: Id::trusted(format!("c{conversation}")),
    }
}

fn slot(conversation: u8) -> u16 {
    slot_of(Some(&key(conversation)), None, &Id::trusted("bot"))
}

fn policy(when_parked: WhenParked) -> Policy {
    Policy {
        ack_deadline: DEADLINE,
        max_attempts: MAX_ATTEMPTS,
        when_parked,
        window: WINDOW,
    }
}

impl Stage {
    fn new(when_parked: WhenParked) -> Self {
        Self {
            group: Group::new(
                policy(when_parked),
                Core::begin(Position(0)),
                10_000,
                [],
                [],
            ),
            rows: Rows::default(),
            now: Timestamp(1),
            log: Vec::new(),
            sessions: BTreeMap::new(),
            next_session: 1,
            hands: BTreeMap::new(),
            seen: BTreeMap::new(),
            unreadable: 0,
            unseen: Vec::new(),
        }
    }

    fn head(&self) -> Position {
        Position(self.log.len() as u64)
    }

    fn conversation(&self, position: Position) -> u8 {
        self.log[usize::try_from(position.0).expect("small") - 1]
    }

    fn of(&self, conversation: u8) -> impl Iterator<Item = Position> + '_ {
        let all = (1..).map(Position).zip(&self.log);
        all.filter(move |(_, of)| **of == conversation)
            .map(|(position, _)| position)
    }

    fn act(&mut self, deed: &Deed) {
        match deed {
            Deed::Say(conversation) => self.log.push(*conversation),
            Deed::Join(member) => self.join(&Id::trusted(format!("m{member}"))),
            Deed::Leave(member) => {
                let id = Id::trusted(format!("m{member}"));
                if let Some(session) = self.sessions.remove(&id) {
                    self.drop_hands(&id);
                    self.group.leave(&id, session, self.now);
                }
            }
            Deed::Done(n) => self.ack(*n, Verdict::Done, false),
            Deed::DoneThrough(n) => self.ack(*n, Verdict::Done, true),
            Deed::Retry(n) => self.ack(*n, Verdict::Retry(Duration::from_secs(1)), false),
            Deed::Park(n) => self.ack(*n, Verdict::Park, false),
            Deed::Expire(n) => {
                if let Some((id, _, attempt)) = self.hand(*n) {
                    self.failed(id.position);
                    self.hands.remove(&id);
                    self.group.expire(id, attempt, self.now);
                }
            }
            Deed::Sleep => {
                let members: Vec<_> = self.sessions.keys().cloned().collect();
                for member in members {
                    self.drop_hands(&member);
                }
                self.sessions.clear();
                self.now = self.now + LEASE;
            }
            Deed::Restart => self.restart(),
            Deed::Redrive => {
                let count = self.group.redrive(self.now, |_| true);
                let parked = self.seen.values_mut().filter(|seen| **seen == Seen::Parked);
                let parked = parked.map(|seen| *seen = Seen::Failed { attempt: 0 });
                assert_eq!(parked.count(), count);
            }
            Deed::Unreadable(places) => self.unreadable = *places,
        }
        self.turn();
    }

    fn join(&mut self, id: &Id) {
        self.drop_hands(id);
        let session = self.next_session;
        self.next_session += 1;
        self.sessions.insert(id.clone(), session);
        let as_member = Member {
            session,
            pulls: false,
            max_in_flight: IN_FLIGHT,
            until: self.now + LEASE,
        };
        let joining = Joining {
            member: id.clone(),
            as_member,
        };
        self.group.join(joining, self.now);
    }

    /// What a member had in hand is lost with it.
    fn drop_hands(&mut self, member: &Id) {
        let lost: Vec<_> = self
            .hands
            .iter()
            .filter(|(_, (has, _))| has == member)
            .map(|(id, _)| *id)
            .collect();
        for id in lost {
            self.hands.remove(&id);
            self.failed(id.position);
        }
    }

    fn hand(&self, n: usize) -> Option<(AckId, Id, u32)> {
        let (id, (member, attempt)) = self.hands.iter().nth(n % self.hands.len().max(1))?;
        Some((*id, member.clone(), *attempt))
    }

    fn failed(&mut self, position: Position) {
        if let Some(Seen::Out { attempt }) = self.seen.get(&position).copied() {
            let seen = if attempt >= MAX_ATTEMPTS {
                Seen::Parked
            } else {
                Seen::Failed { attempt }
            };
            self.seen.insert(position, seen);
        }
    }

    fn ack(&mut self, n: usize, verdict: Verdict, cumulative: bool) {
        let Some((id, _, _)) = self.hand(n) else {
            return;
        };
        let ack = Ack {
            id,
            verdict,
            cumulative,
        };
        assert_eq!(self.group.ack(&ack, self.now), Acked::Ok, "{ack:?}");
        self.hands.remove(&id);
        let earlier: Vec<_> = self
            .of(self.conversation(id.position))
            .filter(|position| *position < id.position && cumulative)
            .collect();
        match verdict {
            Verdict::Done => {
                self.seen.insert(id.position, Seen::Done);
                for position in earlier {
                    // What was redriven is none of what the member has had.
                    if let Some(Seen::Out { .. } | Seen::Failed { attempt: 1.. }) =
                        self.seen.get(&position)
                    {
                        self.seen.insert(position, Seen::Done);
                        self.hands.retain(|id, _| id.position != position);
                    }
                }
                assert_ne!(self.group.ack(&ack, self.now), Acked::Ok, "done twice");
            }
            Verdict::Retry(_) => self.failed(id.position),
            Verdict::Park => {
                self.seen.insert(id.position, Seen::Parked);
            }
        }
    }

    /// Everything in memory is gone; the rows are not.
    fn restart(&mut self) {
        self.keep();
        let entries = self.rows.entries.values().cloned();
        let held_back = self
            .rows
            .held_back
            .iter()
            .map(|(key, held)| (key.clone(), *held));
        let (policy, core) = (self.group.policy, self.group.core.clone());
        self.group = Group::new(policy, core, 10_000, entries, held_back);
        self.group.sweep();
    }

    fn keep(&mut self) {
        let changes = self.group.take_changes();
        for entry in changes.entries {
            self.rows.entries.insert(entry.position, entry);
        }
        for position in changes.removed {
            self.rows.entries.remove(&position);
        }
        self.rows.held_back.extend(changes.held_back);
        for key in changes.let_go {
            self.rows.held_back.remove(&key);
        }
    }

    fn rooms(&self) -> Rooms {
        let members = self
            .sessions
            .keys()
            .filter(|id| self.group.core.members.contains_key(*id));
        members
            .map(|id| {
                let room = IN_FLIGHT as usize - self.group.in_flight_of(id);
                (id.clone(), room)
            })
            .collect()
    }

    /// As a server does it.
    fn turn(&mut self) {
        self.group.tick(self.now);
        for hand in std::mem::take(&mut self.unseen) {
            self.group.take_back(hand.ack, hand.attempt, self.now);
        }
        // The leases of members moved: what they had in hand counts no more.
        let group = &self.group;
        let lost: Vec<_> = self
            .hands
            .iter()
            .filter(|(id, (_, attempt))| !group.is_in_flight(**id, *attempt))
            .map(|(id, _)| *id)
            .collect();
        for id in lost {
            self.hands.remove(&id);
            self.failed(id.position);
        }
        let mut rooms = self.rooms();
        let mut out = Vec::new();
        self.group.redeliver(self.now, 100, &mut rooms, &mut out);
        let slots = |key: &ConversationKey| slot_of(Some(key), None, &key.account);
        for (slot, conversation, from) in self.group.ready_to_catch_up(&rooms, 16, slots) {
            let number: u8 = conversation.id.as_str()[1..].parse().expect("a number");
            let mut events: Vec<_> = self
                .of(number)
                .filter(|at| *at >= from)
                .take(WINDOW as usize + 1)
                .collect();
            let next = (events.len() > WINDOW as usize)
                .then(|| events.pop())
                .flatten();
            let more = CatchUp {
                slot,
                conversation,
                from,
                events,
                next,
            };
            self.group.catch_up(&more, self.now, &mut rooms, &mut out);
        }
        for slot in 0..SLOTS {
            let known = self.group.core.slots[usize::from(slot)].clone();
            let events = (1..).map(Position).zip(&self.log);
            let events = events.filter(|(position, conversation)| {
                *position > known.read && super::tests::slot(**conversation) == slot
            });
            let scan = Scan {
                slot,
                token: known.token,
                from: known.read,
                to: self.head(),
                events: events
                    .map(|(position, conversation)| Candidate {
                        position,
                        conversation: Some(key(*conversation)),
                    })
                    .collect(),
            };
            if known
                .holder
                .is_some_and(|holder| rooms.contains_key(&holder))
            {
                self.group.scan(&scan, self.now, &mut rooms, &mut out);
            }
        }
        let places = std::mem::take(&mut self.unreadable);
        let (sent, unseen) = self
            .group
            .sendable(out, |at| places >> (at.0 % 64) & 1 == 1);
        self.unseen = unseen;
        for hand in sent {
            self.take(&hand);
        }
        self.keep();
        self.check();
    }

    fn take(&mut self, hand: &HandOut) {
        let position = hand.ack.position;
        assert!(hand.attempt <= MAX_ATTEMPTS, "{hand:?} is one too often");
        let before = match self.seen.get(&position) {
            Some(Seen::Out { attempt } | Seen::Failed { attempt }) => *attempt,
            _ => 0,
        };
        assert_eq!(hand.attempt, before + 1, "{hand:?} counts what was seen");
        assert_ne!(
            self.seen.get(&position),
            Some(&Seen::Done),
            "{hand:?} was done"
        );
        let earlier: Vec<_> = self
            .of(self.conversation(position))
            .filter(|earlier| *earlier < position)
            .collect();
        let blocks = self.group.policy.when_parked == WhenParked::Block;
        for earlier in earlier {
            match self.seen.get(&earlier) {
                None => panic!("{hand:?} came before {earlier:?}"),
                Some(Seen::Out { attempt }) => assert!(
                    *attempt == 1 && hand.attempt == 1,
                    "{hand:?} came while {earlier:?} is repeated"
                ),
                Some(Seen::Failed { .. }) => panic!("{hand:?} came before {earlier:?} again"),
                Some(Seen::Parked) => assert!(!blocks, "{hand:?} came past {earlier:?}"),
                Some(Seen::Done) => {}
            }
        }
        self.seen.insert(
            position,
            Seen::Out {
                attempt: hand.attempt,
            },
        );
        let before = self
            .hands
            .insert(hand.ack, (hand.member.clone(), hand.attempt));
        assert_eq!(before, None, "{hand:?} is in hand");
    }

    fn check(&self) {
        for (member, session) in &self.sessions {
            let known = self.group.core.members.get(member);
            assert!(known.is_none_or(|known| known.session == *session));
            assert!(self.group.in_flight_of(member) <= IN_FLIGHT as usize);
        }
        for conversation in 0..5 {
            let out = self
                .of(conversation)
                .filter(|at| matches!(self.seen.get(at), Some(Seen::Out { .. })));
            assert!(
                out.count() <= WINDOW as usize,
                "the window of {conversation}"
            );
        }
        let blocks = self.group.policy.when_parked == WhenParked::Block;
        let undone = (1..=self.log.len() as u64).map(Position).find(|position| {
            match self.seen.get(position) {
                Some(Seen::Done) => false,
                Some(Seen::Parked) => blocks,
                _ => true,
            }
        });
        if let Some(undone) = undone {
            let done_through = self.group.done_through();
            assert!(done_through < undone, "{done_through:?} is past {undone:?}");
        }
        let parked = self.group.parked(Position(0), usize::MAX);
        for parked in parked {
            let seen = self.seen.get(&parked.position);
            assert_eq!(seen, Some(&Seen::Parked), "{parked:?}");
        }
        let rows: BTreeSet<_> = self.rows.entries.keys().collect();
        let entries: BTreeSet<_> = self.group.entries.keys().collect();
        assert_eq!(rows, entries, "the rows are what is in memory");
    }

    /// Members that do everything at once: nothing is left but what is parked.
    fn finish(&mut self) {
        self.join(&Id::trusted("m0"));
        for _ in 0..20 * self.log.len() + 100 {
            self.now = self.now + Duration::from_secs(1);
            self.group.renew(
                &Id::trusted("m0"),
                self.sessions[&Id::trusted("m0")],
                self.now + LEASE,
            );
            let m0 = Id::trusted("m0");
            let others: Vec<_> = self
                .sessions
                .keys()
                .filter(|id| **id != m0)
                .cloned()
                .collect();
            for other in others {
                self.drop_hands(&other);
                let session = self.sessions.remove(&other).expect("a session");
                self.group.leave(&other, session, self.now);
            }
            self.turn();
            while !self.hands.is_empty() {
                self.ack(0, Verdict::Done, false);
            }
            self.group.redrive(self.now, |_| true);
            for seen in self.seen.values_mut().filter(|seen| **seen == Seen::Parked) {
                *seen = Seen::Failed { attempt: 0 };
            }
            self.keep();
        }
        for position in (1..=self.log.len() as u64).map(Position) {
            assert_eq!(
                self.seen.get(&position),
                Some(&Seen::Done),
                "{position:?} was lost"
            );
        }
        assert_eq!(self.group.done_through(), self.head());
        assert_eq!(self.group.pending(), 0, "nothing is left behind");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn order_holds_and_nothing_is_lost(
        blocks in any::<bool>(),
        deeds in proptest::collection::vec(deed(), 1..160),
    ) {
        let when_parked = if blocks { WhenParked::Block } else { WhenParked::Release };
        let mut stage = Stage::new(when_parked);
        for deed in &deeds {
            stage.act(deed);
        }
        stage.finish();
    }
}

fn joined(members: &[&str]) -> Stage {
    let mut stage = Stage::new(WhenParked::Release);
    for member in members {
        stage.join(&Id::trusted(*member));
    }
    stage.turn();
    stage
}

fn slots_of(stage: &Stage, member: &str) -> usize {
    let slots = stage.group.core.slots.iter();
    slots
        .filter(|slot| {
            slot.holder
                .as_ref()
                .is_some_and(|holder| holder.as_str() == member)
        })
        .count()
}

#[test]
fn slots_are_shared_evenly_and_follow_the_members() {
    let mut stage = joined(&["a", "b", "c"]);
    let shares = ["a", "b", "c"].map(|member| slots_of(&stage, member));
    assert!(
        shares.iter().all(|share| (21..=22).contains(share)),
        "{shares:?}"
    );
    stage.act(&Deed::Join(9));
    assert_eq!(slots_of(&stage, "m9"), 16);
    stage.act(&Deed::Leave(9));
    assert_eq!(slots_of(&stage, "m9"), 0);
    let shares = ["a", "b", "c"].map(|member| slots_of(&stage, member));
    assert_eq!(shares.iter().sum::<usize>(), usize::from(SLOTS));
}

#[test]
fn a_slot_with_something_in_flight_moves_when_that_is_done() {
    let mut stage = joined(&["a"]);
    for conversation in 0..5 {
        stage.act(&Deed::Say(conversation));
    }
    assert_eq!(stage.hands.len(), 5);
    let before = stage.hands.clone();
    stage.act(&Deed::Join(1));
    assert_eq!(stage.hands, before, "nothing in hand has become worthless");
    while !stage.hands.is_empty() {
        stage.act(&Deed::Done(0));
    }
    assert_eq!((slots_of(&stage, "a"), slots_of(&stage, "m1")), (32, 32));
}

#[test]
fn an_acknowledgement_of_a_lease_that_moved_changes_nothing() {
    let mut stage = joined(&["m1"]);
    stage.act(&Deed::Say(0));
    let (old, ..) = stage.hand(0).expect("one in hand");
    stage.act(&Deed::Join(1));
    let too_late = Ack {
        id: old,
        verdict: Verdict::Done,
        cumulative: false,
    };
    assert_eq!(stage.group.ack(&too_late, stage.now), Acked::Stale);
    let (new, _, attempt) = stage.hand(0).expect("it came again");
    assert_eq!((new.position, attempt), (old.position, 2));
    assert!(new.token > old.token);
}

/// A member comes for events.
fn pulls(stage: &mut Stage) {
    let member = Id::trusted("p");
    let as_member = Member {
        session: 0,
        pulls: true,
        max_in_flight: IN_FLIGHT,
        until: stage.now + Duration::from_mins(1),
    };
    stage.sessions.insert(member.clone(), 0);
    let joining = Joining { member, as_member };
    stage.group.join(joining, stage.now);
}

#[test]
fn a_pulling_member_gets_more_of_a_conversation_once_it_has_acknowledged() {
    let mut stage = joined(&[]);
    pulls(&mut stage);
    stage.act(&Deed::Say(0));
    let (first, ..) = stage.hand(0).expect("one in hand");
    stage.now = stage.now + Duration::from_millis(1);
    pulls(&mut stage);
    stage.act(&Deed::Say(0));
    assert_eq!(stage.hands.len(), 1, "the answer may not have reached it");
    stage.act(&Deed::Done(0));
    stage.turn();
    let (second, _, attempt) = stage.hand(0).expect("the next one");
    assert_eq!((second.position, attempt), (first.position.next(), 1));
}

#[test]
fn one_pulling_member_keeps_its_leases_from_call_to_call() {
    let mut stage = joined(&[]);
    pulls(&mut stage);
    stage.act(&Deed::Say(0));
    let (first, ..) = stage.hand(0).expect("one in hand");
    pulls(&mut stage);
    stage.turn();
    assert!(stage.group.is_in_flight(first, 1));
    // Nobody watches its time but the rows.
    stage.now = stage.now + DEADLINE;
    stage.turn();
    let (_, _, attempt) = stage.hand(0).expect("it came again");
    assert_eq!(attempt, 2);
}

fn question(stage: &mut Stage, position: u64, respond_by: Timestamp) -> Vec<HandOut> {
    let event = Candidate {
        position: Position(position),
        conversation: Some(key(0)),
    };
    let (mut rooms, mut out) = (stage.rooms(), Vec::new());
    let request = Id::trusted("r");
    stage.group.offer(
        slot(0),
        &event,
        (&request, respond_by),
        stage.now,
        &mut rooms,
        &mut out,
    );
    out
}

#[test]
fn a_question_is_offered_past_everything_and_moves_on_at_half_the_time() {
    let mut stage = joined(&["a", "b"]);
    for _ in 0..6 {
        stage.act(&Deed::Say(0));
    }
    let asked_at = stage.now;
    let first = question(&mut stage, 7, asked_at + Duration::from_secs(8));
    assert_eq!(first.len(), 1, "past a full window");
    assert_eq!(first[0].moves_at, Some(asked_at + Duration::from_secs(4)));
    let again = question(&mut stage, 7, asked_at + Duration::from_secs(8));
    assert_eq!(again, [], "offered once");
    stage.now = asked_at + Duration::from_secs(4);
    let (mut rooms, mut out) = (stage.rooms(), Vec::new());
    stage.group.offer_again(stage.now, &mut rooms, &mut out);
    assert_eq!(out.len(), 1);
    assert_ne!(out[0].member, first[0].member, "to the other one");
    // Answered: whichever of the two says so.
    let done = Ack {
        id: first[0].ack,
        verdict: Verdict::Done,
        cumulative: false,
    };
    assert_eq!(stage.group.ack(&done, stage.now), Acked::Ok);
    // The slot comes to it later, and passes it over.
    stage.keep();
    stage.log.push(0);
    stage.seen.insert(Position(7), Seen::Done);
    stage.act(&Deed::Done(0));
    stage.finish();
}

#[test]
fn moving_the_position_back_hands_everything_out_again_and_makes_old_acks_worthless() {
    let mut stage = joined(&["a"]);
    stage.act(&Deed::Say(0));
    let (old, ..) = stage.hand(0).expect("one in hand");
    stage.group.move_to(Position(0));
    let too_late = Ack {
        id: old,
        verdict: Verdict::Done,
        cumulative: false,
    };
    assert_eq!(stage.group.ack(&too_late, stage.now), Acked::Stale);
    stage.hands.clear();
    stage.seen.clear();
    stage.turn();
    let (new, _, attempt) = stage.hand(0).expect("it came again");
    assert_eq!((new.position, attempt), (old.position, 1));
}

/// Turns in which the first event of the log cannot be read.
fn without_the_first(stage: &mut Stage, deed: &Deed) {
    stage.unreadable = 1 << 1;
    stage.act(deed);
}

#[test]
fn what_nobody_saw_is_not_counted_and_holds_up_its_conversation_alone() {
    let mut stage = joined(&["a"]);
    without_the_first(&mut stage, &Deed::Say(0));
    for _ in 0..2 * MAX_ATTEMPTS {
        without_the_first(&mut stage, &Deed::Say(1));
        assert_eq!(stage.hands.len(), 1, "another conversation goes on");
        without_the_first(&mut stage, &Deed::Done(0));
    }
    without_the_first(&mut stage, &Deed::Say(0));
    assert_eq!(stage.hands.len(), 0, "nothing overtakes it");
    stage.turn();
    let (first, _, attempt) = stage.hand(0).expect("one in hand");
    assert_eq!((first.position, attempt), (Position(1), 1));
}

#[test]
fn what_nobody_saw_is_given_back_though_its_member_is_gone() {
    let mut stage = joined(&["m1"]);
    stage.act(&Deed::Say(0));
    for _ in 2..MAX_ATTEMPTS {
        stage.act(&Deed::Expire(0));
    }
    without_the_first(&mut stage, &Deed::Expire(0));
    assert_eq!(stage.unseen.len(), 1, "the last attempt");
    stage.act(&Deed::Leave(1));
    stage.act(&Deed::Join(1));
    let (_, _, attempt) = stage.hand(0).expect("it came again");
    assert_eq!(attempt, MAX_ATTEMPTS);
}

#[test]
fn what_was_handed_out_since_is_not_taken_back() {
    let mut stage = joined(&["a"]);
    stage.act(&Deed::Say(0));
    let (old, _, attempt) = stage.hand(0).expect("one in hand");
    stage.act(&Deed::Expire(0));
    stage.group.take_back(old, attempt, stage.now);
    assert!(stage.group.is_in_flight(old, attempt + 1));
}
