//! A request's body that has to arrive in time: a peer that sends half a message, and then only signs of life, is not
//! waited for.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame};
use tokio::time::{Sleep, sleep};
use tonic::{Status, body::Body};

/// The largest request is a quarter of a megabyte: this is ample on any network that a backend calls from.
const ARRIVES_WITHIN: Duration = Duration::from_secs(10);

/// The body, until its time is over.
#[derive(Debug)]
pub(super) struct TimelyBody {
    body: Body,
    limit: Pin<Box<Sleep>>,
}

impl TimelyBody {
    pub fn new(body: Body) -> Self {
        Self {
            body,
            limit: Box::pin(sleep(ARRIVES_WITHIN)),
        }
    }
}

impl HttpBody for TimelyBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if frame.is_pending() && self.limit.as_mut().poll(context).is_ready() {
            let late = Status::deadline_exceeded("the request did not arrive in time");
            return Poll::Ready(Some(Err(late)));
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, StreamBody};
    use tokio::time::Instant;
    use tonic::Code;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn half_a_body_is_waited_for_until_its_time_is_over() {
        let half = futures_util::stream::iter([Ok::<_, Status>(Frame::data(Bytes::from("half")))]);
        let silent = futures_util::StreamExt::chain(half, futures_util::stream::pending());
        let mut body = TimelyBody::new(Body::new(StreamBody::new(silent)));
        let began = Instant::now();
        let first = body.frame().await.expect("a frame").expect("no error");
        assert_eq!(first.into_data().expect("data"), "half");
        let late = body.frame().await.expect("an end").expect_err("too late");
        assert_eq!(late.code(), Code::DeadlineExceeded);
        assert_eq!(began.elapsed(), ARRIVES_WITHIN);
    }
}
