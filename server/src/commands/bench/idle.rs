//! What a stream costs on which nothing happens.

use std::{fmt, time::Duration};

use anyhow::Result;

use super::{Crowd, memory::Resident, streams::Streams};

/// Until what a closed connection leaves behind has been cleared away.
const SETTLE: Duration = Duration::from_secs(2);

pub struct Figures {
    pub streams: usize,
    per_connection: usize,
    held: Duration,
    before: Resident,
    warm: Resident,
    with: Resident,
}

pub async fn measure(crowd: &Crowd, hold: Duration) -> Result<Figures> {
    let before = crowd.resident()?;
    drop(Streams::open(crowd, crowd.per_connection.min(crowd.streams)).await?);
    tokio::time::sleep(SETTLE).await;
    let warm = crowd.resident()?;
    let streams = Streams::open(crowd, crowd.streams).await?;
    tokio::time::sleep(hold).await;
    let with = crowd.resident()?;
    Ok(Figures {
        streams: streams.len(),
        per_connection: crowd.per_connection,
        held: hold,
        before,
        warm,
        with,
    })
}

impl Figures {
    /// Bytes of each stream.
    pub fn each(&self) -> u64 {
        self.with.each_since(self.warm, self.streams)
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "resident before         {}", self.before)?;
        writeln!(f, "resident after warm-up  {}", self.warm)?;
        writeln!(
            f,
            "resident with {} idle streams, {} per connection, after {:?}  {}",
            self.streams, self.per_connection, self.held, self.with
        )?;
        writeln!(f, "per stream              {} bytes", self.each())
    }
}
