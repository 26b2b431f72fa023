//! Peers that say nothing or half of it, and too many of them.

use super::*;

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
        idle_timeout: 15 * SOON,
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
