//! What the rules need of a system that brings visitors.

use std::time::Duration;

use async_trait::async_trait;

use crate::domain::{
    inbound::{Webhook, WebhookRefusal},
    outbound::Sent,
    source::{Arrival, Capabilities, Handover, Item, NotRead, Observed, Received, SourceEvent},
    time::Timestamp,
};

/// One source: an outside system that brings visitors by itself and takes replies and handovers. Each method tries once;
/// when to try again is the lane's decision, which also bounds the time.
#[async_trait]
pub trait Source: Send + Sync + std::fmt::Debug {
    fn capabilities(&self) -> &Capabilities;

    /// Verifies the raw bytes and, only then, decodes them. What needs no commit has no events.
    fn receive(&self, webhook: &Webhook) -> Result<Received, WebhookRefusal>;

    /// Shows one message to a visitor. It fits the capabilities.
    async fn deliver(&self, address: &str, item: &Item) -> Sent;

    /// Gives the visitor to a human. Done before: acknowledged.
    async fn escalate(&self, _address: &str, _handover: &Handover) -> Sent {
        Sent::Acknowledged
    }

    /// Takes the visitor back for the agent. Done before: acknowledged.
    async fn resume(&self, _address: &str, _note: &str) -> Sent {
        Sent::Acknowledged
    }

    /// Who answers the visitor. Asked only of a source that can tell.
    async fn read_owner(&self, _address: &str) -> Result<Observed, NotRead> {
        Err(NotRead::Later { after: None })
    }

    /// Whether `item`, sent at or after `since` with an unclear end, arrived. Asked only of a source that can tell.
    async fn read_back(
        &self,
        _address: &str,
        _item: &Item,
        _since: Timestamp,
    ) -> Result<Arrival, NotRead> {
        Err(NotRead::Later { after: None })
    }

    /// How often to look for what no webhook brought; absent: never.
    fn looks_every(&self) -> Option<Duration> {
        None
    }

    /// What came at or after `since`, in order, whether or not a webhook brought it.
    async fn look(&self, _since: Timestamp) -> Result<Vec<SourceEvent>, NotRead> {
        Ok(Vec::new())
    }

    /// What was said to this visitor is erased: nothing that the source holds in memory may repeat it.
    fn forget(&self, _address: &str) {}

    /// Under which master key that is which it keeps on disk. Seals it anew first, where that is not the one that seals.
    fn reseal(&self) -> Option<String> {
        None
    }
}
