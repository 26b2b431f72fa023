//! Peers that are slow, silent or too loud. Each returns once the server has ended the connection.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

/// More than any limit lets through.
const TOO_MUCH: usize = 256 * 1024 * 1024;

pub async fn silent(to: SocketAddr) {
    ended(connected(to).await).await;
}

pub async fn says(to: SocketAddr, bytes: &'static [u8]) {
    says_all(to, bytes.to_vec()).await;
}

pub async fn says_all(to: SocketAddr, bytes: Vec<u8>) {
    let mut stream = connected(to).await;
    stream.write_all(&bytes).await.expect("an open connection");
    ended(stream).await;
}

/// Goes on with one byte at a time.
pub async fn drips(to: SocketAddr, start: &'static [u8]) {
    let mut stream = connected(to).await;
    stream.write_all(start).await.expect("an open connection");
    let mut answer = [0; 1024];
    loop {
        tokio::select! {
            read = stream.read(&mut answer) => if matches!(read, Ok(0) | Err(_)) {
                return;
            },
            () = tokio::time::sleep(Duration::from_millis(100)) => {
                if stream.write_all(b"a").await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Writes as fast as it can and never reads, until the server has had enough.
pub async fn pours(to: SocketAddr, start: Vec<u8>, more: Vec<u8>) {
    let mut stream = connected(to).await;
    stream.write_all(&start).await.expect("an open connection");
    let mut written = 0;
    while stream.write_all(&more).await.is_ok() {
        written += more.len();
        assert!(written < TOO_MUCH, "the server goes on reading");
    }
}

/// Reads until there is nothing more to come.
async fn ended(mut stream: TcpStream) {
    let mut read = [0; 4096];
    while !matches!(stream.read(&mut read).await, Ok(0) | Err(_)) {}
}

async fn connected(to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.connect(to).await.expect("a listener")
}
