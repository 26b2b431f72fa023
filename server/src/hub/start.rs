//! Where a new stream begins.

use std::{sync::Arc, time::Duration};

use super::{
    Hub,
    filter::Filter,
    subscriber::{Place, Subscriber},
    subscription::{Subscription, Terms},
    ticker,
};
use crate::domain::{Error, Id, Position, Result, Timestamp};

/// Where a subscriber wishes to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    After(Position),
    /// With the first event recorded at or after this time.
    At(Timestamp),
    Earliest,
    Latest,
}

/// What to do when the log no longer holds what comes after the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnExpired {
    #[default]
    Fail,
    Earliest,
    Latest,
}

/// What a subscriber asks for.
#[derive(Debug, Clone)]
pub struct Wish {
    pub filter: Filter,
    pub start: Start,
    pub on_expired: OnExpired,
    /// Absent: the configured one.
    pub heartbeat: Option<Duration>,
}

/// Where a stream begins in fact.
struct Beginning {
    after: Position,
    /// What was asked for and is no longer there.
    gap: Option<Position>,
}

impl Beginning {
    fn at(after: Position) -> Self {
        Self { after, gap: None }
    }
}

impl Hub {
    /// Opens a stream. Refuses with `Stopping`, `Limit`, `CursorExpired` (with the first position that is left) or `CursorUnknown`.
    ///
    /// Asks the database, so it must not be cancelled: run it in a task of its own.
    pub async fn subscribe(self: &Arc<Self>, wish: Wish) -> Result<Subscription> {
        let tenant = wish.filter.tenant().clone();
        self.lock()
            .admit()
            .inspect_err(|error| self.count(&tenant, error))?;
        let beginning = self.beginning(&wish).await?;
        let terms = self.terms(beginning.after, wish.heartbeat);
        let mut state = self.lock();
        let subscriber = Subscriber {
            filter: wish.filter,
            waker: None,
            position: beginning.after,
            place: Place::Log,
            caught_up: false,
            checkpoint_due: false,
            gap: beginning.gap,
            leave: None,
            failed: None,
            quiet_since: state.tick(),
            heartbeat: ticker::ticks(terms.heartbeat),
            ends_at: state.tick().saturating_add(ticker::ticks(terms.lifetime)),
        };
        let key = state
            .join(subscriber)
            .inspect_err(|error| self.count(&tenant, error))?;
        drop(state);
        Ok(Subscription::new(
            self.clone(),
            key,
            terms,
            self.metrics.streams.opened(tenant.as_str()),
        ))
    }

    fn count(&self, tenant: &Id, refusal: &Error) {
        if let Error::Limit { .. } = refusal {
            self.metrics.streams.refused(tenant.as_str());
        }
    }

    async fn beginning(&self, wish: &Wish) -> Result<Beginning> {
        match wish.start {
            Start::Latest => Ok(Beginning::at(self.head())),
            Start::Earliest => Ok(Beginning::at(before(self.store.bounds().await?.0))),
            Start::At(time) => {
                let after = self.store.position_before(time).await?;
                let earliest = before(self.store.bounds().await?.0);
                Ok(Beginning::at(after.max(earliest)))
            }
            Start::After(position) => self.resumed(position, wish.on_expired).await,
        }
    }

    async fn resumed(&self, asked: Position, on_expired: OnExpired) -> Result<Beginning> {
        // The common case, while the ring has it: no need to ask the database.
        let in_memory = {
            let state = self.lock();
            asked <= state.ring.head() && state.ring.covers(asked)
        };
        if in_memory {
            return Ok(Beginning::at(asked));
        }
        let (floor, newest) = self.store.bounds().await?;
        let earliest = before(floor);
        if asked > newest {
            return Err(Error::CursorUnknown);
        }
        if asked >= earliest {
            return Ok(Beginning::at(asked));
        }
        let after = match on_expired {
            OnExpired::Fail => {
                return Err(Error::CursorExpired {
                    first_available: floor,
                });
            }
            OnExpired::Earliest => earliest,
            OnExpired::Latest => self.head(),
        };
        Ok(Beginning {
            after,
            gap: Some(asked),
        })
    }

    fn terms(&self, after: Position, heartbeat: Option<Duration>) -> Terms {
        Terms {
            after,
            heartbeat: heartbeat.unwrap_or(self.settings.heartbeat),
            // Streams that began together do not end together.
            lifetime: self.settings.lifetime.mul_f64(0.8 + 0.2 * fastrand::f64()),
        }
    }
}

/// The position after which the event at `first` comes.
fn before(first: Position) -> Position {
    Position(first.0.saturating_sub(1))
}
