//! What the log says of webhooks: which part of a refused one did not fit, and which headers arrive. Names only, never
//! values; and so many lines a minute that a flood of forged webhooks does not fill the disk.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    domain::{Clock, inbound::Webhook},
    few_lines::FewLines,
};

/// Different sets of headers that are told of one agent or source. Proxies add a header now and then; a sender that
/// comes with ever new ones has nothing to tell.
const MAX_SETS: usize = 16;

/// Whom a webhook is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Addressed<'a> {
    Agent(&'a str),
    Source(&'a str),
    /// Nobody who is configured: all of these share their lines, because anybody can make up a name.
    Nobody,
}

impl<'a> Addressed<'a> {
    pub fn name(self) -> &'a str {
        match self {
            Self::Agent(name) | Self::Source(name) => name,
            Self::Nobody => "",
        }
    }
}

/// Tells what is worth telling of webhooks.
#[derive(Debug)]
pub struct WebhookLog {
    clock: Arc<dyn Clock>,
    /// Lines about refused webhooks per addressee and minute.
    per_minute: u32,
    told: Mutex<HashMap<String, Told>>,
}

/// What was told of one addressee.
#[derive(Debug)]
struct Told {
    /// About refused ones.
    lines: FewLines,
    header_sets: HashSet<Vec<String>>,
}

impl WebhookLog {
    /// At most `per_minute` lines about the refused webhooks of one agent or source.
    pub fn new(clock: Arc<dyn Clock>, per_minute: u32) -> Self {
        Self {
            clock,
            per_minute,
            told: Mutex::default(),
        }
    }

    /// A webhook was refused, because of `why`.
    pub fn refused(
        &self,
        whom: Addressed<'_>,
        reason: &'static str,
        why: &dyn fmt::Display,
        webhook: Option<&Webhook>,
    ) {
        let Some(unsaid) = self.may_tell(whom) else {
            return;
        };
        let headers = webhook.map(names).unwrap_or_default().join(" ");
        let body_bytes = webhook.map(|webhook| webhook.body.len());
        tracing::warn!(%whom, reason, %why, headers, body_bytes, unsaid, "a webhook was refused");
    }

    /// A webhook was believed: the names of its headers are told when they are new, because few platforms say what they
    /// send.
    pub fn believed(&self, whom: Addressed<'_>, webhook: &Webhook) {
        let names = names(webhook);
        let mut told = self.told();
        let told = self.of(&mut told, whom);
        if told.header_sets.len() >= MAX_SETS || told.header_sets.contains(&names) {
            return;
        }
        tracing::info!(%whom, headers = names.join(" "), "webhooks come with these headers");
        told.header_sets.insert(names);
    }

    /// How many refusals went unsaid before this one, which may be told; `None`: it goes unsaid too.
    fn may_tell(&self, whom: Addressed<'_>) -> Option<u64> {
        let now = self.clock.now();
        let mut told = self.told();
        let told = self.of(&mut told, whom);
        told.lines.may_tell(now, self.per_minute)
    }

    fn of<'t>(&self, told: &'t mut HashMap<String, Told>, whom: Addressed<'_>) -> &'t mut Told {
        told.entry(whom.to_string()).or_insert_with(|| Told {
            lines: FewLines::new(self.clock.now()),
            header_sets: HashSet::new(),
        })
    }

    fn told(&self) -> MutexGuard<'_, HashMap<String, Told>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// In order, each once: what does not depend on how a proxy shuffles them.
fn names(webhook: &Webhook) -> Vec<String> {
    let names: BTreeSet<_> = webhook
        .headers
        .keys()
        .map(http::HeaderName::as_str)
        .collect();
    names.into_iter().map(str::to_owned).collect()
}

impl fmt::Display for Addressed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agent(name) => write!(f, "agent {name}"),
            Self::Source(name) => write!(f, "source {name}"),
            Self::Nobody => f.write_str("nobody"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::Timestamp, few_lines::WINDOW};

    #[derive(Debug)]
    struct SetClock(Mutex<Timestamp>);

    impl Clock for SetClock {
        fn now(&self) -> Timestamp {
            *self.0.lock().expect("whole")
        }
    }

    fn log(per_minute: u32) -> (WebhookLog, Arc<SetClock>) {
        let clock = Arc::new(SetClock(Mutex::new(Timestamp(0))));
        (WebhookLog::new(clock.clone(), per_minute), clock)
    }

    #[test]
    fn a_flood_is_told_in_so_many_lines_a_minute_and_counted() {
        let (log, clock) = log(2);
        let told: Vec<_> = (0..5)
            .map(|_| log.may_tell(Addressed::Agent("support")))
            .collect();
        assert_eq!(told, [Some(0), Some(0), None, None, None]);
        assert_eq!(log.may_tell(Addressed::Source("support")), Some(0));
        *clock.0.lock().expect("whole") = Timestamp(0) + WINDOW;
        assert_eq!(log.may_tell(Addressed::Agent("support")), Some(3));
        assert_eq!(log.may_tell(Addressed::Agent("support")), Some(0));
    }
}
