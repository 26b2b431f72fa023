//! The doorbell over a subject of NATS core: sent and forgotten, which is just enough for a hint.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures_util::StreamExt;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Link;
use crate::{
    domain::Position,
    doorbell::{Doorbell, Ears},
};

/// Between two rings, sent or heard: a ring says the same however often it comes.
const APART: Duration = Duration::from_millis(10);
/// How many rings are looked at together.
const AT_ONCE: usize = 1024;
/// Between two tries to subscribe, should the client ever refuse.
const PAUSE: Duration = Duration::from_secs(1);

/// This replica's end of the bell.
#[derive(Debug)]
pub struct NatsDoorbell {
    link: Link,
    subject: String,
    /// The database's identity: rings of another one are none.
    epoch: u64,
    head: AtomicU64,
    rung: Notify,
}

impl NatsDoorbell {
    /// On the subject `prefix.log.0`.
    pub fn new(link: Link, prefix: &str, epoch: u64) -> Self {
        Self {
            link,
            subject: format!("{prefix}.log.0"),
            epoch,
            head: AtomicU64::new(0),
            rung: Notify::new(),
        }
    }

    async fn tell(&self) {
        loop {
            self.rung.notified().await;
            // What is handed to a connection that is down would be sent when it is long known.
            if self.link.is_connected() {
                let ring = ring(self.epoch, Position(self.head.load(Ordering::Relaxed)));
                let sent = self.link.client.publish(self.subject.clone(), ring.into());
                // Not waited for: when the client is choked, the others look by themselves.
                let _ = tokio::time::timeout(APART, sent).await;
            }
            tokio::time::sleep(APART).await;
        }
    }

    async fn listen(&self, ears: &dyn Ears) {
        loop {
            match self.link.client.subscribe(self.subject.clone()).await {
                Ok(rings) => {
                    let mut rings = rings.ready_chunks(AT_ONCE);
                    while let Some(rings) = rings.next().await {
                        let heads = rings.iter().filter_map(|ring| self.heard(&ring.payload));
                        if let Some(head) = heads.max() {
                            ears.heard(Some(head));
                        }
                        // Whoever rings like mad makes nobody read like mad.
                        tokio::time::sleep(APART).await;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "the doorbell's subject cannot be subscribed to");
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn heard(&self, payload: &[u8]) -> Option<Position> {
        match understood(payload) {
            Some((epoch, head)) if epoch == self.epoch => return Some(head),
            Some((epoch, _)) => {
                tracing::debug!(epoch, "a ring of another log");
            }
            None => tracing::debug!(bytes = payload.len(), "what was heard is no ring"),
        }
        None
    }
}

#[async_trait]
impl Doorbell for NatsDoorbell {
    fn ring(&self, head: Position) {
        self.head.fetch_max(head.0, Ordering::Relaxed);
        self.rung.notify_one();
    }

    async fn run(self: Arc<Self>, ears: Arc<dyn Ears>, stop: CancellationToken) {
        let (told, heard) = (Arc::clone(&ears), ears);
        let work = async {
            tokio::join!(
                self.tell(),
                self.listen(heard.as_ref()),
                self.link
                    .follow(|is_connected| told.connected(is_connected)),
            )
        };
        stop.run_until_cancelled(work).await;
    }
}

/// Whose log is longer, and how long it is.
fn ring(epoch: u64, head: Position) -> String {
    format!("{epoch:016x}/{}", head.0)
}

fn understood(payload: &[u8]) -> Option<(u64, Position)> {
    let (epoch, head) = std::str::from_utf8(payload).ok()?.split_once('/')?;
    let epoch = u64::from_str_radix(epoch, 16).ok()?;
    Some((epoch, Position(head.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_is_understood_and_nothing_else_is() {
        let at = Position(u64::MAX);
        assert_eq!(understood(ring(7, at).as_bytes()), Some((7, at)));
        for garbage in ["", "/", "7", "7/", "/7", "x/1", "1/-1", "1/1/1", "\u{7f}/1"] {
            assert_eq!(understood(garbage.as_bytes()), None, "{garbage}");
        }
        assert_eq!(understood(&[0xff; 64]), None);
    }
}
