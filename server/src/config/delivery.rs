//! `[delivery]`: how agents are called when they fail.

use std::time::Duration;

use super::section::section;

section! {
    /// Tries and pauses on the way to agents. How long something is tried at all is set per agent.
    DeliveryConfig {
        /// The longest pause before the second try. Each further try doubles it; the pause taken is a random part.
        #[serde(with = "humantime_serde")]
        retry_base: Duration = Duration::from_millis(200), "1ms" to "1m";
        /// The longest pause between two tries, unless the platform asks for a longer one by `Retry-After`.
        #[serde(with = "humantime_serde")]
        retry_max: Duration = Duration::from_secs(30), "1ms" to "1h";
        /// After so many failures in a row an agent is left alone for a while: its breaker opens.
        breaker_failures: u32 = 5, "1" to "10000";
        /// How long. Then one request tries whether the agent is back.
        #[serde(with = "humantime_serde")]
        breaker_open_for: Duration = Duration::from_secs(10), "1ms" to "1h";
    }
}
