//! What a turn is to hand out, if it still can when it is committed: read from the log beforehand, once for all members.

use std::collections::HashMap;

use bytes::Bytes;

use super::{
    dispatcher::{Dispatcher, Read},
    turn::Offer,
};
use crate::{
    domain::{
        ConversationKey, EventKind, Id, Position, StoredEvent,
        subscription::{Candidate, CatchUp, Group, Rooms, SLOTS, Scan, slot_of},
    },
    hub::{Concerns, Filter},
    wire::asked::open_question,
};

/// Pages that are looked through for something that concerns a member before others get their turn.
const PAGES: usize = 16;

/// Conversations that are gone on with in one turn.
const CATCH_UPS: usize = 16;

/// What events hold, by their places.
pub(super) type Events = HashMap<Position, Bytes>;

#[derive(Debug, Default)]
pub(super) struct Plan {
    pub scans: Vec<Scan>,
    pub catch_ups: Vec<CatchUp>,
    pub offers: Vec<Offer>,
    pub events: Events,
}

impl Plan {
    pub fn is_empty(&self) -> bool {
        self.scans.iter().all(|scan| scan.events.is_empty())
            && self.catch_ups.is_empty()
            && self.offers.is_empty()
    }
}

/// A slot that is read on.
struct Reading {
    slot: u16,
    token: u64,
    /// Where it stands.
    read: Position,
    /// Everything up to here was looked at.
    through: Position,
}

impl Dispatcher {
    pub(super) async fn plan(&mut self) -> Read<Plan> {
        let mut plan = Plan::default();
        self.refresh_filter();
        let Some((_, filter)) = self.filter.clone() else {
            return Ok(plan);
        };
        let rooms = self.rooms();
        if rooms.is_empty() {
            return Ok(plan);
        }
        self.look_for_questions(&filter, &mut plan).await?;
        self.plan_catch_ups(&rooms, &mut plan).await?;
        self.plan_scans(&filter, &rooms, &mut plan).await?;
        Ok(plan)
    }

    /// Which agents serve the accounts may have changed.
    fn refresh_filter(&mut self) {
        let Some(record) = &self.record else { return };
        let directory = self.parts.live.directory();
        let is_current = self
            .filter
            .as_ref()
            .is_some_and(|(known, _)| std::sync::Arc::ptr_eq(known, &directory));
        if !is_current {
            let choice = &record.choice;
            let filter = Filter::new(
                &self.key.tenant,
                choice.accounts.clone(),
                choice.conversations.clone(),
                &choice.kinds,
                &directory,
            );
            self.filter = Some((directory, filter));
        }
    }

    /// Members that can take enough for reading to be worth while.
    fn rooms(&self) -> Rooms {
        let Some(group) = &self.known else {
            return Rooms::new();
        };
        let rooms = self.locals().into_iter().filter_map(|(id, local)| {
            let member = group.core.members.get(&id)?;
            let most = member.max_in_flight as usize;
            let free = most.saturating_sub(group.in_flight_of(&id));
            let enough = free >= (most / 4).max(1);
            Some((id, if enough { free.min(local.room) } else { 0 }))
        });
        rooms.collect()
    }

    /// Questions do not wait for their slot: they are looked for where the log is now.
    async fn look_for_questions(&mut self, filter: &Filter, plan: &mut Plan) -> Read<()> {
        let head = *self.heads.borrow_and_update();
        let mut at = match self.asked_through {
            Some(at) => at,
            // What was asked before somebody came may still be open.
            None => self.oldest_question().await?,
        };
        while at < head {
            let page = self.read(at).await?;
            if page.last <= at {
                break;
            }
            for event in &page.events {
                if event.kind == EventKind::RequestClosed && event.tenant == self.key.tenant {
                    // Whoever answered may have marked the question as done.
                    self.stale = true;
                }
                if is_question(event.kind)
                    && filter.matches(&Concerns::from(event))
                    && let Some((request_id, respond_by)) = open_question(&event.bytes)
                    && respond_by > self.parts.clock.now()
                {
                    let (slot, event_at) = place_of(event);
                    plan.events.insert(event.position, event.bytes.clone());
                    plan.offers.push(Offer {
                        slot,
                        event: event_at,
                        request_id,
                        respond_by,
                    });
                }
            }
            at = page.last;
        }
        self.asked_through = Some(at);
        Ok(())
    }

    /// Nothing is handed out before it was looked at as a question that may be: one that comes in its order does not move
    /// on in time.
    fn looked_through(&self) -> Position {
        self.asked_through.unwrap_or_default()
    }

    async fn plan_catch_ups(&mut self, rooms: &Rooms, plan: &mut Plan) -> Read<()> {
        let Some((group, record)) = self.known.as_ref().zip(self.record.as_ref()) else {
            return Ok(());
        };
        let slot = |key: &ConversationKey| slot_of(Some(key), None, &key.account);
        let ready = group.ready_to_catch_up(rooms, CATCH_UPS, slot);
        let (limit, through) = (record.policy.window as usize, self.looked_through());
        for (slot, key, from) in ready {
            let kinds = &record.choice.kinds;
            let events = self.parts.kept.events_from(&key, from, kinds, limit + 1);
            let mut events = events.await?;
            let known = events.partition_point(|event| event.position <= through);
            let rest = events.split_off(known.min(limit));
            let next = rest.first().map(|event| event.position);
            if events.is_empty() && next == Some(from) {
                continue;
            }
            let positions = events.iter().map(|event| event.position).collect();
            let bytes = events
                .into_iter()
                .map(|event| (event.position, event.bytes));
            plan.events.extend(bytes);
            plan.catch_ups.push(CatchUp {
                slot,
                conversation: key,
                from,
                events: positions,
                next,
            });
        }
        Ok(())
    }

