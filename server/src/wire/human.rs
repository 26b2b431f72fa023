//! What the human side says.

use parloir_proto::v1;

use super::{
    Nonsense,
    enums::{human_message_kind, read_human_message_kind},
    time::{duration, read_duration},
};
use crate::domain::HumanMessage;

pub fn human_message(message: &HumanMessage) -> v1::HumanMessage {
    v1::HumanMessage {
        message_id: message.message_id.clone(),
        kind: human_message_kind(message.kind).into(),
        text: message.text.clone(),
        name: message.name.clone(),
        avatar_url: message.avatar_url.clone(),
        queue_position: message.queue_position,
        waiting_time: message.waiting_time.map(duration),
        from_source: message.from_source,
        raw: message.raw.clone(),
    }
}

pub fn read_human_message(message: v1::HumanMessage) -> Result<HumanMessage, Nonsense> {
    let waiting_time = message
        .waiting_time
        .as_ref()
        .map(|time| read_duration(time).ok_or(Nonsense("human_message.waiting_time")));
    Ok(HumanMessage {
        message_id: message.message_id,
        kind: read_human_message_kind(message.kind).ok_or(Nonsense("human_message.kind"))?,
        text: message.text,
        name: message.name,
        avatar_url: message.avatar_url,
        queue_position: message.queue_position,
        waiting_time: waiting_time.transpose()?,
        from_source: message.from_source,
        raw: message.raw,
    })
}
