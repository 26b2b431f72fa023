//! Keys: how many are under which master key.

use prometheus_client::registry::Registry;

use super::family::{Gauges, labels, registered};

/// Keys.
#[derive(Debug)]
pub struct EncryptionMetrics {
    keys: Gauges<1>,
}

impl EncryptionMetrics {
    pub(super) fn new(r: &mut Registry) -> Self {
        Self {
            keys: registered(
                r,
                "encryption_keys",
                "Data keys and secrets under each master key; one with 0 may be taken out, unless it is the first",
                Gauges::default(),
            ),
        }
    }

    /// Counted with each look at the keys, and after each batch that is sealed anew.
    pub fn keys(&self, counts: &[(String, u64)]) {
        self.keys.keep(|_, _| false);
        for (id, count) in counts {
            let count = i64::try_from(*count).unwrap_or(i64::MAX);
            self.keys
                .get_or_create(&labels([("master_id", id)]))
                .set(count);
        }
    }
}
