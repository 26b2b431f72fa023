//! `[stream]`: how subscribers are served.

use std::time::Duration;

use super::section::section;

section! {
    /// Event streams.
    StreamConfig {
        /// A stream that has nothing to say sends a checkpoint this often, so that silence means trouble. What a
        /// subscriber asks for is held within 1 s and 1 min; this is for those that ask for nothing.
        #[serde(with = "humantime_serde")]
        heartbeat: Duration = Duration::from_secs(15), "1s" to "1m";
        /// A stream ends with `GoingAway` after at most this time, and after no less than four fifths of it, at random:
        /// so that clients spread over the servers anew and do not all come back at once.
        #[serde(with = "humantime_serde")]
        lifetime: Duration = Duration::from_mins(30), "1s" to "1day";
        /// Newest events kept in memory for all subscribers together; who is further behind reads from the database.
        ring_events: usize = 8192, "16" to "1048576";
        /// Bytes of those events; whichever of both limits is reached first counts.
        ring_bytes: usize = 16 * 1024 * 1024, "65536" to "4294967295";
        /// Events read from the database at a time for who is behind.
        page_events: usize = 256, "1" to "4096";
        /// Bytes of events sent in one piece. Larger pieces cost less per event and more memory per stream.
        max_frame_bytes: usize = 16 * 1024, "1024" to "1048576";
    }
}
