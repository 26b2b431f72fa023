//! An event's envelope as bytes: a `parloir.v1.Event` without its body. Written by hand from borrowed parts, because a
//! reader that catches up costs one envelope an event; the tests hold it against the generated code.

use bytes::{BufMut, Bytes, BytesMut};
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};

use crate::domain::{Event, Timestamp};

/// What an event says beside its body. Empty and 0 stand for absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope<'a> {
    pub event_id: &'a str,
    pub tenant: &'a str,
    pub account: &'a str,
    pub agent: &'a str,
    pub conversation_id: &'a str,
    pub session: u32,
    pub sequence: u64,
    pub owner_epoch: u64,
    pub superseded: bool,
    pub recorded_at: Timestamp,
    pub traceparent: &'a str,
}

/// Field numbers, small integers and the time take less than this; the texts come on top.
const NUMBERS: usize = 64;

impl<'a> Envelope<'a> {
    pub fn of(event: &'a Event) -> Self {
        let fact = &event.fact;
        let key = fact.key.as_ref();
        Self {
            event_id: fact.event_id.as_str(),
            tenant: fact.tenant.as_str(),
            account: key.map_or("", |key| key.account.as_str()),
            agent: fact.agent.as_str(),
            conversation_id: key.map_or("", |key| key.id.as_str()),
            session: fact.session,
            sequence: fact.sequence,
            owner_epoch: fact.owner_epoch,
            superseded: fact.superseded,
            recorded_at: event.recorded_at,
            traceparent: &fact.traceparent,
        }
    }

    /// The whole `Event`: this envelope and, behind it, an encoded body.
    pub fn with_body(&self, body: &[u8]) -> Bytes {
        let mut out = BytesMut::with_capacity(NUMBERS + self.texts() + body.len());
        put_text(&mut out, 1, self.event_id);
        put_text(&mut out, 2, self.tenant);
        put_text(&mut out, 3, self.account);
        put_text(&mut out, 4, self.agent);
        put_text(&mut out, 5, self.conversation_id);
        put_number(&mut out, 6, self.session.into());
        put_number(&mut out, 7, self.sequence);
        put_number(&mut out, 8, self.owner_epoch);
        put_number(&mut out, 9, self.superseded.into());
        put_time(&mut out, 10, self.recorded_at);
        put_text(&mut out, 11, self.traceparent);
        out.put_slice(body);
        out.freeze()
    }

    fn texts(&self) -> usize {
        self.event_id.len()
            + self.tenant.len()
            + self.account.len()
            + self.agent.len()
            + self.conversation_id.len()
            + self.traceparent.len()
    }
}

fn put_text(out: &mut BytesMut, field: u32, text: &str) {
    if !text.is_empty() {
        encode_key(field, WireType::LengthDelimited, out);
        encode_varint(text.len() as u64, out);
        out.put_slice(text.as_bytes());
    }
}

fn put_number(out: &mut BytesMut, field: u32, number: u64) {
    if number != 0 {
        encode_key(field, WireType::Varint, out);
        encode_varint(number, out);
    }
}

fn put_time(out: &mut BytesMut, field: u32, time: Timestamp) {
    let time = super::time::timestamp(time);
    // A negative int64 travels as its two's complement; nanoseconds are never negative here.
    let (seconds, nanos) = (
        time.seconds.cast_unsigned(),
        u64::from(time.nanos.cast_unsigned()),
    );
    let length = |number| match number {
        0 => 0,
        number => 1 + encoded_len_varint(number),
    };
    encode_key(field, WireType::LengthDelimited, out);
    encode_varint((length(seconds) + length(nanos)) as u64, out);
    put_number(out, 1, seconds);
    put_number(out, 2, nanos);
}

#[cfg(test)]
mod tests {
    use parloir_proto::v1;
    use proptest::prelude::*;
    use prost::Message;

    use super::*;
    use crate::wire::time::timestamp;

    fn envelope(
        texts: &[String],
        numbers: (u32, u64, u64),
        superseded: bool,
        at: i64,
    ) -> Envelope<'_> {
        Envelope {
            event_id: &texts[0],
            tenant: &texts[1],
            account: &texts[2],
            agent: &texts[3],
            conversation_id: &texts[4],
            session: numbers.0,
            sequence: numbers.1,
            owner_epoch: numbers.2,
            superseded,
            recorded_at: Timestamp(at),
            traceparent: &texts[5],
        }
    }

    fn generated(envelope: &Envelope<'_>) -> v1::Event {
        v1::Event {
            event_id: envelope.event_id.into(),
            tenant: envelope.tenant.into(),
            account: envelope.account.into(),
            agent: envelope.agent.into(),
            conversation_id: envelope.conversation_id.into(),
            session: envelope.session,
            sequence: envelope.sequence,
            owner_epoch: envelope.owner_epoch,
            superseded: envelope.superseded,
            recorded_at: Some(timestamp(envelope.recorded_at)),
            traceparent: envelope.traceparent.into(),
            body: None,
        }
    }

    proptest! {
        #[test]
        fn an_envelope_is_what_the_generated_code_writes(
            texts in prop::collection::vec(".{0,300}", 6),
            numbers: (u32, u64, u64),
            superseded: bool,
            at: i64,
        ) {
            let envelope = envelope(&texts, numbers, superseded, at);
            prop_assert_eq!(envelope.with_body(&[]), generated(&envelope).encode_to_vec());
        }
    }

    #[test]
    fn envelope_and_body_in_a_row_are_one_event() {
        let texts: Vec<_> = ["e", "t", "a", "g", "c", ""].map(String::from).into();
        let envelope = envelope(&texts, (1, 2, 3), true, 1);
        let body = Some(v1::event::Body::PlatformAlert(v1::PlatformAlert {
            name: "DOWN".into(),
            raw: "{}".into(),
        }));
        let part = v1::Event {
            body: body.clone(),
            ..v1::Event::default()
        };
        let whole = envelope.with_body(&part.encode_to_vec());
        let expected = v1::Event {
            body,
            ..generated(&envelope)
        };
        assert_eq!(v1::Event::decode(whole), Ok(expected));
    }
}
