//! The body of a stream that ends when the credentials that opened it no longer count.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::{Status, body::Body};

use super::status::status;
use crate::{
    access::{Credential, OpenStream},
    domain::Error,
};

type Ended = Pin<Box<WaitForCancellationFutureOwned>>;

/// A stream's body, as long as its credentials count. Takes the stream's place in the count along.
pub(super) struct RevocableBody {
    /// Absent once it was ended.
    inner: Option<Body>,
    credential: Arc<Credential>,
    key: Ended,
    certificate: Option<Ended>,
    _open: OpenStream,
}

impl RevocableBody {
    /// `certificate` is told when the connection's certificate no longer counts.
    pub fn new(
        inner: Body,
        credential: &Arc<Credential>,
        certificate: Option<CancellationToken>,
        open: OpenStream,
    ) -> Self {
        let ended = |token: CancellationToken| Box::pin(token.cancelled_owned());
        Self {
            inner: Some(inner),
            key: ended(credential.ended().clone()),
            certificate: certificate.map(ended),
            credential: Arc::clone(credential),
            _open: open,
        }
    }

    fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        let certificate = self.certificate.as_mut();
        self.key.as_mut().poll(cx).is_ready()
            || certificate.is_some_and(|ended| ended.as_mut().poll(cx).is_ready())
    }

    fn end(&mut self) -> Frame<Bytes> {
        // Gives the stream's place at the hub back.
        self.inner = None;
        let mut trailers = HeaderMap::new();
        // Fails only for text that no header can carry; ours is plain.
        let _ = status(&Error::CredentialsInvalid, 0).add_header(&mut trailers);
        let identity = &self.credential.identity;
        tracing::info!(tenant = %identity.tenant, caller = %identity.caller, credential = %identity.credential,
            "a stream ended: its credentials no longer count");
        Frame::trailers(trailers)
    }
}

impl HttpBody for RevocableBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        let Some(inner) = &mut this.inner else {
            return Poll::Ready(None);
        };
        // A flag that costs nothing while events flow; who waits is woken.
        if this.credential.is_over() {
            return Poll::Ready(Some(Ok(this.end())));
        }
        let frame = Pin::new(inner).poll_frame(cx);
        if frame.is_pending() && this.is_over(cx) {
            return Poll::Ready(Some(Ok(this.end())));
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::new()
    }
}
