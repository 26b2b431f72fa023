//! A connection that fails unless its first bytes come in time, and that remembers when each request began.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Sleep, sleep},
};
use tonic::transport::server::{Connected, TcpConnectInfo};

use super::gate::Admission;

/// An accepted connection with its place in the count.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
    peer: SocketAddr,
    /// Bytes that are still missing of the first ones, and the moment by which they must be there.
    awaited: Option<(usize, Pin<Box<Sleep>>)>,
    start: RequestStart,
    answered: bool,
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

/// When the first byte of the latest request on a connection came.
#[derive(Debug, Clone)]
pub struct RequestStart {
    accepted: Instant,
    /// Microseconds after `accepted`.
    began: Arc<AtomicU64>,
}

impl Socket {
    pub(super) fn new(
        stream: TcpStream,
        peer: SocketAddr,
        first: Option<FirstBytes>,
        admission: Admission,
    ) -> Self {
        Self {
            stream,
            peer,
            awaited: first.map(|first| (first.count, Box::pin(sleep(first.within)))),
            start: RequestStart {
                accepted: Instant::now(),
                began: Arc::default(),
            },
            answered: true,
            _admission: admission,
        }
    }

    /// Where the peer is.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// A view of when the latest request began, good for as long as the connection serves one request at a time.
    pub fn request_start(&self) -> RequestStart {
        self.start.clone()
    }

    /// Notes `count` bytes that came.
    fn came(&mut self, count: usize) {
        self.awaited = self.awaited.take().and_then(|(missing, deadline)| {
            let missing = missing.saturating_sub(count);
            (missing > 0 && count > 0).then_some((missing, deadline))
        });
        if self.answered && count > 0 {
            self.answered = false;
            self.start.set();
        }
    }
}

impl RequestStart {
    /// The moment.
    pub fn get(&self) -> Instant {
        self.accepted + Duration::from_micros(self.began.load(Ordering::Relaxed))
    }

    fn set(&self) {
        let micros = u64::try_from(self.accepted.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.began.store(micros, Ordering::Relaxed);
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some((_, deadline)) = &mut self.awaited
            && deadline.as_mut().poll(cx).is_ready()
        {
            let late = "the peer's first bytes did not come in time";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, late)));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
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
        self.answered = true;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.answered = true;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
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

impl Connected for Socket {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        TcpConnectInfo {
            local_addr: self.stream.local_addr().ok(),
            remote_addr: Some(self.peer),
        }
    }
}
