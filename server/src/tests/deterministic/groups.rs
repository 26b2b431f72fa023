//! Named subscriptions as the database keeps them, and what must hold of them with each commit.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::MutexGuard,
};

use async_trait::async_trait;

use super::{
    database::{Database, Kept},
    members::Said,
    plan::Bug,
    store::Reached,
    transaction::Open,
    world::World,
};
use crate::domain::{
    ConversationKey, Error, EventKind, Id, Position, Result, StoredEvent, Timestamp,
    ports::{SubscriptionRead, SubscriptionWrite, Unfinished},
    subscription::{
        Changes, Choice, Entry, HeldBack, State, SubscriptionKey, SubscriptionRecord, WhenParked,
    },
};

/// One subscription with what is unfinished in it.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub record: SubscriptionRecord,
    pub entries: BTreeMap<Position, Entry>,
    pub held_back: BTreeMap<ConversationKey, HeldBack>,
}

/// What has become of its events, by the commits.
#[derive(Debug, Default)]
pub(super) struct History {
    /// Handed out once, and gone since.
    pub done: BTreeSet<Position>,
    pub parked: BTreeSet<Position>,
}

impl Group {
    fn unfinished(&self) -> Unfinished {
        Unfinished {
            entries: self.entries.values().cloned().collect(),
            held_back: self
                .held_back
                .iter()
                .map(|(key, held)| (key.clone(), *held))
                .collect(),
        }
    }
}

impl Open {
    /// As this transaction sees it.
    fn group(&self, key: &SubscriptionKey) -> Option<Group> {
        let written = self.written.groups.get(key).cloned();
        written.or_else(|| self.world.database().rows.groups.get(key).cloned())
    }
}

#[async_trait]
impl SubscriptionWrite for Open {
    async fn subscription(&mut self, key: &SubscriptionKey) -> Result<Option<SubscriptionRecord>> {
        self.statement().await?;
        Ok(self.group(key).map(|group| group.record))
    }

    async fn unfinished(&mut self, key: &SubscriptionKey) -> Result<Unfinished> {
        self.statement().await?;
        let group = self.group(key);
        Ok(group.map_or_else(Unfinished::default, |group| group.unfinished()))
    }

    async fn count_subscriptions(&mut self, _: &Id) -> Result<usize> {
        self.statement().await?;
        Ok(self.world.database().rows.groups.len())
    }

    async fn save_subscription(&mut self, record: &SubscriptionRecord) -> Result<()> {
        self.wrote().await?;
        let group = match self.group(&record.key) {
            Some(group) => Group {
                record: record.clone(),
                ..group
            },
            None => Group {
                record: record.clone(),
                entries: BTreeMap::new(),
                held_back: BTreeMap::new(),
            },
        };
        self.written.groups.insert(record.key.clone(), group);
        Ok(())
    }

    async fn save_changes(&mut self, key: &SubscriptionKey, changes: &Changes) -> Result<()> {
        self.wrote().await?;
        let mut group = self.group(key).ok_or(Error::Internal)?;
        if !self.world.has(Bug::ForgottenAcks) {
            for position in &changes.removed {
                group.entries.remove(position);
            }
        }
        for entry in &changes.entries {
            group.entries.insert(entry.position, entry.clone());
        }
        for key in &changes.let_go {
            group.held_back.remove(key);
        }
        group.held_back.extend(changes.held_back.iter().cloned());
        self.written.groups.insert(key.clone(), group);
        Ok(())
    }

    async fn delete_subscription(&mut self, _: &SubscriptionKey) -> Result<()> {
        Err(Error::Internal)
    }

    async fn answered(&mut self, _: &Id, _: &Id) -> Result<()> {
        Err(Error::Internal)
    }
}

#[async_trait]
impl SubscriptionRead for Reached {
    async fn subscription(&self, key: &SubscriptionKey) -> Result<Option<SubscriptionRecord>> {
        self.read("subscription", |database| {
            let group = database.rows.groups.get(key);
            group.map(|group| group.record.clone())
        })
        .await
    }

    async fn subscriptions(&self, _: Option<&Id>) -> Result<Vec<SubscriptionRecord>> {
        self.read("subscriptions", |database| {
            let groups = database.rows.groups.values();
            groups.map(|group| group.record.clone()).collect()
        })
        .await
    }

    async fn unfinished(&self, key: &SubscriptionKey) -> Result<Unfinished> {
        self.read("unfinished", |database| {
            let group = database.rows.groups.get(key);
            group.map_or_else(Unfinished::default, Group::unfinished)
        })
        .await
    }

    async fn revision(&self, key: &SubscriptionKey) -> Result<Option<u64>> {
        self.read("revision", |database| {
            let group = database.rows.groups.get(key);
            group.map(|group| group.record.revision)
        })
        .await
    }

    async fn events_at(&self, positions: &[Position]) -> Result<Vec<StoredEvent>> {
        self.asks_for_bodies();
        let read = self.read("events at", |database| {
            let kept = positions.iter().filter_map(|it| database.log.get(&it.0));
            let mut events: Vec<_> = kept.map(|kept| kept.stored.clone()).collect();
            events.sort_by_key(|event| event.position);
            events
        });
        let read = read.await;
        if read.is_ok() && !self.world.chance.percent(self.world.plan.bodies_failing) {
            return read;
        }
        self.was_refused();
        Err(Error::StoreUnavailable)
    }

