//! Holds the journals against the log.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    ops::Range,
};

use super::{Entry, Fact, Fault, Journal, Logged, Report, Settled};

/// `replay` is the whole log from its beginning, read once everything had come to rest.
pub fn check(journals: &[Journal], replay: &[Logged]) -> Report {
    let entries: Vec<_> = journals.iter().flat_map(|journal| &journal.0).collect();
    let operations = operations(&entries);
    let mut report = Report {
        events: replay.len(),
        operations: operations.len(),
        acknowledged: operations
            .values()
            .filter(|operation| operation.acknowledged.is_some())
            .count(),
        ..Report::default()
    };
    let log = Log::new(replay);
    report.faults.extend(contiguous(replay));
    report.faults.extend(kept(&operations, &log));
    report.faults.extend(ordered(&operations, replay));
    report.faults.extend(agents(&entries, &log, replay));
    for subscriber in subscribers(&entries) {
        report.deliveries += subscriber.got.len();
        report.faults.extend(followed(&subscriber, replay));
    }
    report
}

/// One operation over all its tries.
struct Operation {
    asked: u64,
    acknowledged: Option<u64>,
}

fn operations<'a>(entries: &[&'a Entry]) -> BTreeMap<&'a str, Operation> {
    let mut operations = BTreeMap::new();
    for entry in entries {
        if let Entry::Asked { tick, key, .. } = entry {
            let new = Operation {
                asked: *tick,
                acknowledged: None,
            };
            let operation: &mut Operation = operations.entry(key.as_str()).or_insert(new);
            operation.asked = operation.asked.min(*tick);
        }
    }
    for entry in entries {
        if let Entry::Acknowledged { tick, key } = entry
            && let Some(operation) = operations.get_mut(key.as_str())
        {
            let first = operation
                .acknowledged
                .map_or(*tick, |earlier| earlier.min(*tick));
            operation.acknowledged = Some(first);
        }
    }
    operations
}

/// Where each operation stands in the log, and how messages were settled.
struct Log<'a> {
    places: HashMap<&'a str, Vec<u64>>,
    settled: HashMap<&'a str, Settled>,
}

impl<'a> Log<'a> {
    fn new(replay: &'a [Logged]) -> Self {
        let mut log = Self {
            places: HashMap::new(),
            settled: HashMap::new(),
        };
        for logged in replay {
            match &logged.fact {
                Fact::Operation { key, .. } => {
                    log.places.entry(key).or_default().push(logged.position);
                }
                Fact::Settled { key, how } => drop(log.settled.insert(key, *how)),
                Fact::Other => {}
            }
        }
        log
    }
}

/// Positions follow one another, and so do the sequences of each conversation.
fn contiguous(replay: &[Logged]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut sequences: HashMap<&str, u64> = HashMap::new();
    for pair in replay.windows(2) {
        let (after, next) = (pair[0].position, pair[1].position);
        if next != after + 1 {
            faults.push(Fault::PositionGap { after, next });
        }
    }
    for logged in replay
        .iter()
        .filter(|logged| !logged.conversation.is_empty())
    {
        let last = sequences.entry(&logged.conversation).or_default();
        if logged.sequence != *last + 1 {
            let conversation = logged.conversation.clone();
            faults.push(Fault::SequenceGap {
                conversation,
                after: *last,
                next: logged.sequence,
            });
        }
        *last = logged.sequence;
    }
    faults
}

/// What was acknowledged is in the log exactly once, everything else at most once.
fn kept(operations: &BTreeMap<&str, Operation>, log: &Log) -> Vec<Fault> {
    let fault = |(key, operation): (&&str, &Operation)| {
        let key = (*key).to_owned();
        match log.places.get(key.as_str()).map_or(0, Vec::len) {
            0 if operation.acknowledged.is_some() => Some(Fault::Lost { key }),
            0 | 1 => None,
            _ => Some(Fault::Repeated { key }),
        }
    };
    operations.iter().filter_map(fault).collect()
}

/// In each conversation, what was acknowledged before another was asked for stands before it.
fn ordered(operations: &BTreeMap<&str, Operation>, replay: &[Logged]) -> Vec<Fault> {
    let mut faults = Vec::new();
    // Of each conversation's operations so far, the one that was asked for last.
    let mut latest: HashMap<&str, (u64, &str)> = HashMap::new();
    for logged in replay {
        let Fact::Operation { key, .. } = &logged.fact else {
            continue;
        };
        let Some(operation) = operations.get(key.as_str()) else {
            continue;
        };
        if let (Some((asked, behind)), Some(acknowledged)) = (
            latest.get(logged.conversation.as_str()),
            operation.acknowledged,
        ) && acknowledged < *asked
        {
            faults.push(Fault::AcknowledgedEarlier {
                key: key.clone(),
                behind: (*behind).to_owned(),
            });
        }
        let last = latest
            .entry(&logged.conversation)
            .or_insert((operation.asked, key));
        if operation.asked > last.0 {
            *last = (operation.asked, key);
        }
    }
    faults
}

