//! Webhooks over a plain socket: one connection each, and nothing between the test and the bytes.

use std::{io, net::SocketAddr};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::process::{AGENT, BOT};

/// The body of a message of the agent.
pub fn message(conversation: &str, message_id: &str) -> String {
    json!({
        "botId": BOT,
        "channel": "chat",
        "data": {
            "eventType": "sendMessage",
            "platformConversationId": conversation,
            "type": "text",
            "text": "Your parcel left our depot this morning.",
            "buttons": [],
            "carouselCards": [],
            "messageId": message_id,
        },
    })
    .to_string()
}

/// Posts `body` and answers the status.
pub async fn post(to: SocketAddr, body: &str) -> io::Result<u16> {
    let mut socket = TcpStream::connect(to).await?;
    let head = format!(
        "POST /webhooks/{AGENT} HTTP/1.1\r\nHost: {to}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    socket.write_all(format!("{head}{body}").as_bytes()).await?;
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await?;
    status(&answer).ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))
}

/// The number in `HTTP/1.1 200 OK`.
fn status(answer: &[u8]) -> Option<u16> {
    let line = str::from_utf8(answer).ok()?.lines().next()?;
    line.split(' ').nth(1)?.parse().ok()
}
