//! `[erasure]`: how platforms are asked to erase.

use std::time::Duration;

use super::section::section;

section! {
    /// Erasure of personal data at the agents' platforms. Here it is done at once.
    ErasureConfig {
        /// How long a platform that does not acknowledge an erasure is asked again. After that the receipt says FAILED,
        /// and subscribers get a `PlatformAlert` `erasure_failed`.
        #[serde(with = "humantime_serde")]
        retry_for: Duration = Duration::from_hours(14 * 24), "1day" to "3650days";
        /// However long it took, nobody says FAILED of a platform that was asked less often; of an agent that is removed
        /// it is said all the same.
        min_attempts: u32 = 3, "1" to "1000";
        /// Platforms that are asked at one time, each one thing after the other: who hangs keeps nobody else waiting.
        agents_at_once: usize = 16, "1" to "1000";
        /// The longest pause before the second try. Each further try doubles it; the pause taken is a random part.
        #[serde(with = "humantime_serde")]
        retry_base: Duration = Duration::from_secs(5), "1ms" to "1h";
        /// The longest pause between two tries, unless the platform asks for a longer one by `Retry-After`.
        #[serde(with = "humantime_serde")]
        retry_max: Duration = Duration::from_hours(1), "1ms" to "1day";
    }
}
