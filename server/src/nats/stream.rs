//! A stream of NATS `JetStream` as a sink.
//!
//! Each message carries an id by which the stream knows it again, and names the one that it must follow. So a page may be
//! under way at one time and yet none is stored before the one before it, whatever is lost, late or sent twice; and a server
//! that slept through its lease finds that its messages follow nothing any more.

use std::time::Duration;

use async_nats::{
    HeaderMap, HeaderValue,
    jetstream::{
        Context,
        context::{ContextBuilder, PublishAckFuture, PublishError, PublishErrorKind},
        message::PublishMessage,
    },
};
use async_trait::async_trait;

use super::Link;
use crate::sinks::{Given, Message, Target, Trouble};

/// Where and how messages are published.
#[derive(Debug, Clone)]
pub struct StreamSettings {
    pub stream: String,
    /// With `{tenant}` and `{kind}`.
    pub subject: String,
    pub ack_timeout: Duration,
}

/// Acknowledgements that the client waits for at most, beyond all that one sink could have under way.
const ACKS: usize = 1 << 17;

/// A stream.
#[derive(Debug)]
pub struct JetStream {
    link: Link,
    context: Context,
    settings: StreamSettings,
}

impl JetStream {
    pub fn new(link: Link, settings: StreamSettings) -> Self {
        let context = ContextBuilder::new()
            .timeout(settings.ack_timeout)
            .ack_timeout(settings.ack_timeout)
            // Those that were given up are counted for a while; how many may be under way is decided by who gives.
            .max_ack_inflight(ACKS)
            .backpressure_on_inflight(true)
            .build(link.client.clone());
        Self {
            link,
            context,
            settings,
        }
    }

    /// Hands all of them to the client, in order.
    async fn send(
        &self,
        messages: &[Message],
        after: Option<&str>,
        acks: &mut Vec<PublishAckFuture>,
    ) -> Result<(), PublishError> {
        let mut before = after;
        for message in messages {
            let mut sent = PublishMessage::build()
                .headers(headers(message))
                .payload(message.bytes.clone())
                .message_id(&message.id)
                .expected_stream(&self.settings.stream);
            if let Some(before) = before {
                sent = sent.expected_last_message_id(before);
            }
            before = Some(&message.id);
            let subject = subject(&self.settings.subject, message);
            acks.push(self.context.send_publish(subject, sent).await?);
        }
        Ok(())
    }

    async fn publish(
        &self,
        messages: &[Message],
        after: Option<&str>,
        stored: &mut usize,
    ) -> Option<Trouble> {
        let mut acks = Vec::with_capacity(messages.len());
        let sent = self.send(messages, after, &mut acks).await;
        for ack in acks {
            if let Err(error) = ack.await {
                return Some(self.trouble(&error));
            }
            *stored += 1;
        }
        sent.err().map(|error| self.trouble(&error))
    }

    fn trouble(&self, error: &PublishError) -> Trouble {
        let stream = &self.settings.stream;
        match error.kind() {
            PublishErrorKind::TimedOut => Trouble::Unanswered,
            PublishErrorKind::WrongLastMessageId => Trouble::Displaced,
            PublishErrorKind::BrokenPipe => Trouble::Disconnected,
            PublishErrorKind::StreamNotFound => Trouble::Refused(format!(
                "no stream takes the subject {}: make the stream {stream} with it, and let this user publish there",
                self.settings.subject
            )),
            PublishErrorKind::MaxPayloadExceeded => Trouble::Refused(
                "the event is larger than the server takes: raise its max_payload, and the stream's max_msg_size"
                    .to_owned(),
            ),
            // What the server says of it, which names none of what was sent.
            _ => Trouble::Refused(match std::error::Error::source(error) {
                Some(why) => format!("the stream {stream} did not take it: {why}"),
                None => format!("the stream {stream} did not take it: {error}"),
            }),
        }
    }
}

#[async_trait]
impl Target for JetStream {
    fn is_connected(&self) -> bool {
        self.link.is_connected()
    }

    async fn give(&self, messages: &[Message], after: Option<&str>) -> Given {
        let lost = self.link.lost();
        let mut stored = 0;
        let trouble = if self.is_connected() {
            tokio::select! {
                trouble = self.publish(messages, after, &mut stored) => trouble,
                // The acknowledgements went with it.
                () = lost => Some(Trouble::Disconnected),
            }
        } else {
            Some(Trouble::Disconnected)
        };
        Given { stored, trouble }
    }
}

fn subject(pattern: &str, message: &Message) -> String {
    pattern
        .replace("{tenant}", &message.tenant)
        .replace("{kind}", &message.kind)
}

fn headers(message: &Message) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let named = [
        ("Parloir-Event-Id", &message.event_id),
        ("Parloir-Tenant", &message.tenant),
        ("Parloir-Account", &message.account),
        ("Parloir-Conversation-Id", &message.conversation_id),
        ("Parloir-Kind", &message.kind),
    ];
    for (name, value) in named {
        // Ids hold no line breaks; one that did would stand in the event alone.
        if let Ok(value) = value.parse::<HeaderValue>()
            && !value.as_str().is_empty()
        {
            headers.insert(name, value);
        }
    }
    headers
}
