//! What was committed as handed out goes to those who get it.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::{
    dispatcher::{Dispatcher, Read},
    mailbox::Mail,
    op::{LeftOver, Pulled, PulledEvent},
    plan::Events,
    turn::Step,
};
use crate::domain::{Error, Id, Position, StoredEvent, subscription::HandOut};

impl Dispatcher {
    /// False: some of it could not be read, and is taken back.
    pub(super) async fn deliver(&mut self, mut out: Vec<HandOut>, mut events: Events) -> bool {
        let read = self.read_missing(&out, &mut events).await;
        match &read {
            Ok(unreadable) if unreadable.is_empty() => {}
            Ok(unreadable) => out = self.set_aside(out, |at| unreadable.contains(&at), true),
            Err(error) => {
                tracing::warn!(subscription = %self.key.name, %error, "what is to be repeated could not be read");
                out = self.set_aside(out, |at| !events.contains_key(&at), false);
            }
        }
        let mut pulled: BTreeMap<Id, Vec<PulledEvent>> = BTreeMap::new();
        for hand in out {
            let Some(event) = events.get(&hand.ack.position).cloned() else {
                // Retention was faster.
                self.push(Step::Lost(hand.ack.position));
                continue;
            };
            let (tenant, name) = (self.key.tenant.as_str(), self.key.name.as_str());
            let metrics = &self.parts.metrics.subscriptions;
            metrics.handed_out(tenant, name, hand.attempt);
            let whole = self
                .record
                .as_ref()
                .map(|record| record.policy.ack_deadline);
            let time = match hand.moves_at {
                Some(moves_at) => moves_at.since(self.last_turn),
                None => whole.unwrap_or_default(),
            };
            if let Some(stream) = self.streams.get(&hand.member) {
                stream.mailbox.put(Mail::Event {
                    event,
                    ack: hand.ack,
                    attempt: hand.attempt,
                    time,
                });
            } else {
                pulled.entry(hand.member).or_default().push(PulledEvent {
                    event,
                    ack: hand.ack,
                    attempt: hand.attempt,
                    time_left: time,
                });
            }
        }
        self.answer_pulls(pulled);
        self.tell_level();
        read.is_ok()
    }

    /// Takes back what is missing and what would overtake it. What is missing for good fails instead, so that it is parked
    /// in the end. Answers what can be sent all the same.
    fn set_aside(
        &mut self,
        out: Vec<HandOut>,
        is_missing: impl Fn(Position) -> bool,
        for_good: bool,
    ) -> Vec<HandOut> {
        let Some(group) = &self.known else {
            return Vec::new();
        };
        let (sendable, unseen) = group.sendable(out, &is_missing);
        for HandOut { ack, attempt, .. } in unseen {
            self.push(if for_good && is_missing(ack.position) {
                Step::Expire { ack, attempt }
            } else {
                Step::TakeBack { ack, attempt }
            });
        }
        sendable
    }

    /// Answers what is there and cannot be read.
    async fn read_missing(&self, out: &[HandOut], events: &mut Events) -> Read<Vec<Position>> {
        let missing: Vec<_> = out
            .iter()
            .map(|hand| hand.ack.position)
            .filter(|position| !events.contains_key(position))
            .collect();
        if missing.is_empty() {
            return Ok(Vec::new());
        }
        let mut add = |read: Vec<StoredEvent>| {
            events.extend(read.into_iter().map(|event| (event.position, event.bytes)));
        };
        let kept = &self.parts.kept;
        let mut unreadable = Vec::new();
        match kept.events_at(&missing).await {
            Ok(read) => add(read),
            Err(Error::StoreUnavailable) => return Err(Error::StoreUnavailable),
            // One of them spoils the read for all.
            Err(_) => {
                for position in missing {
                    match kept.events_at(&[position]).await {
                        Ok(read) => add(read),
                        Err(Error::StoreUnavailable) => return Err(Error::StoreUnavailable),
                        Err(_) => unreadable.push(position),
                    }
                }
            }
        }
        Ok(unreadable)
    }

    fn answer_pulls(&mut self, pulled: BTreeMap<Id, Vec<PulledEvent>>) {
        let done_through = self.done_through();
        for (member, mut events) in pulled {
            if let Some(pull) = self.pulls.remove(&member) {
                let mut room = pull.max_bytes;
                let fits = |event: &&PulledEvent| {
                    let fits = event.event.len() <= room;
                    room = room.saturating_sub(event.event.len());
                    fits
                };
                // A large one goes alone.
                let count = events.iter().take_while(fits).count().max(1);
                let rest = events.split_off(count.min(events.len()));
                if !rest.is_empty() {
                    let since = Instant::now();
                    let events = rest;
                    self.left_over.insert(member, LeftOver { since, events });
                }
                // Gone: its events come again when their time is over.
                let _ = pull.reply.send(Ok(Pulled {
                    events,
                    done_through,
                    gap: pull.gap,
                }));
            }
        }
    }

    /// What was handed to a member and did not fit into its answer goes into the next one.
    pub(super) fn answer_with_the_rest(&mut self, member: &Id) {
        if !self.pulls.contains_key(member) {
            // It was answered with a question meanwhile: the rest is for its next one.
            return;
        }
        let Some(left) = self.left_over.remove(member) else {
            return;
        };
        let mut rest = left.events;
        // What failed meanwhile comes again by itself.
        let known = self.known.as_ref();
        rest.retain(|it| known.is_some_and(|group| group.is_in_flight(it.ack, it.attempt)));
        for event in &mut rest {
            event.time_left = event.time_left.saturating_sub(left.since.elapsed());
        }
        if !rest.is_empty() {
            self.answer_pulls(BTreeMap::from([(member.clone(), rest)]));
        }
    }

    /// Members that had been given all there was, and whose slots are now read from the log because memory does not reach
    /// back so far.
    pub(super) fn tell_behind(&mut self, slots: &[u16], at: Position) {
        let Some(group) = &self.known else { return };
        for slot in slots {
            let holder = group.core.slots[usize::from(*slot)].holder.as_ref();
            let stream = holder.and_then(|holder| self.streams.get_mut(holder));
            if let Some(stream) = stream.filter(|stream| stream.told_level) {
                stream.told_level = false;
                stream.mailbox.put(Mail::FellBehind(at));
            }
        }
    }

    /// Says once that all there was has been given.
    pub(super) fn tell_level(&mut self) {
        let Some(group) = &self.known else { return };
        let head = *self.heads.borrow();
        for (id, stream) in &mut self.streams {
            if stream.told_level {
                continue;
            }
            let mut mine = group.core.slots.iter().zip(&self.seen);
            let is_level = mine.all(|(slot, (token, through))| {
                let read = if *token == slot.token {
                    slot.read.max(*through)
                } else {
                    slot.read
                };
                slot.holder.as_ref() != Some(id) || read >= head
            });
            if is_level && group.core.members.contains_key(id) {
                stream.told_level = true;
                stream.mailbox.put(Mail::CaughtUp(Position(head.0)));
            }
        }
    }
}
