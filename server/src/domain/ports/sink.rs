//! What sinks need of the database.

use async_trait::async_trait;

use crate::domain::{Result, sink::SinkState};

/// What a unit of work can do. Units run one after the other over all servers, so what is read stays so.
#[async_trait]
pub trait SinkWrite: Send {
    async fn sink(&mut self, name: &str) -> Result<Option<SinkState>>;
    async fn save_sink(&mut self, sink: &SinkState) -> Result<()>;
}
