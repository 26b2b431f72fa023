//! `[grpc]`: where callers connect.

use std::{net::SocketAddr, time::Duration};

use super::{section::section, tls::GrpcTlsConfig};

section! {
    /// The listener for callers.
    GrpcConfig {
        /// Where callers connect. Port 0 takes a free one.
        listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 50051));
        /// TLS; unset is plain HTTP/2.
        tls: GrpcTlsConfig = GrpcTlsConfig::default();
        /// Let calls in that show no credentials, with all scopes in the tenant `default`: whoever reaches the address
        /// can then read and write everything there, and the log says so every hour. Without it, such calls are let in
        /// only on a loopback address and only while no caller is named and none in the database ever had a key. An
        /// address that other machines can reach needs `[[callers]]`, or this.
        allow_unauthenticated: bool = false;
        /// Connections at one time; more are closed as they come.
        max_connections: usize = 10_000, "1" to "1000000";
        /// Connections at one time from one peer address, so that one host cannot take them all; 0 is without this
        /// limit, as needed behind a proxy. Loopback peers are not counted: they are this machine's own processes.
        max_connections_per_peer: usize = 256, "0" to "1000000";
        /// Open event streams at one time; more are answered `RESOURCE_EXHAUSTED`. Each costs a few kilobytes.
        max_streams: usize = 20_000, "1" to "1000000";
        /// Requests open at one time on one connection, streams included; a client waits with more.
        max_requests_per_connection: u32 = 1024, "16" to "65536";
        /// Bytes of one request message; larger ones are answered `RESOURCE_EXHAUSTED`.
        max_message_bytes: usize = 256 * 1024, "1024" to "16777216";
        /// A connection that has not sent the 24 bytes every HTTP/2 client begins with by then is closed.
        #[serde(with = "humantime_serde")]
        first_bytes_timeout: Duration = Duration::from_secs(5), "10ms" to "1m";
        /// How often a quiet connection is asked whether the client still lives.
        #[serde(with = "humantime_serde")]
        keep_alive_interval: Duration = Duration::from_secs(20), "1s" to "1h";
        /// A client that does not answer that question by then is cut off, and so is one that takes nothing of what is
        /// written to it for as long as both times together.
        #[serde(with = "humantime_serde")]
        keep_alive_timeout: Duration = Duration::from_secs(10), "1s" to "5m";
        /// After this time a connection takes no new requests, so that clients spread over the servers
        /// anew. Those that are open go on: streams end by `stream.lifetime`.
        #[serde(with = "humantime_serde")]
        max_connection_age: Duration = Duration::from_mins(30), "1m" to "30days";
        /// A command answers with the state reached so far after this time; the rest follows as `DeliveryChanged`.
        #[serde(with = "humantime_serde")]
        answer_within: Duration = Duration::from_secs(5), "100ms" to "5m";
        /// Offer server reflection (v1 and v1alpha), so that tools find the calls by themselves.
        reflection: bool = true;
    }
}
