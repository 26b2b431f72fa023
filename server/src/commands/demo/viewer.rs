//! The demo's subscriber: prints what it receives and finds in it what the play waits for.

use std::{io::Write, time::Duration};

use anyhow::{Context, Result, bail};
use parloir_client::{Client, EventStream, Item, Subscription};
use parloir_proto::v1::{DeliveredEvent, event::Body};

use super::stage::ACCOUNT;
use crate::commands::terminal;

/// Everything in the demo happens on this machine: what has not come by then does not come.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Viewer {
    events: EventStream,
    last_sequence: u64,
}

impl Viewer {
    /// Follows from the log's beginning, so that nothing is missed whatever comes first.
    pub fn new(client: &Client) -> Self {
        let subscription = Subscription::new().accounts([ACCOUNT]).from_earliest();
        Self {
            events: client.subscribe(subscription),
            last_sequence: 0,
        }
    }

    /// Prints events until one is what `pick` looks for, and answers what it picked.
    pub async fn until<T>(
        &mut self,
        expected: &str,
        pick: impl Fn(&Body, &DeliveredEvent) -> Option<T>,
    ) -> Result<T> {
        let search = async {
            loop {
                let Some(item) = self.events.next().await else {
                    bail!("the stream ended")
                };
                let Item::Event(delivered) = item? else {
                    continue;
                };
                tell(format_args!("  < {}", terminal::line(&delivered)))?;
                self.in_order(&delivered)?;
                let body = delivered
                    .event
                    .as_ref()
                    .and_then(|event| event.body.as_ref());
                if let Some(found) = body.and_then(|body| pick(body, &delivered)) {
                    return Ok(found);
                }
            }
        };
        let found = tokio::time::timeout(PATIENCE, search).await;
        found.with_context(|| format!("{expected} did not come within {PATIENCE:?}"))?
    }

    /// The demo has one conversation: its events come without a hole.
    fn in_order(&mut self, delivered: &DeliveredEvent) -> Result<()> {
        let sequence = delivered.event.as_ref().map_or(0, |event| event.sequence);
        if sequence != 0 {
            if sequence != self.last_sequence + 1 {
                bail!("event {sequence} came after {}", self.last_sequence);
            }
            self.last_sequence = sequence;
        }
        Ok(())
    }
}

/// Prints a line for whoever watches.
pub fn tell(line: impl std::fmt::Display) -> Result<()> {
    Ok(writeln!(std::io::stdout().lock(), "{line}")?)
}
