//! A stop lets open requests finish, for as long as it was told.

use super::*;

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
