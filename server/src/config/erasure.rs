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
        /// The longest pause before the second try. Each further try doubles it; the pause taken is a random part.
        #[serde(with = "humantime_serde")]
        retry_base: Duration = Duration::from_secs(5), "1ms" to "1h";
        /// The longest pause between two tries, unless the platform asks for a longer one by `Retry-After`.
        #[serde(with = "humantime_serde")]
        retry_max: Duration = Duration::from_hours(1), "1ms" to "1day";
    }
}
