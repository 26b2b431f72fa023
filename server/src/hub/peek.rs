//! The newest events for those who read the log on their own terms, as named subscriptions do.

use std::sync::Arc;

use tokio::sync::watch;

use super::{Filter, Hub, chunk::Chunk, frame::event_of};
use crate::domain::{Position, StoredEvent};

/// Somebody reads here what matches, without being a subscriber of the hub. Dropping it ends that.
#[derive(Debug)]
pub struct Interest {
    hub: Arc<Hub>,
    number: u64,
}

impl Drop for Interest {
    fn drop(&mut self) {
        self.hub.lock().interests.remove(&self.number);
    }
}

impl Hub {
    /// Where the newest published event stands, and a call whenever that moves.
    pub fn heads(&self) -> watch::Receiver<Position> {
        self.heads.subscribe()
    }

    /// Notes that somebody reads what matches: an agent that asks whether anybody is there is told so.
    pub fn interest(self: &Arc<Self>, filter: Filter) -> Interest {
        let number = fastrand::u64(..);
        self.lock().interests.insert(number, filter);
        Interest {
            hub: Arc::clone(self),
            number,
        }
    }

    /// What comes after a position in memory, at most about so many events, in order and without a gap. `None`: memory
    /// does not reach back so far.
    pub fn peek(&self, after: Position, limit: usize) -> Option<Vec<StoredEvent>> {
        let state = self.lock();
        if !state.ring.covers(after) {
            return None;
        }
        let chunks = state.ring.after(after);
        let frames = chunks.flat_map(Chunk::frames);
        let new = frames.filter(|(position, ..)| *position > after);
        let events = new
            .take(limit)
            .map(|(position, concerns, frame)| StoredEvent {
                position,
                tenant: concerns.tenant.clone(),
                agent: concerns.agent.clone(),
                account: concerns.account.clone(),
                conversation_id: concerns.conversation_id.clone(),
                kind: concerns.kind,
                bytes: event_of(frame),
            });
        Some(events.collect())
    }
}
