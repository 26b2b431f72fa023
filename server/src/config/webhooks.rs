//! `[webhooks]`: where agents' platforms call back.

use std::{net::SocketAddr, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    section::{Kind, Setting, section},
    tls::TlsConfig,
};

section! {
    /// The listener for agents' platforms.
    WebhooksConfig {
        /// Where platforms call back, at `/webhooks/{agent}`, and sources at `/sources/{source}`. Port 0
        /// takes a free one.
        listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 8080));
        /// TLS; unset is plain HTTP, for a proxy that speaks HTTPS before it.
        tls: TlsConfig = TlsConfig::default();
        /// Bytes of one body; larger ones are answered 413.
        max_body_bytes: usize = 10 * 1024 * 1024, "1024" to "10485760";
        /// Bytes of all bodies being received at one time; while they are used up, new webhooks are answered 503. At
        /// least `max_body_bytes`.
        max_buffered_bytes: usize = 256 * 1024 * 1024, "1024" to "4294967295";
        /// A new connection that has sent nothing by then is closed, and so is one whose headers take longer from
        /// their first byte on.
        #[serde(with = "humantime_serde")]
        header_timeout: Duration = Duration::from_secs(5), "10ms" to "1m";
        /// A connection that has been idle for as long is closed. Longer than what the platform or the proxy before it
        /// keeps idle connections for, or a webhook meets a connection that is just being closed.
        #[serde(with = "humantime_serde")]
        idle_timeout: Duration = Duration::from_secs(75), "10ms" to "1h";
        /// A body that is not complete by then is answered 408.
        #[serde(with = "humantime_serde")]
        body_timeout: Duration = Duration::from_secs(10), "10ms" to "1m";
        /// Bytes per second that a body must bring from its second second on, or it is answered 408; 0 is without this
        /// limit.
        min_body_rate: u64 = 1024, "0" to "1073741824";
        /// Connections at one time; more are closed as they come. A question that an agent waits for holds one.
        max_connections: usize = 10_000, "1" to "1000000";
        /// Connections at one time from one peer address; 0 is without this limit, because a platform calls from few
        /// addresses and a proxy from one. Loopback peers are not counted.
        max_connections_per_peer: usize = 0, "0" to "1000000";
        /// The addresses and networks of our own proxies. A request that comes through them counts as coming from
        /// whom they name: the first from the right that is none of them. From everybody else the header is not read.
        trusted_proxies: Vec<String> = Vec::new();
        /// The header in which those proxies name whom they ask for: `x-forwarded-for` or `forwarded`. The other one is
        /// never read, because a proxy passes on what it does not write, whoever made it up.
        forwarded_header: ForwardedHeader = ForwardedHeader::XForwardedFor;
    }
}

/// The header in which proxies name whom they ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`.
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

impl Setting for ForwardedHeader {
    const KIND: Kind = Kind::Choice(&["x-forwarded-for", "forwarded"]);
}
