//! The end of a history: everything works again, and everything comes to its end.

use std::time::Duration;

use super::{
    setup::OWNER_UNKNOWN_MAX,
    world::{World, caller},
};
use crate::{
    conversations::Respond,
    domain::{Answer, EventQuery, Id, Owner},
};

/// More often than anything is tried again.
const ROUNDS: u32 = 12;

impl World {
    /// The world outside works from now on, and time passes until nothing waits.
    pub(super) fn come_to_rest(&self) {
        self.ledger.lock().tell("== everything works again");
        self.outside.make_peace();
        for _ in 0..ROUNDS {
            self.outside.release(usize::MAX);
            self.refuse_what_is_asked();
            self.settle();
            if self.is_at_rest() {
                break;
            }
            self.pass(Duration::from_secs(70));
        }
        self.pass(OWNER_UNKNOWN_MAX);
        self.tidy();
        self.settle();
        self.check_rest();
        self.check_database();
    }

    fn refuse_what_is_asked(&self) {
        let open: Vec<Id> = {
            let ledger = self.ledger.lock();
            let asked = ledger.requests.values();
            let open = asked.filter(|asked| asked.now.closed.is_none());
            open.map(|asked| asked.now.id.clone()).collect()
        };
        for request_id in open {
            let command = Respond {
                request_id,
                answer: Answer::Escalation { accepted: false },
                responder: "the last one".into(),
            };
            // Somebody else may be first.
            let _ = self.run(self.process().conversations.respond(&caller(), command));
        }
    }

    fn is_at_rest(&self) -> bool {
        let ledger = self.ledger.lock();
        let asked = ledger
            .requests
            .values()
            .any(|asked| asked.now.closed.is_none());
        !asked && ledger.unfinished().next().is_none()
    }

    fn check_rest(&self) {
        let mut ledger = self.ledger.lock();
        let waiting: Vec<_> = ledger.unfinished().map(|row| row.now.clone()).collect();
        for row in waiting {
            ledger.blame(format!(
                "{:?} #{} never ended: {:?}",
                row.kind, row.sequence, row.state
            ));
        }
        let unknown = ledger
            .talks
            .values()
            .any(|talk| talk.owner == Owner::Unknown);
        ledger.demand(!unknown, || "in the end nobody knows who owns it".into());
    }

    /// The database has what the ledger was told, without gaps.
    fn check_database(&self) {
        let mut ledger = self.ledger.lock();
        let talks = ledger.talks.clone();
        let rows: Vec<_> = ledger.rows.values().map(|row| row.now.clone()).collect();
        let store = &self.process().store;
        for (key, talk) in talks {
            let query = EventQuery {
                key,
                kinds: Vec::new(),
                newest_first: false,
                after: None,
                limit: 10_000,
                max_bytes: usize::MAX,
            };
            let events = self.run(store.events(&query)).expect("reads");
            let gapless = events
                .iter()
                .map(|(sequence, _)| *sequence)
                .eq(1..=talk.sequence);
            ledger.demand(gapless, || {
                format!("{} events of {}", events.len(), talk.sequence)
            });
        }
        for row in rows {
            let found = self.run(store.delivery(&row.id)).expect("reads");
            ledger.demand(found.as_ref() == Some(&row), || {
                format!("row {:?} is another", row.kind)
            });
        }
    }
}
