//! Bodies that are too large, too slow, broken, or too many.

use super::*;

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
