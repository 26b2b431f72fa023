//! Serves HTTP/1.1 on a guarded listener: headers in time, buffers bounded, a drain with an end.

use std::{net::SocketAddr, time::Duration};

use axum::{Router, extract::ConnectInfo};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulConnection, GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use tracing::{debug, warn};

use super::{accept::Acceptor, socket::Socket};

/// Bytes of one request's headers, and of what is read ahead of a body: what servers commonly accept.
const MAX_BUFFER: usize = 16 * 1024;

/// How a listener treats its connections.
#[derive(Debug, Clone, Copy)]
pub struct HttpLimits {
    /// Headers that are not complete by then close the connection, and so does silence for as long.
    pub header_timeout: Duration,
    /// How long open requests may go on after the stop.
    pub drain: Duration,
}

/// Serves `router` until `stop`, then lets open requests finish for as long as the limits say, then closes what is
/// left. Each request carries `ConnectInfo<SocketAddr>` and `RequestStart` as extensions.
pub async fn serve(
    acceptor: Acceptor,
    router: Router,
    limits: HttpLimits,
    stop: CancellationToken,
) {
    let graceful = GracefulShutdown::new();
    let cut = CancellationToken::new();
    while let Some(socket) = stop.run_until_cancelled(acceptor.next()).await {
        let connection = graceful.watch(connection(socket, &router, limits));
        let cut = cut.clone();
        tokio::spawn(async move {
            if let Some(Err(error)) = cut.run_until_cancelled(connection).await {
                debug!(%error, "connection ended");
            }
        });
    }
    drop(acceptor);
    let open = graceful.count();
    if timeout(limits.drain, graceful.shutdown()).await.is_err() {
        warn!(open, "connections are cut: the time to finish them is over");
    }
    cut.cancel();
}

fn connection(
    socket: Socket,
    router: &Router,
    limits: HttpLimits,
) -> impl GracefulConnection<Error = hyper::Error> + Send + use<> {
    let (peer, start): (SocketAddr, _) = (socket.peer(), socket.request_start());
    let service = router
        .clone()
        .map_request(move |mut request: http::Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            request.extensions_mut().insert(start.clone());
            request.map(axum::body::Body::new)
        });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(MAX_BUFFER)
        .serve_connection(TokioIo::new(socket), TowerToHyperService::new(service))
}
