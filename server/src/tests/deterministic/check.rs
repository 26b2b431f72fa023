//! What must hold at the end of a run.

use std::collections::BTreeMap;

use super::{database::Kept, members, world::World};
use crate::domain::{ConversationKey, Delivery, DeliveryState, EventBody, Subject};

/// What does not hold.
pub(super) fn check(world: &World) -> Vec<String> {
    let mut wrong = world.journal().wrong.clone();
    let log: Vec<Kept> = world.database().log.values().cloned().collect();
    wrong.extend(is_contiguous(&log));
    wrong.extend(is_in_order(&log));
    wrong.extend(acknowledged_once(world, &log));
    wrong.extend(read_whole(world, &log));
    wrong.extend(delivered(world));
    wrong.extend(heard_in_order(world, &log));
    wrong.extend(members::check(world));
    wrong
}

fn is_contiguous(log: &[Kept]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut time = i64::MIN;
    for (kept, expected) in log.iter().zip(1..) {
        if kept.stored.position.0 != expected {
            wrong.push(format!(
                "position {} stands where {expected} belongs",
                kept.stored.position.0
            ));
            break;
        }
        if kept.fact.recorded_at.0 < time {
            wrong.push(format!("time goes back at position {expected}"));
        }
        time = kept.fact.recorded_at.0;
    }
    wrong
}

/// Sequences of each conversation, from 1 and without a gap, in the order of the log.
fn is_in_order(log: &[Kept]) -> Vec<String> {
    let mut sequences: BTreeMap<&ConversationKey, u64> = BTreeMap::new();
    let mut wrong = Vec::new();
    for kept in log {
        let fact = &kept.fact.fact;
        let Some(key) = &fact.key else { continue };
        let last = sequences.entry(key).or_default();
        if fact.sequence != *last + 1 {
            wrong.push(format!(
                "{key} has sequence {} after {last} at position {}",
                fact.sequence, kept.stored.position.0
            ));
        }
        *last = fact.sequence;
    }
    wrong
}

/// Each message that was acknowledged is in the log once, in the order in which its caller spoke.
fn acknowledged_once(world: &World, log: &[Kept]) -> Vec<String> {
    let mut wrong = Vec::new();
    let places = messages(log);
    for (id, positions) in &places {
        if positions.len() > 1 {
            wrong.push(format!("{id} is in the log {} times", positions.len()));
        }
    }
    for ids in world.journal().acknowledged.values() {
        let mut before = 0;
        for id in ids {
            let Some(position) = places.get(id).and_then(|all| all.first().copied()) else {
                wrong.push(format!("{id} was acknowledged and is lost"));
                continue;
            };
            if position < before {
                wrong.push(format!("{id} is out of order in the log"));
            }
            before = position;
        }
    }
    wrong
}

/// Where each message stands.
fn messages(log: &[Kept]) -> BTreeMap<String, Vec<u64>> {
    let mut places: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for kept in log {
        if let EventBody::VisitorMessage(message) = &kept.fact.fact.body {
            let positions = places.entry(message.message_id.clone()).or_default();
            positions.push(kept.stored.position.0);
        }
    }
    places
}

/// Each stream gave what follows its start, all of it and nothing twice; all streams of a reader together give the log.
fn read_whole(world: &World, log: &[Kept]) -> Vec<String> {
    let mut wrong = Vec::new();
    let ids: BTreeMap<u64, &str> = log
        .iter()
        .map(|kept| {
            let id = kept.fact.fact.event_id.as_str();
            (kept.stored.position.0, id)
        })
        .collect();
    let journal = world.journal();
    for reader in 0..world.plan.readers {
        let stretches = journal.read.get(&reader).map_or(&[][..], Vec::as_slice);
        let mut read = BTreeMap::new();
        for stretch in stretches {
            for ((position, id), expected) in stretch.events.iter().zip(stretch.after + 1..) {
                if *position != expected {
                    wrong.push(format!(
                        "reader {reader} was given {position} where {expected} was next"
                    ));
                    break;
                }
                read.insert(*position, id.as_str());
            }
        }
        if wrong.is_empty() && read != ids {
            let missing: Vec<_> = ids.keys().filter(|it| !read.contains_key(*it)).collect();
            wrong.push(format!(
                "reader {reader} has read {} of {} events; missing are {missing:?}",
                read.len(),
                ids.len()
            ));
        }
    }
    wrong
}

/// Each message has come to an end, and the platform has heard what it was sent.
fn delivered(world: &World) -> Vec<String> {
    let counts = world.platform.counts();
    let mut wrong = Vec::new();
    for (text, count) in &counts {
        if *count > 1 {
            wrong.push(format!("the agent heard {text} {count} times"));
        }
    }
    let deliveries = all_deliveries(world);
    for delivery in &deliveries {
        let Subject::Message(id) = &delivery.subject else {
            continue;
        };
        let heard = counts.get(id).copied().unwrap_or(0);
        match delivery.state {
            DeliveryState::Delivered if heard == 0 => {
                wrong.push(format!("{id} is DELIVERED and the agent has not heard it"));
            }
            DeliveryState::Failed | DeliveryState::Held if heard > 0 => {
                wrong.push(format!("{id} is {:?} and was heard", delivery.state));
            }
            state if !state.is_final() => wrong.push(format!("{id} is still {state:?}")),
            _ => {}
        }
    }
    wrong
}

fn all_deliveries(world: &World) -> Vec<Delivery> {
    let database = world.database();
    database.rows.deliveries.values().cloned().collect()
}

/// The platform hears each visitor in the order of the log.
fn heard_in_order(world: &World, log: &[Kept]) -> Vec<String> {
    let places = messages(log);
    let mut last: BTreeMap<String, u64> = BTreeMap::new();
    let mut wrong = Vec::new();
    for heard in world.platform.heard() {
        let place = places.get(&heard.text).and_then(|all| all.first().copied());
        let Some(place) = place else {
            wrong.push(format!("{} was sent and is not in the log", heard.text));
            continue;
        };
        let before = last.entry(heard.conversation.clone()).or_default();
        if place < *before {
            wrong.push(format!("the agent heard {} out of order", heard.text));
        }
        *before = place.max(*before);
    }
    wrong
}
