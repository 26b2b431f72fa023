//! `[encryption]`: the keys under which everything personal and secret is sealed in the database.

use std::time::Duration;

use super::section::{Kind, Setting, section};
use crate::keys::KeySource;

section! {
    /// How what is personal or secret is sealed in the database.
    EncryptionConfig {
        /// The master keys: `{ file = "/path" }`, `{ env = "NAME" }`, or `{ command = ["program", "argument"] }`, which
        /// is run without a shell and prints them. Each line is `ID:BASE64`, as `parloir new-master-key` prints it; the
        /// first line seals, all of them open. Unset: a file beside the database, its name with `.key` behind it, is
        /// made at the first start. Whoever copies both then has everything, so name a place elsewhere in production.
        /// Without the key nothing that it sealed can be read again, by nobody.
        #[serde(skip_serializing_if = "KeySource::is_beside")]
        master_key: KeySource = KeySource::default();
        /// How often the keys' file is looked at for another first line. SIGHUP looks at once, and is the only way to
        /// run a command again.
        #[serde(with = "humantime_serde")]
        look_interval: Duration = Duration::from_secs(5), "1s" to "1h";
        /// A command that has not printed the keys by then is ended, and counts as failed.
        #[serde(with = "humantime_serde")]
        command_time_limit: Duration = Duration::from_secs(10), "100ms" to "1m";
        /// How many conversations' keys are kept unwrapped in memory, about 300 bytes each; more are unwrapped when
        /// they are needed.
        cached_keys: usize = 20_000, "100" to "1000000";
        /// How many rows are sealed anew in one commit after the first line has changed.
        rewrap_batch: usize = 200, "1" to "10000";
    }
}

impl Setting for KeySource {
    const KIND: Kind = Kind::MasterKey;
}
