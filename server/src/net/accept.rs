//! Accepts connections: counted, without delay for small packets, and patient when the system has no more to give.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use futures_util::{Stream, stream};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinSet,
    time::sleep,
};
use tracing::{debug, warn};

use super::{
    gate::Gate,
    socket::{FirstBytes, Socket},
    tls::Tls,
};

/// Pauses after an accept that failed for want of file handles or memory: 10 ms, doubled up to a second. Without a
/// pause the loop would spin, because the connection that could not be accepted is still waiting.
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Connections that are ready and not yet served: a moment's worth, because serving one begins at once.
const READY: usize = 16;

/// One listener's source of guarded connections.
#[derive(Debug)]
pub struct Acceptor {
    listener: TcpListener,
    gate: Gate,
    tls: Option<Arc<Tls>>,
}

impl Acceptor {
    /// Connections of `listener` that `gate` lets in.
    pub fn new(listener: TcpListener, gate: Gate) -> Self {
        Self {
            listener,
            gate,
            tls: None,
        }
    }

    /// As before, speaking TLS if `tls` says how.
    #[must_use]
    pub fn with_tls(mut self, tls: Option<Arc<Tls>>) -> Self {
        self.tls = tls;
        self
    }

    /// How the connections of [`Acceptor::next`] shake hands before anything else; nothing is done where they do not.
    pub(super) fn handshake(&self) -> Handshake {
        Handshake(self.tls.clone())
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

    /// The connections as an endless stream, for a gRPC server. Each must begin with what `first` demands, and take
    /// something of what is written to it within `write_within`. Hands are shaken beside the stream, so that a peer that is
    /// slow at it keeps nobody else waiting.
    pub fn into_stream(
        self,
        first: FirstBytes,
        write_within: Duration,
    ) -> impl Stream<Item = io::Result<Socket>> {
        let handshake = self.handshake();
        let (ready, sockets) = mpsc::channel(READY);
        // Ends with the stream: the server takes no more connections then.
        let mut accepting = JoinSet::new();
        accepting.spawn(async move {
            loop {
                let socket = self.next().await.writing_within(write_within);
                let handshake = handshake.clone();
                if handshake.0.is_none() {
                    if ready.send(socket.expecting(first)).await.is_err() {
                        return;
                    }
                    continue;
                }
                let ready = ready.clone();
                tokio::spawn(async move {
                    if let Some(socket) = handshake.shake(socket).await {
                        // Refused only when the server has stopped.
                        let _ = ready.send(socket.expecting(first)).await;
                    }
                });
            }
        });
        stream::unfold(
            (accepting, sockets),
            |(accepting, mut sockets)| async move {
                let socket = sockets.recv().await?;
                Some((Ok(socket), (accepting, sockets)))
            },
        )
    }

    fn admit(&self, stream: TcpStream, peer: SocketAddr) -> Option<Socket> {
        let admission = self.gate.admit(peer.ip())?;
        // Only a peer that is gone already refuses; the first read will say so.
        let _ = stream.set_nodelay(true);
        Some(Socket::new(stream, peer, admission))
    }
}

/// How connections begin. Clones speak of the same listener.
#[derive(Debug, Clone)]
pub(super) struct Handshake(Option<Arc<Tls>>);

impl Handshake {
    /// The connection, ready to be read; `None` if the peer does not speak TLS as it should.
    pub async fn shake(&self, socket: Socket) -> Option<Socket> {
        let Some(tls) = &self.0 else {
            return Some(socket);
        };
        let peer = socket.peer();
        let shaken = socket.secured(tls).await;
        shaken
            .inspect_err(|error| debug!(%peer, %error, "a TLS handshake failed"))
            .ok()
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
