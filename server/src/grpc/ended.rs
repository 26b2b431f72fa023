//! A response's body that tells its call how it ended, and that turns a panic into a status instead of a reset.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use tonic::{Code, Status, body::Body};

use super::observe::{Call, code};

/// The body of one call's response.
#[derive(Debug)]
pub(super) struct EndedBody {
    /// Absent once it panicked: what is left of it cannot be trusted.
    inner: Option<Body>,
    call: Call,
}

impl EndedBody {
    pub(super) fn new(inner: Body, call: Call) -> Self {
        Self {
            inner: Some(inner),
            call,
        }
    }

    fn panicked(&mut self) -> Frame<Bytes> {
        self.inner = None;
        let mut trailers = HeaderMap::new();
        // Fails only for text that no header can carry; ours is plain.
        let _ = self.call.panicked().add_header(&mut trailers);
        Frame::trailers(trailers)
    }
}

impl http_body::Body for EndedBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Some(inner) = &mut self.inner else {
            return Poll::Ready(None);
        };
        let polled = catch_unwind(AssertUnwindSafe(|| Pin::new(inner).poll_frame(cx)));
        let Ok(frame) = polled else {
            return Poll::Ready(Some(Ok(self.panicked())));
        };
        let frame = ready!(frame);
        match &frame {
            Some(Ok(frame)) => {
                if let Some(code) = frame.trailers_ref().and_then(code) {
                    self.call.ended(code);
                }
            }
            Some(Err(status)) => self.call.ended(status.code()),
            None => self.call.ended(Code::Unknown),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner
            .as_ref()
            .is_none_or(http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner
            .as_ref()
            .map_or_else(SizeHint::new, http_body::Body::size_hint)
    }
}
