//! What is posted to the platform: the endpoint that takes a content, and its body, exactly as the reference says.

use std::time::Duration;

use serde::Serialize;

use super::{
    config::MetadataField,
    wire::{SessionParameter, session_parameters},
};
use crate::domain::{
    HumanMessage, HumanMessageKind,
    outbound::{Outbound, OutboundContent},
};

/// Where tickets are said to come from. It stands for every custom integration.
const TICKET_PLATFORM: &str = "PUBLIC_API";
const SECONDS_PER_MINUTE: u64 = 60;

/// The path below the base URL that takes this content.
pub(super) fn path(content: &OutboundContent) -> &'static str {
    match content {
        OutboundContent::Start { .. }
        | OutboundContent::Message { .. }
        | OutboundContent::Parameters { .. }
        | OutboundContent::End => "/converse/chat",
        OutboundContent::Ticket { .. } => "/converse/ticket",
        OutboundContent::Human(_) => "/agent/converse/send-message-to-widget",
    }
}

/// The body of a request. What is absent is left out, never null.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct Body<'a> {
    platform_conversation_id: &'a str,
    /// A ticket has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    event_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    card_index: Option<u32>,
    /// Of a ticket.
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<&'static str>,
    /// Of a human: the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_avatar: Option<&'a str>,
    /// A number as text, as the platform wants it.
    #[serde(skip_serializing_if = "Option::is_none")]
    queue_position: Option<String>,
    /// Minutes, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta_data: Option<Vec<SessionParameter<'a>>>,
    /// The other spelling; never both in one request.
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Vec<SessionParameter<'a>>>,
}

impl<'a> Body<'a> {
    pub(super) fn new(outbound: &'a Outbound, field: MetadataField) -> Self {
        let mut body = Self::of(&outbound.content);
        body.platform_conversation_id = &outbound.upstream_id;
        let parameters = outbound.content.parameters();
        let parameters = (!parameters.is_empty()).then(|| session_parameters(parameters));
        match field {
            MetadataField::MetaData => body.meta_data = parameters,
            MetadataField::Metadata => body.metadata = parameters,
        }
        body
    }

    fn of(content: &'a OutboundContent) -> Self {
        match content {
            OutboundContent::Start { .. } => Self::event("startSession"),
            OutboundContent::Message {
                text, card_index, ..
            } => Self {
                text: Some(text),
                card_index: *card_index,
                ..Self::event("message")
            },
            OutboundContent::Parameters { .. } => Self::event("metadata"),
            OutboundContent::End => Self::event("endSession"),
            OutboundContent::Ticket { text, .. } => Self {
                text: Some(text),
                platform: Some(TICKET_PLATFORM),
                ..Self::default()
            },
            OutboundContent::Human(message) => Self::of_human(message),
        }
    }

    fn of_human(message: &'a HumanMessage) -> Self {
        let given = |text: &'a String| Some(text.as_str()).filter(|text| !text.is_empty());
        match message.kind {
            HumanMessageKind::Text => Self {
                text: Some(&message.text),
                ..Self::event("message")
            },
            HumanMessageKind::Joined => Self {
                agent: given(&message.name),
                agent_avatar: given(&message.avatar_url),
                ..Self::event("escalationSuccess")
            },
            HumanMessageKind::Queue => Self {
                queue_position: message.queue_position.map(|place| place.to_string()),
                waiting_time: message.waiting_time.map(|time| minutes(time).to_string()),
                ..Self::event("escalationQueueUpdate")
            },
            HumanMessageKind::Left => Self::event("agentDisconnect"),
            HumanMessageKind::Failed => Self::event("escalationFailed"),
        }
    }

    fn event(event_type: &'static str) -> Self {
        Self {
            event_type: Some(event_type),
            ..Self::default()
        }
    }
}

/// Whole minutes, rounded up: who is told a time must not wait longer.
fn minutes(time: Duration) -> u64 {
    let begun = u64::from(time.subsec_nanos() > 0);
    time.as_secs()
        .saturating_add(begun)
        .div_ceil(SECONDS_PER_MINUTE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiting_time_is_rounded_up_to_minutes() {
        for (time, expected) in [
            (Duration::ZERO, 0),
            (Duration::from_nanos(1), 1),
            (Duration::from_mins(1), 1),
            (Duration::from_millis(60_001), 2),
            (Duration::MAX, u64::MAX / 60 + 1),
        ] {
            assert_eq!(minutes(time), expected, "{time:?}");
        }
    }
}
