//! `[[sinks]]`: where events are relayed to.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    Config, NatsAccessConfig, nats,
    problem::Problems,
    section::{Kind, Section, Setting, section},
};
use crate::domain::identity::is_object_name;

section! {
    /// A stream elsewhere that events are relayed to from the log: each at least once, in order, with what it says in the
    /// open. `docs/sinks.md` tells what that asks of the stream.
    SinkConfig {
        /// Its name, in metrics, and of what is kept of it: under another name it begins anew. 1 to 64 of `a-z`, `0-9`,
        /// `_` and `-`.
        name: String;
        /// What it is: `jetstream`, a stream of NATS `JetStream`.
        kind: SinkKind = SinkKind::Jetstream;
        /// Where its servers are: `nats://HOST:PORT`, or `tls://HOST:PORT` for TLS alone; several of one cluster with
        /// commas in between. Never with a user or a password in it: those stand in `access`.
        url: String;
        /// The stream's name. It must exist, be for this sink alone, and take `subject`.
        stream: String;
        /// Under which subject events are published. `{tenant}` and `{kind}` stand for the event's own, for example
        /// `parloir.events.{tenant}.{kind}`.
        subject: String;
        /// How the server shows there who it is.
        access: NatsAccessConfig = NatsAccessConfig::default();
        /// Whose events; none listed: those of every tenant.
        tenants: Vec<String> = Vec::new();
        /// Where it begins that was never there before: `earliest` is with the oldest event in the log, `latest` with
        /// the next one.
        start: SinkStart = SinkStart::Earliest;
        /// Events that are under way to it at one time.
        max_in_flight: usize = 256, "1" to "10000";
        /// Bytes of those events, about; a single one may be larger.
        max_in_flight_bytes: usize = 1_048_576, "1024" to "268435456";
        /// An event that is not acknowledged by then may be there or not, and is given again.
        #[serde(with = "humantime_serde")]
        ack_timeout: Duration = Duration::from_secs(5), "100ms" to "5m";
        /// The longest pause before something is given again that was refused. The first one is a hundredth of it.
        #[serde(with = "humantime_serde")]
        retry_max: Duration = Duration::from_secs(5), "100ms" to "5m";
        /// For how long a server relays to it without telling the database that it still does. After that, another
        /// replica takes over.
        #[serde(with = "humantime_serde")]
        lease: Duration = Duration::from_secs(3), "1s" to "5m";
    }
}

/// What a sink is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SinkKind {
    /// A stream of NATS `JetStream`.
    Jetstream,
}

/// Where a new sink begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SinkStart {
    /// With the oldest event in the log.
    Earliest,
    /// With the next one.
    Latest,
}

impl Setting for SinkKind {
    const KIND: Kind = Kind::Choice(&["jetstream"]);
}

impl Setting for SinkStart {
    const KIND: Kind = Kind::Choice(&["earliest", "latest"]);
}

pub(super) fn check(config: &Config, problems: &mut Problems) {
    for (index, sink) in config.sinks.iter().enumerate() {
        let at = format!("sinks[{index}]");
        sink.check(&at, problems);
        if !sink.name.is_empty() && (!is_object_name(&sink.name) || sink.name.contains('.')) {
            problems.add(format!("{at}.name"), "must be 1 to 64 of a-z, 0-9, _ and -");
        }
        let is_same = |other: &SinkConfig| other.name == sink.name;
        if config.sinks[..index].iter().any(is_same) {
            problems.add(
                format!("{at}.name"),
                format!("there are two sinks {}", sink.name),
            );
        }
        if !sink.url.is_empty() {
            nats::check_url(&sink.url, &at, problems);
        }
        let is_stream = |name: &str| nats::is_subject(name) && !name.contains('.');
        if !sink.stream.is_empty() && !is_stream(&sink.stream) {
            problems.add(
                format!("{at}.stream"),
                "must be the name of a stream: no dots, spaces, * or >",
            );
        }
        let example = sink.subject.replace("{tenant}", "t").replace("{kind}", "k");
        if !sink.subject.is_empty() && (!nats::is_subject(&example) || example.contains('{')) {
            problems.add(
                format!("{at}.subject"),
                "must be a subject: words with dots in between, without * and >, with no {...} but {tenant} and {kind}",
            );
        }
        nats::check_access(&sink.access, &format!("{at}.access"), problems);
    }
}