/// The agent got each message once, in the log's order, and every one that the log says it got or owes it.
fn agents(entries: &[&Entry], log: &Log, replay: &[Logged]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut saw = HashSet::new();
    let mut latest: HashMap<&str, u64> = HashMap::new();
    let resent: BTreeSet<_> = entries
        .iter()
        .filter_map(|entry| match entry {
            Entry::Resent { key } => Some(key),
            _ => None,
        })
        .collect();
    for entry in entries {
        let Entry::AgentSaw { conversation, key } = entry else {
            continue;
        };
        if !saw.insert(key.as_str()) && !resent.contains(key) {
            faults.push(Fault::SentTwice { key: key.clone() });
        }
        let place = log
            .places
            .get(key.as_str())
            .and_then(|places| places.first().copied());
        let Some(place) = place else { continue };
        let last = latest.entry(conversation).or_default();
        if place < *last && !resent.contains(key) {
            faults.push(Fault::AgentOutOfOrder { key: key.clone() });
        }
        *last = place.max(*last);
    }
    faults.extend(
        owed(replay)
            .filter(|key| !saw.contains(key))
            .filter_map(|key| {
                let excused = matches!(
                    log.settled.get(key),
                    Some(Settled::Unknown | Settled::Failed)
                );
                (!excused).then(|| Fault::NeverDelivered {
                    key: key.to_owned(),
                })
            }),
    );
    faults
}

fn owed(replay: &[Logged]) -> impl Iterator<Item = &str> {
    replay.iter().filter_map(|logged| match &logged.fact {
        Fact::Operation { key, owed: true } => Some(key.as_str()),
        _ => None,
    })
}

/// One subscriber over all its connections.
struct Subscriber<'a> {
    name: &'a str,
    after: u64,
    conversations: &'a [String],
    got: Vec<(u32, &'a Logged)>,
}

fn subscribers<'a>(entries: &[&'a Entry]) -> Vec<Subscriber<'a>> {
    let mut found: BTreeMap<&str, Subscriber> = BTreeMap::new();
    for entry in entries {
        if let Entry::Subscribed {
            subscriber,
            after,
            conversations,
        } = entry
        {
            let new = Subscriber {
                name: subscriber,
                after: *after,
                conversations,
                got: Vec::new(),
            };
            found.insert(subscriber, new);
        }
    }
    for entry in entries {
        if let Entry::Delivered {
            subscriber,
            connection,
            logged,
        } = entry
            && let Some(known) = found.get_mut(subscriber.as_str())
        {
            known.got.push((*connection, logged));
        }
    }
    found.into_values().collect()
}

/// What a subscriber got, each event counted once, is the replay in its range; an event comes again only on another
/// connection, and on one connection the order is the log's.
fn followed(subscriber: &Subscriber, replay: &[Logged]) -> Vec<Fault> {
    let name = || subscriber.name.to_owned();
    let mut faults = Vec::new();
    let log: HashMap<u64, &Logged> = replay
        .iter()
        .map(|logged| (logged.position, logged))
        .collect();
    let mut last_on: HashMap<u32, u64> = HashMap::new();
    // The furthest place that was reached with nothing left out before it.
    let mut reached = subscriber.after;
    for (connection, logged) in &subscriber.got {
        let position = logged.position;
        if log.get(&position) != Some(logged) {
            faults.push(Fault::NotInLog {
                subscriber: name(),
                position,
            });
        }
        let last = last_on.insert(*connection, position);
        if last.is_some_and(|last| position <= last) {
            faults.push(Fault::OutOfOrder {
                subscriber: name(),
                position,
            });
        }
        faults.extend(subscriber.skipped(reached + 1..position, &log));
        reached = reached.max(position);
    }
    let end = replay.last().map_or(0, |logged| logged.position);
    faults.extend(subscriber.skipped(reached + 1..end + 1, &log));
    faults
}

impl Subscriber<'_> {
    /// What it was owed in a range that it has left behind, or never came to.
    fn skipped(&self, range: Range<u64>, log: &HashMap<u64, &Logged>) -> Vec<Fault> {
        range
            .filter(|position| log.get(position).is_some_and(|logged| self.wants(logged)))
            .map(|position| Fault::Skipped {
                subscriber: self.name.to_owned(),
                position,
            })
            .collect()
    }

    fn wants(&self, logged: &Logged) -> bool {
        self.conversations.is_empty() || self.conversations.contains(&logged.conversation)
    }
}
