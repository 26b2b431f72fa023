//! Asking a platform whether it takes our credentials.

use super::{Id, Outbound, Sent};
use crate::domain::outbound::OutboundContent;

/// How a platform answered a probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probed {
    pub sent: Sent,
    /// HTTP, where there was an answer.
    pub status: Option<u16>,
}

impl From<Sent> for Probed {
    fn from(sent: Sent) -> Self {
        Self { sent, status: None }
    }
}

impl Probed {
    /// What is asked.
    pub fn question() -> Outbound {
        Outbound {
            upstream_id: format!("parloir-test-{}", Id::generate()),
            content: OutboundContent::End,
        }
    }
}
