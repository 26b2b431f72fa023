//! The outermost layer of every call: counts it, times it, answers for a panic, and corrects what tonic says wrong.

use std::{
    convert::Infallible,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
    time::Instant,
};

use futures_util::FutureExt;
use http::{HeaderMap, Request, Response, uri::Uri};
use tonic::{Code, Status, body::Body};
use tower::{Layer, Service};
use tracing::{Instrument, Span, error, error_span, field::Empty};

use super::{ended::EndedBody, methods::Methods, not_grpc, timely::TimelyBody, too_large};
use crate::{
    domain::{Id, Identity},
    metrics::Metrics,
};

/// Wraps a gRPC service in what every call needs.
#[derive(Debug, Clone)]
pub struct ObserveLayer {
    metrics: Arc<Metrics>,
    methods: Arc<Methods>,
    max_message_bytes: usize,
}

/// A gRPC service whose calls are counted and whose panics are answered.
#[derive(Debug, Clone)]
pub struct Observe<S> {
    inner: S,
    layer: ObserveLayer,
}

/// Finds its way with a request to whoever learns who calls: from then on the call is counted, and its log lines are
/// written, as that tenant's.
#[derive(Debug, Clone)]
pub(super) struct Whose(Arc<Known>);

#[derive(Debug)]
struct Known {
    tenant: OnceLock<Id>,
    span: Span,
}

impl Whose {
    /// `method` is one of the contract's.
    fn new(method: &str) -> Self {
        // Of the level that is on whenever any line is.
        let span = error_span!("call", method, tenant = Empty, caller = Empty);
        let tenant = OnceLock::new();
        Self(Arc::new(Known { tenant, span }))
    }

    /// Who calls is known now.
    pub(super) fn found(&self, identity: &Identity) {
        if self.0.tenant.set(identity.tenant.clone()).is_ok() {
            self.0.span.record("tenant", identity.tenant.as_str());
            self.0.span.record("caller", identity.caller.as_str());
        }
    }

    fn tenant(&self) -> &str {
        self.0.tenant.get().map_or("", Id::as_str)
    }
}

/// One call, counted when it ends: with a status, or given up by its caller.
#[derive(Debug)]
pub(super) struct Call {
    layer: ObserveLayer,
    uri: Uri,
    whose: Whose,
    began: Instant,
    counted: bool,
}

impl ObserveLayer {
    /// A layer for services that read messages of at most `max_message_bytes`.
    pub fn new(metrics: Arc<Metrics>, max_message_bytes: usize) -> Self {
        let methods = Arc::new(Methods::new());
        Self {
            metrics,
            methods,
            max_message_bytes,
        }
    }
}

impl<S> Layer<S> for ObserveLayer {
    type Service = Observe<S>;

    fn layer(&self, inner: S) -> Observe<S> {
        Observe {
            inner,
            layer: self.clone(),
        }
    }
}

impl<S> Service<Request<Body>> for Observe<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        // The clone may not be ready; the service that was polled is.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let whose = Whose::new(self.layer.methods.label(request.uri().path()));
        let span = whose.0.span.clone();
        request.extensions_mut().insert(whose.clone());
        let mut call = Call {
            layer: self.layer.clone(),
            uri: request.uri().clone(),
            whose,
            began: Instant::now(),
            counted: false,
        };
        if let Some(refused) = not_grpc::refusal(&request) {
            call.ended(Code::Unimplemented);
            return Box::pin(async move { Ok(refused) });
        }
        let limit = self.layer.max_message_bytes;
        // Reflection is a conversation: its caller may take the time it likes between two questions.
        let is_conversation = request.uri().path().starts_with("/grpc.reflection.");
        let request = if is_conversation {
            request
        } else {
            request.map(|body| Body::new(TimelyBody::new(body)))
        };
        let answered = async move {
            let answer = AssertUnwindSafe(async move { inner.call(request).await });
            let response = match answer.catch_unwind().await {
                Ok(Ok(response)) => too_large::corrected(response, limit),
                Ok(Err(never)) => match never {},
                Err(_) => call.panicked().into_http(),
            };
            if let Some(code) = code(response.headers()) {
                call.ended(code);
            }
            Ok(response.map(|body| Body::new(EndedBody::new(body, call))))
        };
        Box::pin(answered.instrument(span))
    }
}

impl Call {
    /// Counts the call, once.
    pub(super) fn ended(&mut self, code: Code) {
        if !std::mem::replace(&mut self.counted, true) {
            let method = self.layer.methods.label(self.uri.path());
            self.layer.metrics.rpc.ended(
                self.whose.tenant(),
                method,
                name(code),
                self.began.elapsed(),
            );
        }
    }

    /// What the caller hears of a panic. What it was about stands in the log, written by the panic hook.
    pub(super) fn panicked(&mut self) -> Status {
        let method = self.layer.methods.label(self.uri.path());
        error!(method, "a call panicked");
        self.ended(Code::Internal);
        Status::internal("internal error")
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.ended(Code::Cancelled);
    }
}

/// The status in headers or trailers, if there is one.
pub(super) fn code(headers: &HeaderMap) -> Option<Code> {
    let value = headers.get(Status::GRPC_STATUS)?;
    Some(Code::from_bytes(value.as_bytes()))
}

fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests;
