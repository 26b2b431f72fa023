//! The bytes of an event as a stream carries them: a gRPC message around what the log stores, written once for all.
//!
//! The wire form is put together from encoded parts, so that the stored bytes are copied and never decoded.

use bytes::{Buf, Bytes};
use prost::encoding::{decode_varint, encode_varint, encoded_len_varint};

use parloir_proto::v1;
use prost::Message;

use crate::domain::{Cursor, StoredEvent};

/// gRPC's prefix of a message: not compressed, and its length in four bytes.
const PREFIX_BYTES: usize = 5;
/// `SubscribeEventsResponse.event`: field 2, length-delimited.
const RESPONSE_EVENT: u8 = 2 << 3 | 2;
/// `DeliveredEvent.event`: field 1, length-delimited.
const DELIVERED_EVENT: u8 = 1 << 3 | 2;
/// `DeliveredEvent.cursor`: field 2, length-delimited.
const DELIVERED_CURSOR: u8 = 2 << 3 | 2;

/// Appends one event with its cursor as a framed `SubscribeEventsResponse`.
pub fn append_event(into: &mut Vec<u8>, event: &StoredEvent, cursor: Cursor) {
    let cursor = cursor.encode();
    let delivered = field_bytes(event.bytes.len()) + field_bytes(cursor.len());
    append_prefix(into, field_bytes(delivered));
    append_tag(into, RESPONSE_EVENT, delivered);
    append_tag(into, DELIVERED_EVENT, event.bytes.len());
    into.extend_from_slice(&event.bytes);
    append_tag(into, DELIVERED_CURSOR, cursor.len());
    into.extend_from_slice(cursor.as_bytes());
}

/// What a named subscription says of an event beside the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handed {
    pub cursor: String,
    pub ack_id: String,
    pub attempt: u32,
    pub time_left: std::time::Duration,
}

/// Appends one event that a named subscription hands out, as a framed `SubscribeEventsResponse`.
pub fn append_handed(into: &mut Vec<u8>, event: &Bytes, handed: Handed) {
    let rest = v1::DeliveredEvent {
        event: None,
        cursor: handed.cursor,
        ack_id: handed.ack_id,
        attempt: handed.attempt,
        time_left: Some(crate::wire::time::duration(handed.time_left)),
    };
    let delivered = field_bytes(event.len()) + rest.encoded_len();
    append_prefix(into, field_bytes(delivered));
    append_tag(into, RESPONSE_EVENT, delivered);
    append_tag(into, DELIVERED_EVENT, event.len());
    into.extend_from_slice(event);
    rest.encode(into).expect("a Vec takes everything");
}

/// The stored event within its frame. The frame is one of ours; of anything else, nothing.
pub fn event_of(mut frame: Bytes) -> Bytes {
    let inner = |frame: &mut Bytes| {
        frame.try_get_u8().ok()?;
        let length = usize::try_from(decode_varint(frame).ok()?).ok()?;
        (length <= frame.len()).then_some(length)
    };
    if frame.len() < PREFIX_BYTES {
        return Bytes::new();
    }
    frame.advance(PREFIX_BYTES);
    let event = inner(&mut frame).and_then(|_| inner(&mut frame));
    event.map_or_else(Bytes::new, |length| frame.slice(..length))
}

/// Appends the prefix of a gRPC message of so many bytes.
pub fn append_prefix(into: &mut Vec<u8>, message_bytes: usize) {
    // A message of 4 GiB cannot come: a commit's memory ends long before.
    let length = u32::try_from(message_bytes).unwrap_or(u32::MAX);
    into.push(0);
    into.extend_from_slice(&length.to_be_bytes());
}

/// How many bytes the framed event has.
pub fn framed_bytes(event: &StoredEvent, cursor_bytes: usize) -> usize {
    let delivered = field_bytes(event.bytes.len()) + field_bytes(cursor_bytes);
    PREFIX_BYTES + field_bytes(delivered)
}

fn append_tag(into: &mut Vec<u8>, tag: u8, length: usize) {
    into.push(tag);
    encode_varint(length as u64, into);
}

/// Tag, length and content of a length-delimited field.
fn field_bytes(length: usize) -> usize {
    1 + encoded_len_varint(length as u64) + length
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{EventKind, Id, Position};

    #[test]
    fn a_frame_is_byte_for_byte_what_the_contract_encodes() {
        for size in [0, 1, 42, 50, 100, 127, 128, 129, 16_383, 16_384, 70_000] {
            let event = v1::Event {
                traceparent: "x".repeat(size),
                ..v1::Event::default()
            };
            let stored = StoredEvent {
                position: Position(77),
                tenant: Id::trusted("default"),
                agent: Id::trusted("bot"),
                account: None,
                conversation_id: None,
                kind: EventKind::PlatformAlert,
                bytes: event.encode_to_vec().into(),
            };
            let cursor = Cursor {
                epoch: 9,
                log_id: 0,
                position: Position(77),
            };
            let expected = v1::SubscribeEventsResponse {
                message: Some(v1::subscribe_events_response::Message::Event(
                    v1::DeliveredEvent {
                        event: Some(event),
                        cursor: cursor.encode(),
                        ..v1::DeliveredEvent::default()
                    },
                )),
            }
            .encode_to_vec();
            let mut framed = Vec::new();
            append_event(&mut framed, &stored, cursor);
            assert_eq!(framed[0], 0);
            assert_eq!(
                framed[1..5],
                u32::try_from(expected.len()).expect("small").to_be_bytes()
            );
            assert_eq!(framed[5..], expected, "{size}");
            assert_eq!(framed.len(), framed_bytes(&stored, cursor.encode().len()));
            assert_eq!(event_of(framed.into()), stored.bytes);
        }
    }

    #[test]
    fn a_handed_event_is_what_the_contract_encodes() {
        let event = v1::Event {
            traceparent: "x".repeat(200),
            ..v1::Event::default()
        };
        let bytes = Bytes::from(event.encode_to_vec());
        let mut framed = Vec::new();
        let handed = Handed {
            cursor: "cursor".to_owned(),
            ack_id: "ack".to_owned(),
            attempt: 3,
            time_left: std::time::Duration::from_millis(1500),
        };
        append_handed(&mut framed, &bytes, handed);
        let read = v1::SubscribeEventsResponse::decode(&framed[5..]).expect("a message");
        let Some(v1::subscribe_events_response::Message::Event(read)) = read.message else {
            panic!("an event");
        };
        assert_eq!((read.event, read.attempt), (Some(event), 3));
        assert_eq!(
            (read.cursor.as_str(), read.ack_id.as_str()),
            ("cursor", "ack")
        );
        assert_eq!(event_of(framed.into()), bytes);
    }
}
