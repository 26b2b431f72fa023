//! HTTP/1.1 over a plain socket: nothing between the test and the bytes.

use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// A connection that is kept open.
pub struct Connection {
    socket: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub async fn open(to: SocketAddr) -> Self {
        Self {
            socket: TcpStream::connect(to).await.expect("a listener"),
            buffer: Vec::new(),
        }
    }

    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.socket.write_all(bytes).await
    }

    /// One request with its length told.
    pub async fn post(&mut self, path: &str, headers: &[(&str, &str)], body: &[u8]) {
        let length = body.len().to_string();
        self.head(
            "POST",
            path,
            &[headers, &[("content-length", &length)]].concat(),
        )
        .await;
        // The server may have answered and closed before it has read everything.
        let _ = self.write(body).await;
    }

    pub async fn head(&mut self, method: &str, path: &str, headers: &[(&str, &str)]) {
        let lines: Vec<_> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: parloir\r\n{}\r\n",
            lines.concat()
        );
        let _ = self.write(head.as_bytes()).await;
    }

    /// The next answer; `None` when the connection ends without one.
    pub async fn reply(&mut self) -> Option<Reply> {
        let end = loop {
            match self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                Some(at) => break at + 4,
                None => self.read_more().await?,
            }
        };
        let head: Vec<u8> = self.buffer.drain(..end).collect();
        let head = String::from_utf8(head).expect("text");
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers: Vec<_> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let mut reply = Reply {
            status,
            headers,
            body: String::new(),
        };
        let length = reply.header("content-length").unwrap_or("0");
        let length: usize = length.parse().expect("a number");
        while self.buffer.len() < length {
            self.read_more().await?;
        }
        let body = self.buffer.drain(..length).collect();
        reply.body = String::from_utf8(body).expect("text");
        Some(reply)
    }

    async fn read_more(&mut self) -> Option<()> {
        match self.socket.read_buf(&mut self.buffer).await {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(()),
        }
    }
}
