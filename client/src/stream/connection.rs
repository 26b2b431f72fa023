//! One opened stream, and the watch over its silence.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::{FutureExt, Stream, future::BoxFuture};
use parloir_proto::v1::{
    Started, SubscribeEventsRequest, SubscribeEventsResponse, subscribe_events_response::Message,
};
use tokio::time::{Instant, Sleep, sleep};
use tonic::{Response, Status, Streaming};

use crate::{Client, Error, pool::Lease};

/// How long the server may take to open a stream: its first message does not wait for anything.
const OPENING: Duration = Duration::from_secs(10);

pub(super) struct Connection {
    client: Client,
    lease: Lease,
    phase: Phase,
    /// The longest silence that is borne.
    patience: Duration,
    watchdog: Pin<Box<Sleep>>,
    started: Option<Instant>,
}

enum Phase {
    Opening(BoxFuture<'static, Result<Response<Streaming<SubscribeEventsResponse>>, Status>>),
    Open(Box<Streaming<SubscribeEventsResponse>>),
}

/// A stream that came to its end.
pub(super) struct Broken {
    pub(super) error: Error,
    /// How long it had been of use.
    pub(super) lived: Duration,
}

impl Connection {
    pub(super) fn open(client: &Client, request: SubscribeEventsRequest) -> Self {
        let lease = client.pool().lease();
        let mut calls = client.calls_on(&lease);
        Self {
            client: client.clone(),
            lease,
            phase: Phase::Opening(async move { calls.subscribe_events(request).await }.boxed()),
            patience: OPENING,
            watchdog: Box::pin(sleep(OPENING)),
            started: None,
        }
    }

    /// The next message, or how the stream ended. Not to be asked again after that.
    pub(super) fn poll_message(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Message, Broken>> {
        // What has arrived comes first: a reader that was busy for long has a watchdog that ran out meanwhile.
        match self.poll_arrived(context) {
            Poll::Ready(Ok(message)) => Poll::Ready(Ok(message)),
            Poll::Ready(Err(error)) => Poll::Ready(Err(self.broken(error))),
            Poll::Pending => {
                ready!(self.watchdog.as_mut().poll(context));
                self.client.pool().abandon(&self.lease);
                let error =
                    Error::unavailable(format!("the server was silent for {:?}", self.patience));
                Poll::Ready(Err(self.broken(error)))
            }
        }
    }

    fn poll_arrived(&mut self, context: &mut Context<'_>) -> Poll<Result<Message, Error>> {
        loop {
            match &mut self.phase {
                Phase::Opening(opening) => {
                    let response = ready!(opening.as_mut().poll(context))?;
                    self.phase = Phase::Open(Box::new(response.into_inner()));
                }
                Phase::Open(messages) => {
                    let Some(response) = ready!(Pin::new(&mut **messages).poll_next(context))
                    else {
                        return Poll::Ready(Err(Error::unavailable("the server ended the stream")));
                    };
                    // A kind of message that this version does not know is still a sign of life.
                    if let Some(message) = self.note(response?.message) {
                        return Poll::Ready(Ok(message));
                    }
                }
            }
        }
    }

    fn note(&mut self, message: Option<Message>) -> Option<Message> {
        if let Some(Message::Started(started)) = &message {
            self.started = Some(Instant::now());
            self.patience = patience(started).unwrap_or(self.patience);
        }
        self.watchdog.as_mut().reset(Instant::now() + self.patience);
        message
    }

    fn broken(&self, error: Error) -> Broken {
        Broken {
            error,
            lived: self
                .started
                .map(|since| since.elapsed())
                .unwrap_or_default(),
        }
    }
}

/// Twice the announced heartbeat: one may be late, two mean that the connection is dead.
fn patience(started: &Started) -> Option<Duration> {
    let heartbeat: Duration = started.heartbeat?.try_into().ok()?;
    (!heartbeat.is_zero()).then(|| heartbeat.saturating_mul(2))
}
