//! Reads a request's body: bounded in bytes, in time and in the memory of all bodies together.

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt;
use thiserror::Error;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};

use crate::config::WebhooksConfig;

/// A body may be as slow as it likes for this long, before its rate counts: a round trip or two of a bad network.
const RATE_COUNTS_AFTER: Duration = Duration::from_secs(1);

/// Reads bodies within one listener's limits. Clones share the memory.
#[derive(Debug, Clone)]
pub struct BodyReader {
    max_bytes: usize,
    timeout: Duration,
    /// Bytes per second; 0 is none.
    min_rate: u64,
    memory: Arc<Semaphore>,
}

/// Why there is no body.
#[derive(Debug, Error)]
pub enum BodyError {
    /// It is longer than it may be: 413.
    #[error("the body is longer than {0} bytes")]
    TooLarge(usize),
    /// It did not come in time, or not fast enough: 408.
    #[error("the body came too slowly")]
    TooSlow,
    /// The bodies of other requests take all memory: 503.
    #[error("too many bodies are being received")]
    Busy,
    /// The peer broke off or broke the protocol: 400, if it still listens.
    #[error("the body broke off")]
    Broken,
}

impl BodyReader {
    /// A reader with the limits of the webhooks' listener.
    pub fn new(config: &WebhooksConfig) -> Self {
        Self {
            max_bytes: config.max_body_bytes,
            timeout: config.body_timeout,
            min_rate: config.min_body_rate,
            memory: Arc::new(Semaphore::new(config.max_buffered_bytes)),
        }
    }

    /// Reads all of `body`.
    ///
    /// One that is too long is read on for as much again and thrown away, so that a peer that writes before it reads
    /// sees the answer and not a reset.
    pub async fn read<B>(&self, body: B) -> Result<Bytes, BodyError>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let announced = body.size_hint().lower();
        if announced > 2 * self.max_bytes as u64 {
            return Err(BodyError::TooLarge(self.max_bytes));
        }
        let started = Instant::now();
        let (mut body, mut kept, mut seen) = (body, Kept::default(), 0);
        while let Some(data) = self.next(&mut body, started, seen).await? {
            seen += data.len();
            if seen > 2 * self.max_bytes {
                break;
            } else if seen > self.max_bytes {
                kept = Kept::default();
            } else {
                kept.push(&data, &self.memory)?;
            }
        }
        if seen > self.max_bytes {
            return Err(BodyError::TooLarge(self.max_bytes));
        }
        Ok(kept.bytes.freeze())
    }

    async fn next<B>(
        &self,
        body: &mut B,
        started: Instant,
        seen: usize,
    ) -> Result<Option<Bytes>, BodyError>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        loop {
            let frame = timeout_at(self.deadline(started, seen), body.frame()).await;
            match frame.map_err(|_| BodyError::TooSlow)? {
                None => return Ok(None),
                Some(Err(_)) => return Err(BodyError::Broken),
                // Trailers say nothing to us.
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }

    /// When the next bytes must be there: at the end of the time, or when `seen` bytes are too few for the time gone.
    fn deadline(&self, started: Instant, seen: usize) -> Instant {
        let end = started + self.timeout;
        let millis = (seen as u64)
            .saturating_mul(1000)
            .checked_div(self.min_rate);
        let rate = millis.and_then(|millis| {
            started.checked_add(RATE_COUNTS_AFTER + Duration::from_millis(millis))
        });
        rate.map_or(end, |rate| rate.min(end))
    }
}

/// Bytes in memory with the permit for them.
#[derive(Default)]
struct Kept {
    bytes: BytesMut,
    permit: Option<OwnedSemaphorePermit>,
}

impl Kept {
    fn push(&mut self, data: &Bytes, memory: &Arc<Semaphore>) -> Result<(), BodyError> {
        let count = u32::try_from(data.len()).map_err(|_| BodyError::Busy)?;
        let permit = memory
            .clone()
            .try_acquire_many_owned(count)
            .map_err(|_| BodyError::Busy)?;
        match &mut self.permit {
            Some(held) => held.merge(permit),
            none => *none = Some(permit),
        }
        self.bytes.extend_from_slice(data);
        Ok(())
    }
}
