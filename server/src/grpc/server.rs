//! The gRPC server's own settings: what tonic leaves open, closed; and a drain with an end.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;
use tonic::transport::{Error, Server, server::Router};
use tower::layer::util::{Identity, Stack};
use tracing::warn;

use super::{guard::GuardLayer, observe::ObserveLayer};
use crate::{
    access::Callers,
    admin::Admin,
    config::GrpcConfig,
    metrics::Metrics,
    net::{Acceptor, socket::FirstBytes},
};

/// What lies around every service.
pub type Layers = Stack<GuardLayer, Stack<ObserveLayer, Identity>>;

/// Bytes that a client may send before we have read them, per stream and per connection. The smallest that works with
/// every client, because our requests are small, and sixteen of them together.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// Bytes of one request's headers: what gRPC clients of other languages accept themselves.
const MAX_HEADER_BYTES: u32 = 16 * 1024;

/// The 24 bytes that every HTTP/2 client begins with.
const PREFACE: usize = 24;

/// A server with every setting of ours and the outermost layer in place; services are added to it.
pub fn server(
    config: &GrpcConfig,
    callers: Arc<Callers>,
    admin: Option<Arc<Admin>>,
    metrics: Arc<Metrics>,
) -> Server<Layers> {
    Server::builder()
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_streams(config.max_requests_per_connection)
        .http2_keepalive_interval(Some(config.keep_alive_interval))
        .http2_keepalive_timeout(Some(config.keep_alive_timeout))
        .http2_max_header_list_size(MAX_HEADER_BYTES)
        // Without a grace: with one, tonic sends no GOAWAY at this age and cuts the streams at its end.
        .max_connection_age(config.max_connection_age)
        .layer(ObserveLayer::new(
            Arc::clone(&metrics),
            config.max_message_bytes,
        ))
        .layer(GuardLayer::new(callers, metrics, admin))
}

/// Serves until `stop`, then lets open calls finish for as long as `drain`. What is left then ends with the process.
///
/// # Errors
///
/// What the server could not go on with.
pub async fn serve(
    config: &GrpcConfig,
    router: Router<Layers>,
    acceptor: Acceptor,
    stop: CancellationToken,
    drain: Duration,
) -> Result<(), Error> {
    let signal = stop.clone().cancelled_owned();
    let first = FirstBytes {
        count: PREFACE,
        within: config.first_bytes_timeout,
    };
    // Who does not take the question cannot answer it.
    let write_within = config.keep_alive_interval + config.keep_alive_timeout;
    let incoming = acceptor.into_stream(first, write_within);
    let serving = router.serve_with_incoming_shutdown(incoming, signal);
    let deadline = async {
        stop.cancelled().await;
        tokio::time::sleep(drain).await;
    };
    tokio::select! {
        served = serving => served,
        () = deadline => {
            warn!("calls are cut: the time to finish them is over");
            Ok(())
        }
    }
}
