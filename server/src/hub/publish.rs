//! The way of new events into the ring.

use super::{Hub, chunk::frame_run, wake};
use crate::domain::StoredEvent;

impl Hub {
    /// Takes events that were committed, in the order of the log. What was published before is passed over; where
    /// something is missing, everyone reads it from the log.
    pub fn publish(&self, events: &[StoredEvent]) {
        let mut woken = Vec::new();
        for run in events.chunk_by(|one, other| other.position == one.position.next()) {
            self.publish_run(run, &mut woken);
        }
        wake(woken);
        let head = self.head();
        self.heads.send_if_modified(|known| {
            let moved = *known < head;
            *known = head;
            moved
        });
    }

    fn publish_run(&self, run: &[StoredEvent], woken: &mut Vec<std::task::Waker>) {
        let head = self.head();
        let known = run.partition_point(|event| event.position <= head);
        let run = &run[known..];
        // Framed before the lock is taken: there is one committer, so the head does not move meanwhile.
        let chunks = frame_run(run, self.log, self.settings.max_frame_bytes);
        let mut state = self.lock();
        for chunk in chunks {
            let follows = state.ring.head().next();
            if chunk.first() < follows {
                continue;
            }
            if chunk.first() > follows {
                tracing::warn!(
                    expected = follows.0,
                    got = chunk.first().0,
                    "events were committed that were not published here; streams read them from the log"
                );
                let before = crate::domain::Position(chunk.first().0 - 1);
                state.skip_to(before, woken);
            }
            state.publish(chunk, woken);
        }
    }
}
