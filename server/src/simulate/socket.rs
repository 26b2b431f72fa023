//! The listener: HTTP/1.1 on sockets that a handler can reset.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tower::ServiceExt;

use super::world::World;

/// After a failed accept, which mostly means that too many files are open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Resets the connection that a request came on.
#[derive(Clone, Debug, Default)]
pub(super) struct Abort(Arc<Notify>);

impl Abort {
    pub(super) fn reset(&self) {
        self.0.notify_one();
    }
}

/// Accepts connections until the simulator stops; then they are dropped, and what runs on them.
pub(super) async fn accept(listener: TcpListener, router: Router, world: Arc<World>) {
    loop {
        match listener.accept().await {
            Ok((socket, _)) => world.spawn(serve(socket, router.clone())),
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

pub(super) async fn serve(socket: TcpStream, router: Router) {
    let abort = Abort::default();
    let extension = abort.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(extension.clone());
        router.clone().oneshot(request)
    });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(socket), service);
    tokio::select! {
        // However it ends, the other side knows; nothing is left to do here.
        _ = &mut connection => {}
        () = abort.0.notified() => {
            let socket = connection.into_parts().io.into_inner();
            // Without it the close is orderly: still no answer.
            let _ = socket.set_zero_linger();
        }
    }
}
