//! What is asked of a subscription's task.

use std::time::Duration;

use bytes::Bytes;
use tokio::{sync::oneshot, time::Instant};

use super::{act::Act, member::LocalStream};
use crate::domain::{
    Id, Position, Result,
    administration::AuditRecord,
    subscription::{Ack, AckId, Acked},
};

pub(super) type Reply<T> = oneshot::Sender<Result<T>>;

pub(super) enum Op {
    /// A member's stream begins. Answers the place up to which everything is done.
    Join {
        member: Id,
        stream: LocalStream,
        reply: Reply<Position>,
    },
    /// A member's stream ended.
    Left {
        member: Id,
        session: u64,
    },
    Pull {
        member: Id,
        pull: Pull,
    },
    Ack {
        acks: Vec<Ack>,
        reply: Reply<Vec<Acked>>,
    },
    /// Answers how much it concerned.
    Act {
        act: Act,
        record: Option<AuditRecord>,
        reply: Reply<usize>,
    },
    /// Everything before this position was removed from the log.
    Forget {
        floor: Position,
    },
    Stop {
        reply: oneshot::Sender<()>,
    },
}

/// A member that came for events and waits.
pub(super) struct Pull {
    pub max_in_flight: u32,
    pub want: usize,
    pub max_bytes: usize,
    pub until: Instant,
    /// How long its leases live from now.
    pub lease: Duration,
    pub reply: Reply<Pulled>,
    /// Whether its leases were taken.
    pub joined: bool,
    /// Retention removed what came after the first and before the second.
    pub gap: Option<(Position, Position)>,
}

/// What it goes with.
#[derive(Debug, Default)]
pub struct Pulled {
    pub events: Vec<PulledEvent>,
    pub done_through: Position,
    /// Retention removed what came after the first and before the second.
    pub gap: Option<(Position, Position)>,
}

/// What one answer could not hold. The times for it began with that answer.
#[derive(Debug)]
pub(super) struct LeftOver {
    pub since: Instant,
    pub events: Vec<PulledEvent>,
}

/// One event of it.
#[derive(Debug, Clone)]
pub struct PulledEvent {
    pub event: Bytes,
    pub ack: AckId,
    pub attempt: u32,
    pub time_left: Duration,
}
