//! Accepts connections: counted, without delay for small packets, and patient when the system has no more to give.

use std::{io, net::SocketAddr, time::Duration};

use futures_util::{Stream, stream};
use tokio::{
    net::{TcpListener, TcpStream},
    time::sleep,
};
use tracing::{debug, warn};

use super::{
    gate::Gate,
    socket::{FirstBytes, Socket},
};

/// Pauses after an accept that failed for want of file handles or memory: 10 ms, doubled up to a second. Without a
/// pause the loop would spin, because the connection that could not be accepted is still waiting.
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// One listener's source of guarded connections.
#[derive(Debug)]
pub struct Acceptor {
    listener: TcpListener,
    gate: Gate,
}

impl Acceptor {
    /// Connections of `listener` that `gate` lets in.
    pub fn new(listener: TcpListener, gate: Gate) -> Self {
        Self { listener, gate }
    }

    /// The next connection. Those above a limit are closed and not answered here. May be cancelled.
    pub async fn next(&self) -> Socket {
        let mut pause = SHORTEST_PAUSE;
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => {
                    if let Some(socket) = self.admit(stream, peer) {
                        return socket;
                    }
                    debug!(%peer, "connection closed: too many");
                }
                Err(error) if is_of_one_connection(&error) => {
                    debug!(%error, "a connection broke before it was accepted");
                }
                Err(error) => {
                    warn!(%error, ?pause, "no connection can be accepted");
                    sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// The connections as an endless stream, for a gRPC server. Each must begin with what `first` demands.
    pub fn into_stream(self, first: FirstBytes) -> impl Stream<Item = io::Result<Socket>> {
        stream::unfold(self, move |acceptor| async move {
            let socket = acceptor.next().await.expecting(first);
            Some((Ok(socket), acceptor))
        })
    }

    fn admit(&self, stream: TcpStream, peer: SocketAddr) -> Option<Socket> {
        let admission = self.gate.admit(peer.ip())?;
        // Only a peer that is gone already refuses; the first read will say so.
        let _ = stream.set_nodelay(true);
        Some(Socket::new(stream, peer, admission))
    }
}

/// Whether the next connection may be fine although this one is not.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}
