//! Callers of the configuration file, and the keys that stand in the places it names.

use std::collections::HashSet;

use super::{
    key::{Key, Pepper},
    own_limits::OwnLimits,
    records::{CallerRecord, KeyRecord},
};
use crate::{
    config::CallerConfig,
    domain::{Id, Scope},
    secret::Secret,
};

/// The configured callers.
#[derive(Debug, Default)]
pub struct Configured {
    callers: Vec<CallerRecord>,
    places: Vec<Place>,
    /// Places of which it was said that no key stands there: said once and not every second.
    told: HashSet<usize>,
}

/// Where a key stands.
#[derive(Debug)]
struct Place {
    caller: usize,
    secret: Secret,
}

impl Configured {
    pub fn new(callers: &[CallerConfig]) -> Self {
        let places = callers.iter().enumerate().flat_map(|(caller, config)| {
            let each = config.keys.iter().cloned();
            each.map(move |secret| Place { caller, secret })
        });
        Self {
            places: places.collect(),
            callers: callers.iter().map(record).collect(),
            told: HashSet::new(),
        }
    }

    pub(super) fn callers(&self) -> &[CallerRecord] {
        &self.callers
    }

    /// The keys that stand in the configured places now. A place that is empty or gone has none: that is how a key is
    /// taken back.
    pub(super) fn read_keys(&mut self, pepper: &Pepper) -> Vec<KeyRecord> {
        let (callers, told) = (&self.callers, &mut self.told);
        let read = |(index, place): (usize, &Place)| {
            let caller = &callers[place.caller];
            let key = place.secret.read().map_err(|error| error.to_string());
            let key = key.and_then(|text| {
                Key::parse(&text).ok_or_else(|| format!("{:?} holds no key", place.secret))
            });
            match key {
                Ok(key) => {
                    told.remove(&index);
                    Some(KeyRecord {
                        id: key.id(),
                        digest: key.digest(pepper),
                        tenant: caller.tenant.clone(),
                        caller: caller.name.clone(),
                        expires_at: None,
                        revoked: false,
                    })
                }
                Err(why) => {
                    if told.insert(index) {
                        tracing::warn!(caller = %caller.name, why, "a configured key does not count");
                    }
                    None
                }
            }
        };
        self.places.iter().enumerate().filter_map(read).collect()
    }
}

fn record(config: &CallerConfig) -> CallerRecord {
    let scopes = config.scopes.iter();
    CallerRecord {
        tenant: Id::trusted(config.tenant.as_str()),
        name: Id::trusted(config.name.as_str()),
        scopes: scopes.filter_map(|name| Scope::from_name(name)).collect(),
        certificates: config.certificates.clone(),
        disabled: false,
        limits: OwnLimits::of(config),
    }
}
