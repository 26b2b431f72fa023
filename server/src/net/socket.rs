//! A connection that fails unless its first bytes, and each request's headers, come in time.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Sleep, sleep, timeout},
};
use tonic::transport::server::{Connected, TcpConnectInfo};

use super::{
    gate::Admission,
    progress::Progress,
    tls::{PeerCertificate, Tls},
    transport::Transport,
};

/// An accepted connection with its place in the count.
#[derive(Debug)]
pub struct Socket {
    stream: Transport,
    certificate: Option<Arc<PeerCertificate>>,
    peer: SocketAddr,
    /// Bytes that are still missing of the first ones, and the moment by which they must be there.
    awaited: Option<(usize, Pin<Box<Sleep>>)>,
    headers: Option<Headers>,
    stalled: Option<Stalled>,
    _admission: Admission,
}

/// What must come first on a connection, and how soon.
#[derive(Debug, Clone, Copy)]
pub struct FirstBytes {
    /// How many bytes.
    pub count: usize,
    /// How soon after the connection was accepted.
    pub within: Duration,
}

/// How long a peer may take nothing of what is written to it.
#[derive(Debug)]
struct Stalled {
    within: Duration,
    deadline: Option<Pin<Box<Sleep>>>,
}

/// The time that a request's headers have, and how far the latest request has come.
#[derive(Debug)]
struct Headers {
    within: Duration,
    deadline: Option<Pin<Box<Sleep>>>,
    progress: Progress,
}

impl Socket {
    pub(super) fn new(stream: TcpStream, peer: SocketAddr, admission: Admission) -> Self {
        Self {
            stream: Transport::Plain(stream),
            certificate: None,
            peer,
            awaited: None,
            headers: None,
            stalled: None,
            _admission: admission,
        }
    }

    /// Where the peer is.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Shakes hands, with an end to it. The connection's place in the count is kept all the while.
    pub(super) async fn secured(mut self, tls: &Tls) -> io::Result<Self> {
        let Transport::Plain(tcp) = self.stream else {
            return Ok(self);
        };
        let shaking = timeout(tls.handshake_timeout(), tls.acceptor().accept(tcp)).await;
        let stream = shaking.map_err(|_| {
            let late = "the TLS handshake did not come to its end in time";
            io::Error::new(io::ErrorKind::TimedOut, late)
        })??;
        let chain = stream.get_ref().1.peer_certificates();
        self.certificate = chain.map(|chain| tls.met(chain)).transpose()?;
        self.stream = Transport::Secure(Box::new(stream));
        Ok(self)
    }

    /// Fails reads from now on unless these bytes come in time.
    #[must_use]
    pub fn expecting(mut self, first: FirstBytes) -> Self {
        self.awaited = Some((first.count, Box::pin(sleep(first.within))));
        self
    }

    /// Fails reads when a request's headers take longer than this from their first byte on. For connections that serve
    /// one request at a time; whoever serves them tells `progress` when headers are complete and answers are ready.
    #[must_use]
    pub fn timing_headers(mut self, within: Duration, progress: Progress) -> Self {
        self.headers = Some(Headers {
            within,
            deadline: None,
            progress,
        });
        self
    }

    /// Fails writes when the peer takes nothing for as long. Keep-alive cannot tell: its question waits behind what the
    /// peer does not take, and nobody can ask a connection to end that cannot be written to.
    #[must_use]
    pub fn writing_within(mut self, within: Duration) -> Self {
        self.stalled = Some(Stalled {
            within,
            deadline: None,
        });
        self
    }

    /// What a write or a flush came to, or that the peer has stalled for too long.
    fn written<T>(
        &mut self,
        cx: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let Some(stalled) = &mut self.stalled else {
            return polled;
        };
        if polled.is_ready() {
            stalled.deadline = None;
            return polled;
        }
        let within = stalled.within;
        let deadline = stalled
            .deadline
            .get_or_insert_with(|| Box::pin(sleep(within)));
        if deadline.as_mut().poll(cx).is_pending() {
            return polled;
        }
        let late = "the peer takes nothing of what is written to it";
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, late)))
    }

    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        let first = self.awaited.as_mut().map(|(_, deadline)| deadline);
        let headers = self.headers.as_mut().and_then(Headers::deadline);
        let deadlines = first.into_iter().chain(headers);
        deadlines
            .map(|deadline| deadline.as_mut().poll(cx))
            .any(|polled| polled.is_ready())
    }

    fn came(&mut self, count: usize) {
        self.awaited = self.awaited.take().and_then(|(missing, deadline)| {
            let missing = missing.saturating_sub(count);
            (missing > 0 && count > 0).then_some((missing, deadline))
        });
        if let Some(headers) = self.headers.as_mut().filter(|_| count > 0) {
            headers.came();
        }
    }
}

impl Headers {
    fn came(&mut self) {
        if self.progress.bytes_came() {
            self.deadline = Some(Box::pin(sleep(self.within)));
        }
    }

    /// The deadline while headers are coming.
    fn deadline(&mut self) -> Option<&mut Pin<Box<Sleep>>> {
        if !self.progress.is_in_headers() {
            self.deadline = None;
        }
        self.deadline.as_mut()
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf)?;
        // What is there is taken even if we come late to it: a busy server must not blame its peers.
        if read.is_pending() && self.is_late(cx) {
            let late = "the peer's first bytes or headers did not come in time";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, late)));
        }
        ready!(read);
        let count = buf.filled().len() - before;
        self.came(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.written(cx, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.written(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Who is at the other end, as each request brings it along.
#[derive(Debug, Clone)]
pub struct Peer {
    /// The addresses.
    pub tcp: TcpConnectInfo,
    /// The client certificate that was shown and verified.
    pub certificate: Option<Arc<PeerCertificate>>,
}

impl Connected for Socket {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        Peer {
            tcp: TcpConnectInfo {
                local_addr: self.stream.local_addr(),
                remote_addr: Some(self.peer),
            },
            certificate: self.certificate.clone(),
        }
    }
}
