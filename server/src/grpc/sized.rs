//! A request's body that may have so many bytes: what one caller or one tenant may send, below what the server takes.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame};
use tonic::{Status, body::Body};

use super::too_large;

/// What gRPC puts before each message: a flag and a length.
const PREFIX_BYTES: usize = 5;

/// The body, until it is too long.
pub(super) struct SizedBody {
    body: Body,
    left: usize,
    limit: usize,
    setting: &'static str,
    told: Box<dyn Fn() + Send>,
}

impl SizedBody {
    /// `told` is called when the body is too long.
    pub fn new(body: Body, limit: u32, setting: &'static str, told: Box<dyn Fn() + Send>) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Self {
            body,
            left: limit.saturating_add(PREFIX_BYTES),
            limit,
            setting,
            told,
        }
    }
}

impl HttpBody for SizedBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &frame
            && let Some(data) = frame.data_ref()
        {
            let Some(left) = self.left.checked_sub(data.len()) else {
                (self.told)();
                let refusal = too_large::refusal_of(self.setting, self.limit);
                return Poll::Ready(Some(Err(refusal)));
            };
            self.left = left;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}
