//! `[admin]`: what administrators may do by `AdminService`.

use super::section::section;

section! {
    /// Agents, accounts, sources, callers and keys that administrators make while the server runs.
    AdminConfig {
        /// Administrators may have agents and sources reach this machine and its private networks. On, every tenant's
        /// administrator reaches what this server can reach: for trying out, or where all of them are trusted.
        allow_private_addresses: bool = false;
        /// Agents of one tenant, and as many sources, accounts and callers.
        max_objects: usize = 1000, "1" to "100000";
        /// Keys of one caller that are neither expired nor revoked.
        max_keys: usize = 10, "1" to "90";
        /// How often it is recorded that a caller without the scope `admin` calls what needs it: once in this time for
        /// each caller and method. The audit log is never shortened, so nobody may be able to fill the disk with it; every
        /// refusal is counted in `parloir_rpc_total`.
        #[serde(with = "humantime_serde")]
        refusals_recorded_every: std::time::Duration = std::time::Duration::from_mins(1), "1s" to "1day";
        /// How often secrets are removed whose overlap is over. They stop to count when they expire, within this time.
        #[serde(with = "humantime_serde")]
        sweep_interval: std::time::Duration = std::time::Duration::from_secs(1), "100ms" to "1h";
    }
}
