//! An event's body as bytes: a `parloir.v1.Event` in which nothing but the body is set, so that the bytes of its
//! envelope and these, one after the other, are one valid `Event`.

mod read;
mod write;

#[cfg(test)]
mod tests;

use parloir_proto::v1;
use prost::Message;

use super::Nonsense;
use crate::domain::EventBody;

pub fn encode(body: &EventBody) -> Vec<u8> {
    if let EventBody::Unread { body, .. } = body {
        return body.clone();
    }
    let event = v1::Event {
        body: write::body(body),
        ..v1::Event::default()
    };
    event.encode_to_vec()
}

/// Reads what [`encode`] wrote, or a whole `Event`, whose envelope is passed over.
pub fn decode(bytes: &[u8]) -> Result<EventBody, Nonsense> {
    let event = v1::Event::decode(bytes).map_err(|_| Nonsense("event"))?;
    read::body(event.body.ok_or(Nonsense("event.body"))?)
}
