//! Subscribers that follow the whole log, by streams that end, and come back after the last event that they processed.

use std::{sync::Arc, time::Duration};

use parloir_proto::v1;
use prost::Message;

use super::{journal::Stretch, replica::Replica, store::EPOCH, world::World};
use crate::{
    domain::{Cursor, Error, Position},
    hub::{Filter, Notice, OnExpired, Start, Subscription, Wish},
};

pub(super) async fn follow(world: Arc<World>, reader: u64) {
    loop {
        let replica = world.any().await;
        world.way().await;
        let after = world.journal().cursor(reader);
        match open(&replica, after).await {
            Ok(subscription) => {
                begin(&world, reader, after);
                read(&world, reader, &replica, subscription).await;
            }
            // It follows behind: somebody else has served further than it has come.
            Err(Some(Error::CursorUnknown | Error::StoreUnavailable) | None) => {}
            Err(Some(error)) => world.wrong(format!("reader {reader} was refused: {error}")),
        }
        world.turns.after(world.chance.millis(10..700)).await;
    }
}

fn begin(world: &World, reader: u64, after: u64) {
    let stretch = Stretch {
        after,
        events: Vec::new(),
    };
    let mut journal = world.journal();
    journal.read.entry(reader).or_default().push(stretch);
}

async fn open(replica: &Replica, after: u64) -> Result<Subscription, Option<Error>> {
    let hub = Arc::clone(&replica.hub);
    let wish = Wish {
        filter: Filter::all(),
        start: Start::After(Position(after)),
        on_expired: OnExpired::Fail,
        heartbeat: None,
    };
    // As the server does: it asks the database.
    let opening = tokio::spawn(async move { hub.subscribe(wish).await });
    tokio::select! {
        biased;
        opened = opening => opened.map_err(|_| Some(Error::Internal))?.map_err(Some),
        () = replica.life.over() => Err(None),
    }
}

/// Until the stream ends.
async fn read(world: &Arc<World>, reader: u64, replica: &Replica, mut stream: Subscription) {
    let whole = world.journal().is_calm;
    let patience = if whole {
        Duration::from_mins(10)
    } else {
        world.chance.millis(100..15_000)
    };
    let ends = world.turns.after(patience);
    tokio::pin!(ends);
    loop {
        let notice = tokio::select! {
            biased;
            () = replica.life.over() => return,
            () = &mut ends => return,
            notice = stream.next() => notice,
        };
        match notice {
            Notice::Events(bytes) => {
                // A slow one now and then.
                if world.chance.percent(30) {
                    world.way().await;
                }
                take(world, reader, &bytes);
            }
            Notice::GoingAway { .. } | Notice::Failed(_) => return,
            Notice::Gap { .. } => world.wrong(format!("reader {reader} was told of a gap")),
            Notice::CaughtUp(_) | Notice::FellBehind(_) | Notice::Checkpoint(_) => {}
        }
    }
}

fn take(world: &World, reader: u64, mut frames: &[u8]) {
    let mut events = Vec::new();
    while let Some((_, rest)) = frames.split_first_chunk::<1>() {
        let Some((length, rest)) = rest.split_first_chunk::<4>() else {
            return world.wrong("a frame without a length".to_owned());
        };
        let length = u32::from_be_bytes(*length) as usize;
        let Some((frame, rest)) = rest.split_at_checked(length) else {
            return world.wrong("a frame was cut".to_owned());
        };
        frames = rest;
        match event(frame) {
            Some(event) => events.push(event),
            None => world.wrong("a frame that is no event".to_owned()),
        }
    }
    let last = events.last().map_or(0, |(position, _)| *position);
    world.note("reads", reader, last);
    let mut journal = world.journal();
    if let Some(stretch) = journal.read.entry(reader).or_default().last_mut() {
        stretch.events.extend(events);
    }
}

fn event(frame: &[u8]) -> Option<(u64, String)> {
    let message = v1::SubscribeEventsResponse::decode(frame).ok()?.message?;
    let v1::subscribe_events_response::Message::Event(delivered) = message else {
        return None;
    };
    let cursor = Cursor::decode(&delivered.cursor, EPOCH).ok()?;
    Some((cursor.position.0, delivered.event?.event_id))
}
