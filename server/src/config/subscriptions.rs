//! `[subscriptions]`: how members of named subscriptions are served.

use std::time::Duration;

use super::section::section;

section! {
    /// Named subscriptions.
    SubscriptionsConfig {
        /// Named subscriptions of one tenant.
        max_subscriptions: usize = 100, "1" to "10000";
        /// Members of one subscription at one time. There are 64 slots to share: more members than that wait for one.
        max_members: usize = 128, "1" to "1000";
        /// The most that one member may ask for as `max_in_flight`. Its events wait in the server's memory until the
        /// member takes them.
        max_in_flight: u32 = 1000, "1" to "10000";
        /// Events in flight, waiting or parked, and conversations held back, in one subscription. Above it nothing new is
        /// handed out until some are done or redriven; nothing is lost.
        max_pending: usize = 20_000, "100" to "1000000";
        /// A member's leases outlive its server by this time at most, when that dies. They are renewed three times as often.
        #[serde(with = "humantime_serde")]
        lease: Duration = Duration::from_secs(15), "1s" to "5m";
        /// A member that comes by `PullEvents` keeps its leases for this time after each call.
        #[serde(with = "humantime_serde")]
        pull_lease: Duration = Duration::from_mins(1), "1s" to "1h";
        /// When less than this is left before retention removes what a subscription has not done, the metric
        /// `parloir_subscription_at_risk` says so. At most half of `log.retention_age` counts.
        #[serde(with = "humantime_serde")]
        retention_alarm: Duration = Duration::from_hours(48), "1m" to "30days";
        /// How often a server looks for what others changed, and for leases that ended elsewhere.
        #[serde(with = "humantime_serde")]
        look_interval: Duration = Duration::from_secs(1), "100ms" to "1m";
    }
}