    async fn events_from(
        &self,
        key: &ConversationKey,
        from: Position,
        kinds: &[EventKind],
        limit: usize,
    ) -> Result<Vec<StoredEvent>> {
        self.read("events from", |database| {
            let rest = database.log.range(from.0..).map(|(_, kept)| kept);
            let of_it = rest.filter(|kept| {
                kept.fact.fact.key.as_ref() == Some(key)
                    && (kinds.is_empty() || kinds.contains(&kept.stored.kind))
            });
            of_it.take(limit).map(|kept| kept.stored.clone()).collect()
        })
        .await
    }

    async fn recorded_at(&self, position: Position) -> Result<Option<Timestamp>> {
        self.read("recorded at", |database| {
            let mut rest = database.log.range(position.0..);
            rest.next().map(|(_, kept)| kept.fact.recorded_at)
        })
        .await
    }
}

/// A subscription is committed as `after`.
pub(super) fn committed(world: &World, after: &Group) {
    let mut wrong = Vec::new();
    {
        let mut database = world.database();
        let before = database.rows.groups.get(&after.record.key).cloned();
        let said = &world.journal().said;
        if let Some(before) = &before {
            wrong.extend(unseen(said, before, after));
        }
        let entries = before.map_or_else(BTreeMap::new, |before| before.entries);
        note(&mut database, &entries, after);
        for entry in after.entries.values() {
            let was = entries.get(&entry.position);
            wrong.extend(forbidden(&database, said, was, entry, after));
        }
    }
    for wrong in wrong {
        world.wrong(wrong);
    }
}

fn note(database: &mut Database, before: &BTreeMap<Position, Entry>, after: &Group) {
    let history = &mut database.history;
    let gone = before.keys().filter(|it| !after.entries.contains_key(it));
    history.done.extend(gone.copied());
    for entry in after.entries.values() {
        if matches!(entry.state, State::Parked { .. }) {
            history.parked.insert(entry.position);
        } else {
            history.parked.remove(&entry.position);
        }
    }
}

/// Events that are set aside with an attempt that no member saw, although the one that was to get it has its stream.
fn unseen(said: &Said, before: &Group, after: &Group) -> Vec<String> {
    let session = |group: &Group, id| {
        let member = group.record.core.members.get(id);
        member.map(|member| member.session)
    };
    let unseen = after.entries.values().filter(|entry| {
        let was = before.entries.get(&entry.position);
        let had_by = was.and_then(|was| match &was.state {
            State::InFlight {
                member,
                until: None,
            } if was.attempt == entry.attempt => Some(member),
            _ => None,
        });
        let is_there = had_by.is_some_and(|it| session(before, it) == session(after, it));
        // What a member says late of an attempt before counts for this one.
        let position = &entry.position;
        let is_said = said.park.contains(position) || said.retry.contains(position);
        is_there
            && !is_said
            && matches!(entry.state, State::Parked { .. })
            && !said.handed.contains(&(*position, entry.attempt))
    });
    let told = |it: &Entry| {
        format!(
            "{} is parked, and attempt {} was not seen",
            it.position.0, it.attempt
        )
    };
    unseen.map(told).collect()
}

/// What must not be of an event that is handed out.
fn forbidden(
    database: &Database,
    said: &Said,
    was: Option<&Entry>,
    entry: &Entry,
    group: &Group,
) -> Option<String> {
    let at = entry.position.0;
    let State::InFlight { member, .. } = &entry.state else {
        return None;
    };
    let is_same = was.is_some_and(|was| was.attempt == entry.attempt && was.state == entry.state);
    if is_same {
        return None;
    }
    if database.history.done.contains(&entry.position) {
        return Some(format!("{at} was done and is handed out again"));
    }
    // What was taken back because nobody saw it is not counted.
    let before = was.map_or(0, |was| was.attempt);
    let was_seen = said.handed.contains(&(entry.position, before));
    if entry.attempt != before + 1 && (entry.attempt != before || was_seen) {
        return Some(format!("{at} is handed out without being counted"));
    }
    if entry.attempt > group.record.policy.max_attempts {
        return Some(format!("{at} is handed out {} times", entry.attempt));
    }
    let releases = group.record.policy.when_parked == WhenParked::Release;
    let earlier = of_conversation(database, group, entry.conversation.as_ref());
    let earlier = earlier.take_while(|position| *position < entry.position);
    for position in earlier {
        let is_over = database.history.done.contains(&position);
        let goes_before = group.entries.get(&position).is_some_and(|other| {
            matches!(&other.state, State::InFlight { member: has, .. } if has == member)
                || (releases && matches!(other.state, State::Parked { .. }))
        });
        if !is_over && !goes_before {
            return Some(format!("{at} is handed out before {}", position.0));
        }
    }
    None
}

/// Where the events of one conversation stand that are the subscription's.
fn of_conversation<'a>(
    database: &'a Database,
    group: &'a Group,
    key: Option<&'a ConversationKey>,
) -> impl Iterator<Item = Position> + use<'a> {
    let all = chosen(database, &group.record.choice);
    all.filter(move |kept| key.is_some() && kept.fact.fact.key.as_ref() == key)
        .map(|kept| kept.stored.position)
}

/// What of the log is the subscription's.
pub(super) fn chosen<'a>(
    database: &'a Database,
    choice: &'a Choice,
) -> impl Iterator<Item = &'a Kept> + use<'a> {
    let all = database.log.values();
    all.filter(|kept| choice.kinds.is_empty() || choice.kinds.contains(&kept.stored.kind))
}

/// The one that there is.
pub(super) fn only<'a>(database: &'a MutexGuard<'_, Database>) -> Option<&'a Group> {
    database.rows.groups.values().next()
}
