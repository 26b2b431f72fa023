//! Peers that say nothing, half of it, or too much, over real sockets.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    extract::{ConnectInfo, State},
    http::StatusCode,
    routing::{get, post},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    body::{BodyError, BodyReader},
    http::{HttpLimits, serve},
    socket::FirstBytes,
    *,
};
use crate::{
    config::WebhooksConfig,
    metrics::{Listener, Metrics},
};

mod bodies;
mod connections;
mod drain;

/// Longer than anything here may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The limit that a slow peer runs into.
const SOON: Duration = Duration::from_millis(100);

async fn acceptor(max: usize) -> (SocketAddr, Acceptor) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound listener");
    let gate = Gate::new(Listener::Webhooks, max, 0, Metrics::new());
    (address, Acceptor::new(listener, gate))
}

struct Server {
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

async fn http_server(max: usize, config: &WebhooksConfig, drain: Duration) -> Server {
    let (address, acceptor) = acceptor(max).await;
    let router = Router::new()
        .route("/body", post(read_body))
        .route("/never", get(std::future::pending::<()>))
        .route("/peer", get(peer))
        .route("/panic", get(panics))
        .with_state(BodyReader::new(config));
    let limits = HttpLimits {
        header_timeout: config.header_timeout,
        idle_timeout: config.idle_timeout,
        drain,
    };
    let stop = CancellationToken::new();
    let task = tokio::spawn(serve(acceptor, router, limits, stop.clone()));
    Server {
        address,
        stop,
        task,
    }
}

async fn read_body(
    State(reader): State<BodyReader>,
    body: axum::body::Body,
) -> (StatusCode, String) {
    match reader.read(body).await {
        Ok(bytes) => (StatusCode::OK, bytes.len().to_string()),
        Err(BodyError::TooLarge(_)) => (StatusCode::PAYLOAD_TOO_LARGE, String::new()),
        Err(BodyError::TooSlow) => (StatusCode::REQUEST_TIMEOUT, String::new()),
        Err(BodyError::Busy) => (StatusCode::SERVICE_UNAVAILABLE, String::new()),
        Err(BodyError::Broken) => (StatusCode::BAD_REQUEST, String::new()),
    }
}

async fn peer(
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    start: Extension<RequestStart>,
) -> String {
    format!("{} {}", peer.ip(), start.0.0.elapsed().as_millis())
}

async fn panics() {
    panic!("on purpose");
}

fn config() -> WebhooksConfig {
    WebhooksConfig {
        max_body_bytes: 1000,
        header_timeout: PATIENCE,
        body_timeout: PATIENCE,
        ..WebhooksConfig::default()
    }
}

/// Sends `request` and answers everything that comes until the server closes.
async fn talk(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address)
        .await
        .expect("a listening server");
    stream.write_all(request).await.expect("an open connection");
    rest(&mut stream).await
}

async fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    // A reset ends a connection as well as an orderly close does.
    let _ = read.expect("the server closes the connection");
    String::from_utf8_lossy(&answer).into_owned()
}

fn posting(length: usize, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /body HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}
