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

use super::{
    permissions::Permission,
    status::{lifetime_over, status},
};
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
    permission: Permission,
    key: Ended,
    certificate: Option<(CancellationToken, Ended)>,
    _open: OpenStream,
}

impl RevocableBody {
    /// `permission` is that of the method. `certificate` is told when the connection's certificate no longer counts.
    pub fn new(
        inner: Body,
        (credential, permission): (&Arc<Credential>, Permission),
        certificate: Option<CancellationToken>,
        open: OpenStream,
    ) -> Self {
        let ended = |token: CancellationToken| Box::pin(token.cancelled_owned());
        Self {
            inner: Some(inner),
            key: ended(credential.ended().clone()),
            certificate: certificate.map(|token| (token.clone(), ended(token))),
            credential: Arc::clone(credential),
            permission,
            _open: open,
        }
    }

    fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        let certificate = self.certificate.as_mut();
        self.key.as_mut().poll(cx).is_ready()
            || certificate.is_some_and(|(_, ended)| ended.as_mut().poll(cx).is_ready())
    }

    /// As [`Self::is_over`], of flags that cost nothing while events flow; nobody is woken.
    fn is_known_over(&self) -> bool {
        let certificate = self.certificate.as_ref();
        self.credential.is_over() || certificate.is_some_and(|(token, _)| token.is_cancelled())
    }

    /// Whose credentials may do less than before learns that, and not that they are wrong.
    fn why(&self) -> Status {
        let Some(left) = self.credential.left() else {
            return status(&Error::CredentialsInvalid, 0);
        };
        match self.permission.missing(left) {
            Some(needed) => status(&Error::ScopeMissing { needed }, 0),
            // What it shows may depend on what was taken away; a new one shows what is still allowed.
            None => lifetime_over(),
        }
    }

    fn end(&mut self) -> Frame<Bytes> {
        // Gives the stream's place at the hub back.
        self.inner = None;
        let mut trailers = HeaderMap::new();
        // Fails only for text that no header can carry; ours is plain.
        let _ = self.why().add_header(&mut trailers);
        let identity = &self.credential.identity;
        tracing::info!(tenant = %identity.tenant, caller = %identity.caller, credential = %identity.credential,
            "a stream ended: its credentials no longer count, or not for as much");
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
        if this.inner.is_some() && this.is_known_over() {
            return Poll::Ready(Some(Ok(this.end())));
        }
        let Some(inner) = &mut this.inner else {
            return Poll::Ready(None);
        };
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

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, StreamBody};

    use super::*;
    use crate::{access::Callers, domain::SystemClock};

    #[tokio::test]
    async fn a_stream_that_never_rests_ends_with_its_certificate_too() {
        let frames = std::iter::repeat_with(|| Ok::<_, Status>(Frame::data(Bytes::from("event"))));
        let busy = Body::new(StreamBody::new(futures_util::stream::iter(frames)));
        let callers = Callers::open(Arc::new(SystemClock));
        let credential = callers.without_credentials().expect("everybody");
        let certificate = CancellationToken::new();
        let ends = Some(certificate.clone());
        let whose = (&credential, Permission::AnyCaller);
        let mut body = RevocableBody::new(busy, whose, ends, OpenStream::default());
        let flows = body.frame().await.expect("a frame").expect("no error");
        assert!(flows.is_data());
        certificate.cancel();
        let last = body.frame().await.expect("a frame").expect("no error");
        let status = Status::from_header_map(last.trailers_ref().expect("trailers"));
        assert_eq!(
            status.expect("a status").code(),
            tonic::Code::Unauthenticated
        );
        assert!(body.frame().await.is_none());
    }
}
