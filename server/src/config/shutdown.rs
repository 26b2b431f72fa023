//! `[shutdown]`: how the server goes.

use std::time::Duration;

use super::section::section;

section! {
    /// What happens between the signal and the exit. A second signal ends the process at once; nothing acknowledged
    /// is lost by that.
    ShutdownConfig {
        /// How long health and readiness say "not serving" before anything is closed, so that load balancers look
        /// elsewhere.
        #[serde(with = "humantime_serde")]
        notice: Duration = Duration::from_secs(3), "0s" to "5m";
        /// How long streams, waiting requests and deliveries then have to come to their end.
        #[serde(with = "humantime_serde")]
        grace: Duration = Duration::from_secs(10), "0s" to "5m";
        /// After this time, counted from the signal, the process exits whatever is still open. Longer than `notice`
        /// and `grace` together.
        #[serde(with = "humantime_serde")]
        hard_deadline: Duration = Duration::from_secs(25), "10ms" to "15m";
    }
}
