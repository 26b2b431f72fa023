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

#[tokio::test]
async fn a_peer_that_says_nothing_fails_its_first_read() {
    let first = FirstBytes {
        count: 24,
        within: SOON,
    };
    let (address, acceptor) = acceptor(9).await;
    let _silent = TcpStream::connect(address)
        .await
        .expect("a listening server");
    let mut socket = acceptor.next().await.expecting(first);
    let read = timeout(PATIENCE, socket.read_u8()).await.expect("in time");
    assert_eq!(
        read.expect_err("nothing came").kind(),
        std::io::ErrorKind::TimedOut
    );
}

#[tokio::test]
async fn half_of_the_first_bytes_is_not_enough_and_all_of_them_are() {
    let first = FirstBytes {
        count: 24,
        within: SOON,
    };
    let (address, acceptor) = acceptor(9).await;
    let mut peer = TcpStream::connect(address)
        .await
        .expect("a listening server");
    let mut socket = acceptor.next().await.expecting(first);
    peer.write_all(&[b'x'; 23])
        .await
        .expect("an open connection");
    let mut buffer = [0; 100];
    let mut count = 0;
    let error = loop {
        match timeout(PATIENCE, socket.read(&mut buffer))
            .await
            .expect("in time")
        {
            Ok(more) => count += more,
            Err(error) => break error,
        }
    };
    assert_eq!((count, error.kind()), (23, std::io::ErrorKind::TimedOut));

    let mut peer = TcpStream::connect(address)
        .await
        .expect("a listening server");
    let mut socket = acceptor.next().await.expecting(first);
    peer.write_all(&[b'x'; 24])
        .await
        .expect("an open connection");
    socket.read_exact(&mut [0; 24]).await.expect("all came");
    let later = timeout(2 * SOON, socket.read_u8()).await;
    assert!(
        later.is_err(),
        "a quiet peer is left in peace once it has begun"
    );
}

#[tokio::test]
async fn connections_above_the_limit_are_closed_and_the_place_comes_free_again() {
    let (address, acceptor) = acceptor(1).await;
    let _first_peer = TcpStream::connect(address)
        .await
        .expect("a listening server");
    let first = acceptor.next().await;
    let mut second_peer = TcpStream::connect(address)
        .await
        .expect("a listening server");
    let next = tokio::spawn(async move { acceptor.next().await.peer() });
    assert_eq!(rest(&mut second_peer).await, "");
    drop(first);
    let third_peer = TcpStream::connect(address)
        .await
        .expect("a listening server");
    let accepted = timeout(PATIENCE, next)
        .await
        .expect("in time")
        .expect("no panic");
    assert_eq!(accepted, third_peer.local_addr().expect("connected"));
}

#[tokio::test]
async fn silence_and_half_a_header_close_the_connection() {
    let config = WebhooksConfig {
        header_timeout: SOON,
        ..config()
    };
    let server = http_server(9, &config, PATIENCE).await;
    assert_eq!(talk(server.address, b"").await, "");
    let half = talk(server.address, b"POST /body HTTP/1.1\r\nhost: a\r\n").await;
    assert_eq!(half, "");

    let mut stream = TcpStream::connect(server.address)
        .await
        .expect("a listening server");
    let whole = b"GET /peer HTTP/1.1\r\nhost: a\r\n\r\n";
    stream.write_all(whole).await.expect("an open connection");
    let read = stream.read(&mut [0; 1000]).await;
    assert!(read.expect("an open connection") > 0);
    let half = b"GET /peer HTTP/1.1\r\nhost";
    stream.write_all(half).await.expect("an open connection");
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test]
async fn a_connection_may_be_idle_for_longer_than_its_headers_may_take() {
    let config = WebhooksConfig {
        header_timeout: SOON,
        idle_timeout: 5 * SOON,
        ..config()
    };
    let server = http_server(9, &config, PATIENCE).await;
    let mut stream = TcpStream::connect(server.address)
        .await
        .expect("a listening server");
    for _ in 0..2 {
        let request = b"GET /peer HTTP/1.1\r\nhost: a\r\n\r\n";
        stream.write_all(request).await.expect("an open connection");
        let read = stream.read(&mut [0; 1000]).await;
        assert!(read.expect("an open connection") > 0);
        tokio::time::sleep(2 * SOON).await;
    }
    assert_eq!(rest(&mut stream).await, "", "closed for its silence");
}

