//! What streams cost that are never read while events flow: memory, and the time of a reader that reads.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use parloir_proto::v1::subscribe_events_response::Message;
use tokio::task::JoinSet;

use super::{
    Crowd,
    memory::Resident,
    streams::{Source, Streams},
};

/// How many events are on their way at once: enough for commits to be shared, as under load.
const IN_FLIGHT: usize = 16;

pub struct Figures {
    pub streams: usize,
    pub events: usize,
    alone: Delay,
    beside: Delay,
    before: Resident,
    with: Resident,
}

/// From the beginning of a call until its event arrived.
#[derive(Debug, Clone, Copy)]
struct Delay {
    median: Duration,
    p99: Duration,
}

pub async fn measure(crowd: &Crowd, source: Source, events: usize) -> Result<Figures> {
    let source = Arc::new(source);
    let alone = delays(crowd, &source, 0, events).await?;
    let before = crowd.resident()?;
    let stuck = Streams::open(crowd, crowd.streams).await?;
    let beside = delays(crowd, &source, events, events).await?;
    let with = crowd.resident()?;
    Ok(Figures {
        streams: stuck.len(),
        events,
        alone,
        beside,
        before,
        with,
    })
}

/// Makes events while one reader reads. Everything that was made must arrive.
async fn delays(crowd: &Crowd, source: &Arc<Source>, first: usize, events: usize) -> Result<Delay> {
    let mut reader = source.follow(&crowd.server).await?;
    let next = Arc::new(AtomicUsize::new(first));
    let mut makers = JoinSet::new();
    for _ in 0..IN_FLIGHT {
        makers.spawn(make(Arc::clone(source), Arc::clone(&next), first + events));
    }
    let mut begun = Vec::with_capacity(events);
    let mut arrived = HashMap::with_capacity(events);
    while arrived.len() < events {
        tokio::select! {
            // One that fails leaves the reader waiting for ever.
            Some(made) = makers.join_next() => begun.extend(made??),
            message = reader.message() => {
                let message = message?.context("the reader's stream ended")?.message;
                if let Some(Message::Event(event)) = message {
                    arrived.insert(event.cursor, Instant::now());
                }
            }
        }
    }
    while let Some(made) = makers.join_next().await {
        begun.extend(made??);
    }
    let mut delays = Vec::with_capacity(events);
    for (cursor, begun) in begun {
        let at = arrived.get(&cursor).context("an event did not arrive")?;
        delays.push(at.duration_since(begun));
    }
    delays.sort_unstable();
    let at = |share: usize| delays.get(delays.len() * share / 100).copied();
    Ok(Delay {
        median: at(50).unwrap_or_default(),
        p99: at(99).unwrap_or_default(),
    })
}

async fn make(
    source: Arc<Source>,
    next: Arc<AtomicUsize>,
    end: usize,
) -> Result<Vec<(String, Instant)>> {
    let mut made = Vec::new();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= end {
            return Ok(made);
        }
        let begun = Instant::now();
        made.push((source.event(number).await?, begun));
    }
}

impl Figures {
    /// Bytes of each stream, what else the server holds of the events included.
    pub fn each(&self) -> u64 {
        self.with.each_since(self.before, self.streams)
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "resident after {} events without them  {}",
            self.events, self.before
        )?;
        writeln!(
            f,
            "resident with {} streams never read, after {} more events  {}",
            self.streams, self.events, self.with
        )?;
        writeln!(f, "per stream                {} bytes", self.each())?;
        for (what, delay) in [("alone", self.alone), ("beside them", self.beside)] {
            let Delay { median, p99 } = delay;
            writeln!(f, "a reader {what:<16} median {median:.1?}, p99 {p99:.1?}")?;
        }
        Ok(())
    }
}
