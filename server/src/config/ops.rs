//! `[ops]`: where operators look.

use std::{net::SocketAddr, time::Duration};

use super::{section::section, tls::TlsConfig};

section! {
    /// The listener for operators: `/metrics`, `/healthz`, `/readyz`.
    OpsConfig {
        /// Where metrics and probes are answered, to whoever asks: keep it inside. Port 0 takes a free one.
        listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 9090));
        /// TLS; unset is plain HTTP.
        tls: TlsConfig = TlsConfig::default();
        /// Connections at one time; more are closed as they come.
        max_connections: usize = 64, "1" to "10000";
        /// A new connection that has sent nothing by then is closed, and so is one whose headers take longer from
        /// their first byte on.
        #[serde(with = "humantime_serde")]
        header_timeout: Duration = Duration::from_secs(5), "10ms" to "1m";
        /// A connection that has been idle for as long is closed.
        #[serde(with = "humantime_serde")]
        idle_timeout: Duration = Duration::from_secs(75), "10ms" to "1h";
        /// When work has waited this long for its commit, readiness says no: the disk does not keep up.
        #[serde(with = "humantime_serde")]
        max_commit_wait: Duration = Duration::from_secs(5), "10ms" to "1m";
    }
}
