//! How replicas on one database wake each other. A hint and nothing more: whoever hears it reads the database, and losing,
//! repeating, forging or reordering hints loses nothing.

use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::domain::Position;

/// This replica's end of the bell.
#[async_trait]
pub trait Doorbell: Send + Sync + std::fmt::Debug {
    /// Something was committed here; the log ends at `head`. Never waits.
    fn ring(&self, head: Position);

    /// Tells the others what is rung here, and `ears` what the others ring, until `stop`. Tries to be connected all the time.
    async fn run(self: Arc<Self>, ears: Arc<dyn Ears>, stop: CancellationToken);
}

/// Who listens to the bell.
pub trait Ears: Send + Sync {
    /// Somebody rang. `head`: where they say that the log ends; absent: they did not say.
    fn heard(&self, head: Option<Position>);

    /// Whether the bell can be heard from now on.
    fn connected(&self, is_connected: bool);
}