    async fn plan_scans(&mut self, filter: &Filter, rooms: &Rooms, plan: &mut Plan) -> Read<()> {
        let Some(group) = &self.known else {
            return Ok(());
        };
        if group.is_full() {
            return Ok(());
        }
        let mut readings = readings(group, rooms, &self.seen);
        let head = self.looked_through();
        let mut behind = None;
        for _ in 0..PAGES {
            let Some(start) = readings.iter().map(|reading| reading.through).min() else {
                return Ok(());
            };
            if start >= head {
                break;
            }
            let page = self.read(start).await?.through(head);
            if let Some(floor) = page.floor {
                self.forget(floor);
                return Ok(());
            }
            if page.last <= start {
                break;
            }
            if page.is_old && behind.is_none() {
                let there = readings.iter().filter(|reading| reading.through == start);
                behind = Some((start, there.map(|reading| reading.slot).collect::<Vec<_>>()));
            }
            if take_page(&page.events, page.last, &mut readings, filter, plan) {
                break;
            }
        }
        if let Some((at, slots)) = behind {
            self.tell_behind(&slots, at);
        }
        for reading in readings {
            self.seen[usize::from(reading.slot)] = (reading.token, reading.through);
        }
        Ok(())
    }

    /// Scans of what was looked at in vain: where the slots stand is kept when something is written anyway.
    pub(super) fn note_seen(&self, plan: &mut Plan) {
        let Some(group) = &self.known else { return };
        for slot in 0..SLOTS {
            let state = &group.core.slots[usize::from(slot)];
            let (token, through) = self.seen[usize::from(slot)];
            let is_planned = plan.scans.iter().any(|scan| scan.slot == slot);
            if token == state.token && through > state.read && !is_planned {
                plan.scans.push(Scan {
                    slot,
                    token,
                    from: state.read,
                    to: through,
                    events: Vec::new(),
                });
            }
        }
    }

    /// A position before which no question can be open.
    async fn oldest_question(&self) -> Read<Position> {
        let store = &self.parts.store;
        let since = self.parts.clock.now() - LONGEST_QUESTION;
        let (floor, _) = store.bounds().await?;
        let before = store.position_before(since).await?;
        Ok(before.max(Position(floor.0.saturating_sub(1))))
    }
}

/// The bound of every time limit of a question.
const LONGEST_QUESTION: std::time::Duration = std::time::Duration::from_mins(2);

/// True: something was found.
fn take_page(
    events: &[StoredEvent],
    last: Position,
    readings: &mut [Reading],
    filter: &Filter,
    plan: &mut Plan,
) -> bool {
    let by_slot: HashMap<u16, usize> = readings
        .iter()
        .enumerate()
        .map(|(index, reading)| (reading.slot, index))
        .collect();
    let mut found: HashMap<u16, Vec<Candidate>> = HashMap::new();
    for event in events {
        if !filter.matches(&Concerns::from(event)) {
            continue;
        }
        let (slot, candidate) = place_of(event);
        let reading = by_slot.get(&slot).map(|index| &readings[*index]);
        if reading.is_some_and(|reading| reading.through < event.position) {
            plan.events.insert(event.position, event.bytes.clone());
            found.entry(slot).or_default().push(candidate);
        }
    }
    let any = !found.is_empty();
    for reading in readings.iter_mut().filter(|reading| reading.through < last) {
        match found.remove(&reading.slot) {
            Some(events) => plan.scans.push(Scan {
                slot: reading.slot,
                token: reading.token,
                from: reading.read,
                to: last,
                events,
            }),
            None => reading.through = last,
        }
    }
    any
}

/// The slots of members that have room, and from where they read on.
fn readings(group: &Group, rooms: &Rooms, seen: &[(u64, Position)]) -> Vec<Reading> {
    let slots = (0..SLOTS).zip(&group.core.slots).zip(seen);
    let readable = slots.filter(|((_, slot), _)| {
        let holder = slot.holder.as_ref();
        let room = holder.and_then(|holder| rooms.get(holder));
        slot.next.is_none() && room.is_some_and(|room| *room > 0)
    });
    let readings = readable.map(|((number, slot), (token, through))| Reading {
        slot: number,
        token: slot.token,
        read: slot.read,
        through: if *token == slot.token {
            slot.read.max(*through)
        } else {
            slot.read
        },
    });
    readings.collect()
}

fn place_of(event: &StoredEvent) -> (u16, Candidate) {
    let key = event.account.as_ref().zip(event.conversation_id.as_ref());
    let conversation = key.map(|(account, id): (&Id, &Id)| ConversationKey {
        tenant: event.tenant.clone(),
        account: account.clone(),
        id: id.clone(),
    });
    let slot = slot_of(conversation.as_ref(), event.account.as_ref(), &event.agent);
    let candidate = Candidate {
        position: event.position,
        conversation,
    };
    (slot, candidate)
}

fn is_question(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::ActionRequested
            | EventKind::EscalationRequested
            | EventKind::AvailabilityRequested
    )
}
