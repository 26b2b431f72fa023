//! Serves HTTP/1.1 on a guarded listener: headers in time, buffers bounded, a drain with an end.

use std::{panic::AssertUnwindSafe, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo, http::StatusCode, response::IntoResponse};
use futures_util::FutureExt;
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulConnection, GracefulShutdown},
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use tracing::{debug, warn};

use super::{
    accept::Acceptor,
    progress::Progress,
    socket::{FirstBytes, Socket},
};

/// Bytes of one request's headers, and of what is read ahead of a body: what servers commonly accept.
const MAX_BUFFER: usize = 16 * 1024;

/// How a listener treats its connections.
#[derive(Debug, Clone, Copy)]
pub struct HttpLimits {
    /// A new connection that has sent nothing by then is closed, and so is one whose next headers take longer from
    /// their first byte on.
    pub header_timeout: Duration,
    /// A connection that has been idle for as long since its last answer is closed, and so is one whose peer takes
    /// nothing of an answer for as long.
    pub idle_timeout: Duration,
    /// How long open requests may go on after the stop.
    pub drain: Duration,
}

/// Serves `router` until `stop`, then lets open requests finish for as long as the limits say, then closes what is
/// left. Each request carries `ConnectInfo<SocketAddr>` and `RequestStart` as extensions; a panic is answered 500.
pub async fn serve(
    acceptor: Acceptor,
    router: Router,
    limits: HttpLimits,
    stop: CancellationToken,
) {
    let graceful = GracefulShutdown::new();
    let cut = CancellationToken::new();
    while let Some(socket) = stop.run_until_cancelled(acceptor.next()).await {
        let (watcher, handshake) = (graceful.watcher(), acceptor.handshake());
        let (cut, router) = (cut.clone(), router.clone());
        tokio::spawn(async move {
            let connection = async {
                let socket = handshake.shake(socket).await?;
                let connection = connection(socket, &router, limits);
                Some(watcher.watch(connection).await)
            };
            if let Some(Some(Err(error))) = cut.run_until_cancelled(connection).await {
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
    let (peer, progress) = (socket.peer(), Progress::new());
    let first = FirstBytes {
        count: 1,
        within: limits.header_timeout,
    };
    let socket = socket
        .expecting(first)
        .timing_headers(limits.header_timeout, progress.clone())
        .writing_within(limits.idle_timeout);
    let router = router.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let (router, progress) = (router.clone(), progress.clone());
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(progress.headers_complete());
        async move {
            let answer = AssertUnwindSafe(router.oneshot(request))
                .catch_unwind()
                .await;
            progress.answered();
            answer.unwrap_or_else(|_| Ok(StatusCode::INTERNAL_SERVER_ERROR.into_response()))
        }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        // Counted from the last answer on, so it must leave room for silence between requests.
        .header_read_timeout(limits.idle_timeout)
        .max_buf_size(MAX_BUFFER)
        .serve_connection(TokioIo::new(socket), service)
}
