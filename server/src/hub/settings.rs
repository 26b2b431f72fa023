//! What an operator may set about streams, and what each number costs.

use std::time::Duration;

/// The bounds of the hub.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How many of the newest events stay in memory for everyone who follows. A reader further behind reads pages
    /// from the database.
    pub ring_events: usize,
    /// How many bytes these events may have together. At least the newest commit stays, whatever its size.
    pub ring_bytes: usize,
    /// How many events one page from the database holds.
    pub page_events: usize,
    /// About how many bytes one page holds; a single larger event is a page of its own.
    pub page_bytes: usize,
    /// How many bytes of pages stay in memory while anyone reads from the database, so that readers share them.
    pub page_cache_bytes: usize,
    /// How many pages are read at once; the rest of the database's connections is for others.
    pub page_reads: usize,
    /// How many bytes a stream is given at once: what a reader that never reads costs. One larger event goes alone.
    pub max_frame_bytes: usize,
    /// How many streams may be open; the next one is refused.
    pub max_streams: usize,
    /// The interval between signs of life for callers that wish none. 1 to 60 seconds.
    pub heartbeat: Duration,
    /// When a stream is ended at the latest, and at four fifths of it at the earliest, at random, so that its reader
    /// comes back, perhaps elsewhere.
    pub lifetime: Duration,
    /// The largest event that callers are told to expect, in bytes.
    pub max_event_bytes: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ring_events: 8192,
            ring_bytes: 16 * 1024 * 1024,
            page_events: 256,
            page_bytes: 256 * 1024,
            page_cache_bytes: 16 * 1024 * 1024,
            page_reads: 2,
            // One HTTP/2 DATA frame of the size that every peer takes.
            max_frame_bytes: 16 * 1024,
            max_streams: 20_000,
            heartbeat: Duration::from_secs(15),
            lifetime: Duration::from_mins(30),
            // What a platform says is kept raw and decoded: twice the largest webhook, and its envelope.
            max_event_bytes: 21 * 1024 * 1024,
        }
    }
}
