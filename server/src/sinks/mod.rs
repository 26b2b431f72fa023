//! Sinks: events are relayed from the log to streams elsewhere. A sink is a position in the log, kept in the database and
//! saved only after the stream has acknowledged; whichever server holds the lease goes on from there.

mod lease;
mod measure;
mod relay;
mod target;

#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::{
    committer::Committer,
    domain::{Clock, Id, Position, Result, ports::Store, sink::SinkState},
    metrics::Metrics,
};
use lease::{Keep, Take};
use measure::Alarm;

pub use target::{Given, Message, Target, Trouble};

/// Where a sink begins that was never there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    Earliest,
    Latest,
}

/// What an operator may set.
#[derive(Debug, Clone)]
pub struct Settings {
    pub name: Id,
    /// Whose events; empty: those of every tenant.
    pub tenants: Vec<Id>,
    pub start: Start,
    pub max_in_flight: usize,
    pub max_in_flight_bytes: usize,
    pub retry_max: Duration,
    pub lease: Duration,
    /// How long events stay in the log.
    pub retention_age: Duration,
}

/// What sinks work with.
#[derive(Debug, Clone)]
pub struct Parts {
    pub store: Arc<dyn Store>,
    pub committer: Committer,
    pub heads: watch::Receiver<Position>,
    pub clock: Arc<dyn Clock>,
    pub metrics: Arc<Metrics>,
    /// Other replicas use the database.
    pub is_shared: bool,
}

/// Relays to one sink.
#[derive(Debug)]
pub struct Sink {
    parts: Parts,
    settings: Settings,
    target: Arc<dyn Target>,
    alarm: Alarm,
}

impl Sink {
    pub fn new(parts: Parts, settings: Settings, target: Arc<dyn Target>) -> Self {
        Self {
            parts,
            settings,
            target,
            alarm: Alarm::default(),
        }
    }

    /// Relays whenever nobody else does. What is under way when it is stopped is given again by whoever goes on.
    pub async fn run(self, stop: CancellationToken) {
        let mut looks = tokio::time::interval(self.beat());
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(looks.tick()).await.is_some() {
            match self.look().await {
                Ok(Some(lease)) => self.hold(&lease, &stop).await,
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(sink = self.name(), %error, "it could not be seen how a sink stands");
                }
            }
        }
    }

    fn name(&self) -> &str {
        self.settings.name.as_str()
    }

    /// Two may fail before a lease is over.
    fn beat(&self) -> Duration {
        self.settings.lease / 3
    }

    /// Takes the sink if it is free, and if anything could be given to it from here.
    async fn look(&self) -> Result<Option<SinkState>> {
        let (floor, head) = self.parts.store.bounds().await?;
        let begin = match self.settings.start {
            Start::Earliest => Position(floor.0.saturating_sub(1)),
            Start::Latest => head,
        };
        let take = Take {
            name: self.settings.name.clone(),
            begin,
            lease: self.target.is_connected().then_some(self.settings.lease),
            alone: !self.parts.is_shared,
        };
        let taken = self.parts.committer.submit(take).await?.output;
        self.measure(taken.state.position).await?;
        Ok(taken.is_ours.then_some(taken.state))
    }

    async fn hold(&self, lease: &SinkState, stop: &CancellationToken) {
        let (name, position) = (self.name(), lease.position.0);
        tracing::info!(
            sink = name,
            position,
            "relaying to a sink, after this position"
        );
        self.parts.metrics.sinks.relaying(name, true);
        let reached = watch::Sender::new(lease.position);
        let is_ours = tokio::select! {
            () = self.keep(lease, &reached) => false,
            is_ours = self.relay(lease, &reached) => is_ours,
            () = stop.cancelled() => true,
        };
        self.parts.metrics.sinks.relaying(name, false);
        if is_ours {
            let position = *reached.borrow();
            let given_back = self.save(lease, position, None).await;
            if let Err(error) = given_back {
                tracing::warn!(sink = name, %error, "how far a sink has come was not saved: the last events come again");
            }
        } else {
            tracing::info!(sink = name, "another server relays to the sink from now on");
        }
    }

    /// Saves how far it has come, again and again. Ends when the lease is another's.
    async fn keep(&self, lease: &SinkState, reached: &watch::Sender<Position>) {
        let mut saved = lease.position;
        let mut beats = tokio::time::interval(self.beat());
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first one is at once.
        beats.tick().await;
        loop {
            beats.tick().await;
            let position = *reached.borrow();
            // A lease that nobody else could take need not be renewed.
            if self.parts.is_shared || position != saved {
                match self.save(lease, position, Some(self.settings.lease)).await {
                    Ok(true) => saved = position,
                    Ok(false) => return,
                    Err(error) => {
                        tracing::warn!(sink = self.name(), %error, "how far a sink has come was not saved");
                    }
                }
            }
            if let Err(error) = self.measure(position).await {
                tracing::warn!(sink = self.name(), %error, "it was not measured how far a sink is behind");
            }
        }
    }

    /// False: the lease is another's.
    async fn save(
        &self,
        lease: &SinkState,
        position: Position,
        keep_for: Option<Duration>,
    ) -> Result<bool> {
        let keep = Keep {
            name: lease.name.clone(),
            token: lease.token,
            position,
            lease: keep_for,
        };
        Ok(self.parts.committer.submit(keep).await?.output)
    }
}
