//! One server relays to a sink at a time. Everybody's word counts by the database's clock, and none by its own.

use std::time::Duration;

use async_trait::async_trait;

use crate::domain::{
    Id, Position, Result, Timestamp,
    ports::{Transaction, Unit},
    sink::SinkState,
};

/// Looks how a sink stands, and takes it if nobody relays to it.
#[derive(Debug, Clone)]
pub(super) struct Take {
    pub name: Id,
    /// Where it begins if it is new.
    pub begin: Position,
    /// Absent: it is only looked at.
    pub lease: Option<Duration>,
    /// Nobody else uses the database: whoever had it is gone.
    pub alone: bool,
}

/// How a sink stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Taken {
    pub state: SinkState,
    pub is_ours: bool,
}

#[async_trait]
impl Unit for Take {
    type Output = Taken;

    async fn run(&self, tx: &mut dyn Transaction) -> Result<Taken> {
        let now = tx.now();
        let sinks = tx.sinks()?;
        let known = sinks.sink(self.name.as_str()).await?;
        let mut state = known.unwrap_or_else(|| SinkState::new(self.name.clone(), self.begin));
        let is_free = self.alone || !state.is_leased(now);
        let Some(lease) = self.lease.filter(|_| is_free) else {
            return Ok(Taken {
                state,
                is_ours: false,
            });
        };
        state.take(now, lease);
        sinks.save_sink(&state).await?;
        Ok(Taken {
            state,
            is_ours: true,
        })
    }
}

/// Saves how far a sink has come, and keeps it or gives it back. False: it is another's by now, and nothing was changed.
#[derive(Debug, Clone)]
pub(super) struct Keep {
    pub name: Id,
    pub token: u64,
    pub position: Position,
    /// Absent: it is given back.
    pub lease: Option<Duration>,
}

#[async_trait]
impl Unit for Keep {
    type Output = bool;

    async fn run(&self, tx: &mut dyn Transaction) -> Result<bool> {
        let until = self.lease.map_or(Timestamp(0), |lease| tx.now() + lease);
        let sinks = tx.sinks()?;
        let Some(mut state) = sinks.sink(self.name.as_str()).await? else {
            return Ok(false);
        };
        let is_ours = state.keep(self.token, self.position, until);
        if is_ours {
            sinks.save_sink(&state).await?;
        }
        Ok(is_ours)
    }
}
