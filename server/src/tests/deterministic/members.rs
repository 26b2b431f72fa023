//! Members of a named subscription: copies of one consumer, some with a stream, some that come for events. Each does what
//! it is handed in its own time, says so or not, and dies now and then with all that it had.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use super::{
    database::Kept,
    groups::{self, Group},
    plan::Plan,
    replica::Replica,
    world::World,
};
use crate::{
    domain::{
        ConversationKey, EventKind, Id, Position, TENANT,
        subscription::{
            Ack, AckId, Acked, Choice, Policy, State, SubscriptionKey, Verdict, WhenParked,
        },
    },
    subscriptions::{Creation, Mail, MemberStream, Place, Settings},
};

/// Everything that a member was handed in one life of its own.
#[derive(Debug, Default)]
struct Session {
    handed: BTreeSet<Position>,
}

/// What members have said and were told.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// Of these they said that they are done, by themselves or with one after it.
    pub done: BTreeMap<Position, Option<ConversationKey>>,
    pub cumulative: BTreeMap<ConversationKey, Position>,
    pub park: BTreeSet<Position>,
    pub retry: BTreeSet<Position>,
    /// Of these they were told that it is kept.
    pub kept: BTreeSet<Position>,
    /// Who was handed what, with the number of the attempt.
    pub handed: BTreeSet<(Position, u32)>,
}

pub(super) fn key() -> SubscriptionKey {
    SubscriptionKey {
        tenant: Id::trusted(TENANT),
        name: Id::trusted("crm"),
    }
}

/// As every member asks for it; the first one makes it.
pub(super) fn creation(world: &World) -> Creation {
    let kinds = if world.plan.all_kinds {
        Vec::new()
    } else {
        vec![EventKind::VisitorMessage]
    };
    Creation {
        choice: Some(Choice {
            kinds,
            ..Choice::default()
        }),
        policy: Policy {
            ack_deadline: Duration::from_secs(3),
            max_attempts: world.plan.max_attempts,
            when_parked: if world.plan.parked_blocks {
                WhenParked::Block
            } else {
                WhenParked::Release
            },
            window: world.plan.window,
        },
        start: Place::Earliest,
    }
}

pub(super) fn settings(plan: &Plan) -> Settings {
    Settings {
        max_subscriptions: 10,
        max_members: plan.max_members,
        max_in_flight: 100,
        max_pending: 1000,
        lease: Duration::from_secs(6),
        pull_lease: Duration::from_secs(5),
        retention_alarm: Duration::from_secs(1),
        look_interval: Duration::from_secs(1),
        retention_age: Duration::from_hours(1000),
        tenant_ages: BTreeMap::new(),
        measure_interval: Duration::from_hours(1),
    }
}

pub(super) async fn work(world: Arc<World>, number: u64) {
    let member = Id::trusted(format!("m{number}"));
    if world.chance.percent(30) {
        return come(&world, &member, number).await;
    }
    loop {
        let replica = world.any().await;
        world.way().await;
        if let Some(stream) = open(&world, &replica, &member).await {
            world.note("is a member", number, replica.life.number);
            listen(&world, number, &replica, stream).await;
        }
        world.turns.after(world.chance.millis(10..1500)).await;
    }
}

async fn open(world: &Arc<World>, replica: &Arc<Replica>, member: &Id) -> Option<MemberStream> {
    let subscriptions = Arc::clone(&replica.subscriptions);
    let (member, creation) = (member.clone(), creation(world));
    let most = u32::try_from(world.chance.within(1..12)).unwrap_or(1);
    let opening = tokio::spawn(async move {
        let opened = subscriptions.open(key(), member, creation, (most, None));
        opened.await
    });
    tokio::select! {
        biased;
        opened = opening => opened.ok()?.ok(),
        () = replica.life.over() => None,
        () = world.turns.after(Duration::from_secs(8)) => None,
    }
}

