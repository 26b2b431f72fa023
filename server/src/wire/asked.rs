//! The handle of a question, read from the bytes of its event.

use parloir_proto::v1::{self, event::Body};
use prost::Message;

use super::time::read_timestamp;
use crate::domain::{Id, Timestamp};

/// Which request waits for an answer, and until when. `None` where nobody waits.
pub fn open_question(event: &[u8]) -> Option<(Id, Timestamp)> {
    let event = v1::Event::decode(event).ok()?;
    let (request_id, respond_by) = match event.body? {
        Body::ActionRequested(asked) => (asked.request_id, asked.respond_by),
        Body::EscalationRequested(asked) => (asked.request_id, asked.respond_by),
        Body::AvailabilityRequested(asked) => (asked.request_id, asked.respond_by),
        _ => return None,
    };
    let respond_by = read_timestamp(&respond_by?)?;
    (!request_id.is_empty()).then(|| (Id::trusted(request_id), respond_by))
}