#[tokio::test]
async fn a_slow_body_is_not_taken_for_slow_headers() {
    let config = WebhooksConfig {
        header_timeout: SOON,
        ..config()
    };
    let server = http_server(9, &config, PATIENCE).await;
    let mut stream = TcpStream::connect(server.address)
        .await
        .expect("a listening server");
    let head =
        b"POST /body HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n";
    stream.write_all(head).await.expect("an open connection");
    for half in [b"ab", b"cd"] {
        tokio::time::sleep(2 * SOON).await;
        stream.write_all(half).await.expect("an open connection");
    }
    let mut answer = [0; 1000];
    let mut text = String::new();
    while !text.contains("200 OK") {
        let count = stream.read(&mut answer).await.expect("an open connection");
        assert!(count > 0, "closed after {text}");
        text.push_str(&String::from_utf8_lossy(&answer[..count]));
    }
}

#[tokio::test]
async fn a_panic_in_a_handler_is_answered() {
    let server = http_server(9, &config(), PATIENCE).await;
    let request = b"GET /panic HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let answer = talk(server.address, request).await;
    assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
}

#[tokio::test]
async fn headers_larger_than_the_buffer_are_refused() {
    let server = http_server(9, &config(), PATIENCE).await;
    let request = format!(
        "GET /peer HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n",
        "x".repeat(20_000)
    );
    let answer = talk(server.address, request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn a_request_knows_its_peer_and_when_its_first_byte_came() {
    let server = http_server(9, &config(), PATIENCE).await;
    let mut stream = TcpStream::connect(server.address)
        .await
        .expect("a listening server");
    stream
        .write_all(b"GET /peer HTTP/1.1\r\n")
        .await
        .expect("an open connection");
    tokio::time::sleep(SOON).await;
    stream
        .write_all(b"host: a\r\nconnection: close\r\n\r\n")
        .await
        .expect("an open connection");
    let answer = rest(&mut stream).await;
    let (_, body) = answer.split_once("\r\n\r\n").expect("an answer");
    let (peer, millis) = body.split_once(' ').expect("two words");
    assert_eq!(peer, "127.0.0.1");
    assert!(
        millis.parse::<u128>().expect("a number") >= SOON.as_millis() - 10,
        "{millis}"
    );
}

#[tokio::test]
async fn a_body_is_read_up_to_its_limit_and_refused_one_byte_above() {
    let server = http_server(9, &config(), PATIENCE).await;
    let answer = talk(server.address, &posting(1000, &[b'x'; 1000])).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\n1000"),
        "{answer}"
    );
    let answer = talk(server.address, &posting(1001, &[b'x'; 1001])).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    let answer = talk(server.address, &posting(1_000_000, b"x")).await;
    assert!(
        answer.starts_with("HTTP/1.1 413"),
        "refused by its announcement: {answer}"
    );
}

#[tokio::test]
async fn an_endless_body_is_refused_while_it_still_comes() {
    let server = http_server(9, &config(), PATIENCE).await;
    let mut stream = TcpStream::connect(server.address)
        .await
        .expect("a listening server");
    let head = b"POST /body HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head).await.expect("an open connection");
    let chunk = [b"100\r\n".as_slice(), &[b'x'; 256], b"\r\n"].concat();
    for _ in 0..8 {
        stream.write_all(&chunk).await.expect("an open connection");
    }
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn half_a_body_runs_into_the_time_and_a_trickle_into_the_rate() {
    let server = http_server(
        9,
        &WebhooksConfig {
            body_timeout: SOON,
            ..config()
        },
        PATIENCE,
    )
    .await;
    let answer = talk(server.address, &posting(1000, &[b'x'; 500])).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");

    let reader = BodyReader::new(&WebhooksConfig {
        min_body_rate: 100_000,
        ..config()
    });
    let trickle = futures_util::stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Some((Ok::<_, std::io::Error>("x"), ()))
    });
    let started = Instant::now();
    let read = timeout(
        PATIENCE,
        reader.read(axum::body::Body::from_stream(trickle)),
    )
    .await;
    assert!(matches!(read.expect("in time"), Err(BodyError::TooSlow)));
    assert!(
        started.elapsed() < PATIENCE / 2,
        "the rate ended it, not the time: {:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn a_body_that_breaks_off_is_told_from_a_slow_one() {
    let stream = futures_util::stream::iter([Ok("x"), Err(std::io::Error::other("gone"))]);
    let read = BodyReader::new(&config())
        .read(axum::body::Body::from_stream(stream))
        .await;
    assert!(matches!(read, Err(BodyError::Broken)));
}

#[tokio::test]
async fn the_memory_of_all_bodies_together_is_bounded() {
    let reader = BodyReader::new(&WebhooksConfig {
        max_buffered_bytes: 1000,
        ..config()
    });
    let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
    let waiting = futures_util::stream::once(async move {
        let _ = receiver.await;
        Ok::<_, std::io::Error>(vec![b'x'; 600])
    });
    let begun =
        futures_util::StreamExt::chain(futures_util::stream::iter([Ok(vec![b'x'; 300])]), waiting);
    let other = reader.clone();
    let first = tokio::spawn(async move { other.read(axum::body::Body::from_stream(begun)).await });
    let used = || async { reader.read(axum::body::Body::from(vec![b'x'; 800])).await };
    while used().await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(matches!(used().await, Err(BodyError::Busy)));
    sender.send(()).expect("the body waits");
    assert_eq!(first.await.expect("no panic").expect("whole").len(), 900);
    assert_eq!(used().await.expect("the memory is free again").len(), 800);
}

#[tokio::test]
async fn a_drain_lets_an_open_request_finish_and_takes_no_new_connection() {
    let server = http_server(9, &config(), PATIENCE).await;
    let mut stream = TcpStream::connect(server.address)
        .await
        .expect("a listening server");
    stream
        .write_all(&posting(4, b"ab"))
        .await
        .expect("an open connection");
    // Answered when the first request's connection has been accepted, because they are accepted in order.
    talk(
        server.address,
        b"GET /peer HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
    )
    .await;
    server.stop.cancel();
    while TcpStream::connect(server.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    stream.write_all(b"cd").await.expect("an open connection");
    assert!(rest(&mut stream).await.ends_with("\r\n\r\n4"));
    timeout(PATIENCE, server.task)
        .await
        .expect("in time")
        .expect("no panic");
}

#[tokio::test]
async fn a_drain_ends_at_its_deadline_whatever_is_open() {
    let server = http_server(9, &config(), SOON).await;
    let mut silent = TcpStream::connect(server.address)
        .await
        .expect("a listening server");
    let mut half = TcpStream::connect(server.address)
        .await
        .expect("a listening server");
    half.write_all(b"GET /nev")
        .await
        .expect("an open connection");
    let mut waiting = TcpStream::connect(server.address)
        .await
        .expect("a listening server");
    waiting
        .write_all(b"GET /never HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .expect("an open connection");
    talk(
        server.address,
        b"GET /peer HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
    )
    .await;
    let started = Instant::now();
    server.stop.cancel();
    timeout(PATIENCE, server.task)
        .await
        .expect("in time")
        .expect("no panic");
    assert!(started.elapsed() >= SOON);
    for stream in [&mut silent, &mut half, &mut waiting] {
        assert_eq!(rest(stream).await, "");
    }
}

#[tokio::test]
async fn the_count_follows_connections_that_end() {
    let metrics: Arc<Metrics> = Metrics::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound listener");
    let gate = Gate::new(Listener::Ops, 9, 0, metrics.clone());
    let acceptor = Acceptor::new(listener, gate);
    let _peer = TcpStream::connect(address)
        .await
        .expect("a listening server");
    let socket = acceptor.next().await;
    assert!(
        metrics
            .render()
            .contains("parloir_connections{listener=\"ops\"} 1")
    );
    drop(socket);
    assert!(
        metrics
            .render()
            .contains("parloir_connections{listener=\"ops\"} 0")
    );
}