/// Until the stream or the member ends.
async fn listen(world: &Arc<World>, number: u64, replica: &Arc<Replica>, stream: MemberStream) {
    let mut session = Session::default();
    let patience = if world.journal().is_calm {
        Duration::from_mins(10)
    } else {
        world.chance.millis(300..15_000)
    };
    let ends = world.turns.after(patience);
    tokio::pin!(ends);
    loop {
        let next = async {
            replica.life.goes_on().await;
            std::future::poll_fn(|context| stream.poll(context)).await
        };
        let mail = tokio::select! {
            biased;
            () = replica.life.over() => return,
            () = &mut ends => return,
            mail = next => mail,
        };
        match mail {
            Mail::Event { ack, attempt, .. } => {
                handed(world, &mut session, ack, attempt);
                // The member may end in the middle of it.
                tokio::select! {
                    biased;
                    () = &mut ends => return,
                    () = handle(world, number, replica, ack) => {}
                }
            }
            Mail::GoingAway { .. } | Mail::Failed(_) => return,
            Mail::Gap { .. } => world.wrong(format!("member {number} was told of a gap")),
            Mail::CaughtUp(_) | Mail::FellBehind(_) | Mail::Checkpoint(_) => {}
        }
    }
}

/// Comes for events, call by call. All calls are one session, whatever becomes of the member.
async fn come(world: &Arc<World>, member: &Id, number: u64) {
    let mut session = Session::default();
    loop {
        let replica = world.any().await;
        world.way().await;
        let subscriptions = Arc::clone(&replica.subscriptions);
        let (id, creation) = (member.clone(), creation(world));
        let want = world.chance.index(5) + 1;
        let patience = world.chance.millis(1..2000);
        let pulling = tokio::spawn(async move {
            let pulled = subscriptions.pull(key(), id, creation, (8, want, patience));
            pulled.await
        });
        let pulled = tokio::select! {
            biased;
            pulled = pulling => pulled.ok().and_then(Result::ok),
            () = replica.life.over() => None,
            () = world.turns.after(Duration::from_secs(8)) => None,
        };
        for event in pulled.into_iter().flat_map(|pulled| pulled.events) {
            handed(world, &mut session, event.ack, event.attempt);
            handle(world, number, &replica, event.ack).await;
        }
        world.turns.after(world.chance.millis(10..600)).await;
    }
}

/// A member is handed an event: everything before it in its conversation was done, or handed to the same one.
fn handed(world: &World, session: &mut Session, ack: AckId, attempt: u32) {
    let position = ack.position;
    world.note("handed", position.0, u64::from(attempt));
    session.handed.insert(position);
    let mut wrong = None;
    {
        let database = world.database();
        let Some(group) = groups::only(&database) else {
            return;
        };
        let kept = database.log.get(&position.0);
        let conversation = kept.and_then(|kept| kept.fact.fact.key.as_ref());
        let all = groups::chosen(&database, &group.record.choice);
        let mut earlier = all
            .take_while(|kept| kept.stored.position < position)
            .filter(|kept| kept.fact.fact.key.as_ref() == conversation)
            .map(|kept| kept.stored.position);
        let history = &database.history;
        let missed = earlier.find(|it| {
            !session.handed.contains(it)
                && !history.done.contains(it)
                && !history.parked.contains(it)
        });
        if let Some(missed) = missed {
            wrong = Some(format!(
                "a member was handed {} without {}",
                position.0, missed.0
            ));
        }
    }
    let is_first = world.journal().said.handed.insert((position, attempt));
    if !is_first {
        wrong = Some(format!("attempt {attempt} of {} came twice", position.0));
    }
    if let Some(wrong) = wrong {
        world.wrong(wrong);
    }
}

async fn handle(world: &Arc<World>, number: u64, replica: &Arc<Replica>, id: AckId) {
    let takes = if world.chance.percent(4) {
        world.chance.millis(1000..5000)
    } else {
        world.chance.millis(0..60)
    };
    world.turns.after(takes).await;
    let verdict = match world.chance.within(0..100) {
        0..4 => Verdict::Retry(world.chance.millis(0..800)),
        4..6 => Verdict::Park,
        // It says nothing, and what it was handed comes again.
        6..10 => return,
        _ => Verdict::Done,
    };
    let ack = Ack {
        id,
        verdict,
        cumulative: verdict == Verdict::Done && world.chance.percent(20),
    };
    // Members need not say it to the replica from which they have it.
    let replica = if world.chance.percent(20) {
        world.any().await
    } else {
        Arc::clone(replica)
    };
    let world = Arc::clone(world);
    tokio::spawn(async move { say(&world, number, &replica, ack).await });
}

