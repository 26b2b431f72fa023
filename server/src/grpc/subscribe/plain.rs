//! A stream without a name: what the hub says, as bytes of the contract.

use std::task::{Context, Poll, ready};

use bytes::Bytes;

use super::{
    body::{Saying, Speaker},
    notice,
};
use crate::{
    domain::Clock,
    hub::{Notice, Subscription},
};

impl Speaker for Subscription {
    fn started(&self, clock: &dyn Clock) -> Bytes {
        notice::started(self, clock)
    }

    fn poll_next(&mut self, context: &mut Context<'_>, clock: &dyn Clock) -> Poll<Saying> {
        let next = ready!(Self::poll_next(self, context));
        let hub = self.hub();
        Poll::Ready(Saying::Next(match next {
            Notice::Events(bytes) => bytes,
            Notice::CaughtUp(at) => notice::caught_up(hub, at),
            Notice::FellBehind(at) => notice::fell_behind(hub, at),
            Notice::Gap { asked, resumed } => notice::gap(hub, asked, resumed),
            Notice::Checkpoint(at) => notice::checkpoint(hub, at, clock),
            Notice::GoingAway {
                resume,
                reconnect_after,
                reason,
            } => {
                let last = Saying::going_away(hub, resume, reconnect_after, reason);
                return Poll::Ready(last);
            }
            Notice::Failed(error) => return Poll::Ready(Saying::failed(hub, &error)),
        }))
    }
}