async fn say(world: &Arc<World>, number: u64, replica: &Arc<Replica>, ack: Ack) {
    note(world, ack);
    for _ in 0..3 {
        world.way().await;
        if replica.life.is_over() {
            return;
        }
        let saying = {
            let subscriptions = Arc::clone(&replica.subscriptions);
            tokio::spawn(async move { subscriptions.ack(&key(), vec![ack]).await })
        };
        let answered = tokio::select! {
            biased;
            answered = saying => answered.ok().and_then(Result::ok),
            () = replica.life.over() => None,
            () = world.turns.after(Duration::from_secs(4)) => None,
        };
        if let Some(answer) = answered.and_then(|all| all.first().copied()) {
            world.note("acknowledged", number, ack.id.position.0);
            if answer == Acked::Ok && !is_kept(world, ack) {
                let position = ack.id.position.0;
                world.wrong(format!("{position} was acknowledged and is not kept"));
            }
            if answer == Acked::Ok && ack.verdict == Verdict::Done {
                world.journal().said.kept.insert(ack.id.position);
            }
            return;
        }
    }
}

/// Whether the database holds what a member was told to be kept. What is done or set aside remains so.
fn is_kept(world: &World, ack: Ack) -> bool {
    let database = world.database();
    let entry = groups::only(&database).and_then(|group| group.entries.get(&ack.id.position));
    let state = entry.map(|entry| &entry.state);
    match ack.verdict {
        Verdict::Done => matches!(state, None | Some(State::Done)),
        Verdict::Park => matches!(state, None | Some(State::Done | State::Parked { .. })),
        // It may have come again since.
        Verdict::Retry(_) => true,
    }
}

/// From now on it may be done.
fn note(world: &World, ack: Ack) {
    let position = ack.id.position;
    let conversation = {
        let database = world.database();
        let kept = database.log.get(&position.0);
        kept.and_then(|kept| kept.fact.fact.key.clone())
    };
    let mut journal = world.journal();
    match (ack.verdict, conversation) {
        (Verdict::Done, conversation) => {
            if let (true, Some(key)) = (ack.cumulative, &conversation) {
                let through = journal.said.cumulative.entry(key.clone()).or_default();
                *through = position.max(*through);
            }
            journal.said.done.insert(position, conversation);
        }
        (Verdict::Park, _) => {
            journal.said.park.insert(position);
        }
        (Verdict::Retry(_), _) => {
            journal.said.retry.insert(position);
        }
    }
}

/// What does not hold of the subscription at the end.
pub(super) fn check(world: &World) -> Vec<String> {
    let mut wrong = Vec::new();
    let database = world.database();
    let Some(group) = groups::only(&database) else {
        return wrong;
    };
    let journal = world.journal();
    let (said, history) = (&journal.said, &database.history);
    for kept in groups::chosen(&database, &group.record.choice) {
        let position = kept.stored.position;
        let entry = group.entries.get(&position);
        let is_parked = history.parked.contains(&position);
        let through = kept.fact.fact.key.as_ref();
        let through = through.and_then(|key| said.cumulative.get(key));
        let is_said =
            said.done.contains_key(&position) || through.is_some_and(|it| *it >= position);
        let is_over = history.done.contains(&position) || is_parked;
        if !is_over && is_blocked(group, kept) {
            continue;
        }
        if !is_over {
            wrong.push(format!("{} is not handled: {entry:?}", position.0));
        } else if !is_parked && !is_said {
            wrong.push(format!("nobody said that {} is done", position.0));
        }
        let is_used_up = entry.is_none_or(|it| it.attempt >= group.record.policy.max_attempts);
        if is_parked && !is_used_up && !said.park.contains(&position) {
            wrong.push(format!("{} is parked too early: {entry:?}", position.0));
        }
        if said.kept.contains(&position) && entry.is_some() {
            wrong.push(format!(
                "{} was acknowledged and is there: {entry:?}",
                position.0
            ));
        }
    }
    wrong
}

/// Whether everything is handled or set aside.
pub(super) fn is_done(world: &World) -> bool {
    if world.plan.members == 0 {
        return true;
    }
    let database = world.database();
    let Some(group) = groups::only(&database) else {
        return false;
    };
    let history = &database.history;
    let mut all = groups::chosen(&database, &group.record.choice);
    all.all(|kept| {
        let position = kept.stored.position;
        history.done.contains(&position)
            || history.parked.contains(&position)
            || is_blocked(group, kept)
    })
}

/// Whether it waits behind what is set aside in its conversation.
fn is_blocked(group: &Group, kept: &Kept) -> bool {
    let key = kept.fact.fact.key.as_ref();
    let mut others = group.entries.values();
    group.record.policy.when_parked == WhenParked::Block
        && others.any(|other| {
            matches!(other.state, State::Parked { .. })
                && other.conversation.as_ref() == key
                && other.position < kept.stored.position
        })
}
