//! What the record holds of one request and of one webhook.

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::Value;
use tokio::time::Instant;

/// A request that came in.
#[derive(Clone, Debug)]
pub struct SeenRequest {
    /// In order of arrival, from 0.
    pub number: usize,
    pub method: Method,
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// When its head had arrived.
    pub started: Instant,
    /// When its answer was ready, or its sender had hung up. Absent: still open.
    pub ended: Option<Instant>,
    /// Absent: still open, reset, or never answered.
    pub status: Option<u16>,
}

impl SeenRequest {
    /// The value of a header, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body; null if it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub fn event_type(&self) -> Option<String> {
        self.string("eventType")
    }

    pub fn conversation_id(&self) -> Option<String> {
        self.string("platformConversationId")
    }

    pub fn text(&self) -> Option<String> {
        self.string("text")
    }

    /// Whether both were open at one moment.
    pub fn overlaps(&self, other: &Self) -> bool {
        let before = |a: &Self, b: &Self| a.ended.is_some_and(|ended| ended <= b.started);
        !before(self, other) && !before(other, self)
    }

    fn string(&self, key: &str) -> Option<String> {
        self.json().get(key)?.as_str().map(str::to_owned)
    }
}

/// A webhook that went out, with its answer.
#[derive(Clone, Debug)]
pub struct SentWebhook {
    /// In order of their answers, from 0.
    pub number: usize,
    pub bot_id: String,
    /// Absent for an availability check, whose payload names none.
    pub conversation_id: Option<String>,
    /// The event type, `action`, or `ticket`.
    pub event: String,
    /// Without the token, if one is sent in it.
    pub url: String,
    pub body: Value,
    pub started: Instant,
    pub ended: Instant,
    pub answer: WebhookAnswer,
}

/// What a webhook was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebhookAnswer {
    /// A status and the first bytes of the body.
    Answered { status: u16, body: Bytes },
    /// No answer, and why.
    Failed(String),
}

impl WebhookAnswer {
    /// 200 means handled; everything else means failed.
    pub fn is_ok(&self) -> bool {
        matches!(self, Self::Answered { status: 200, .. })
    }

    /// The JSON of a 200; an empty body is null. Absent: failed, or not JSON.
    pub(in crate::simulate) fn json(&self) -> Option<Value> {
        match self {
            Self::Answered { status: 200, body } if body.is_empty() => Some(Value::Null),
            Self::Answered { status: 200, body } => serde_json::from_slice(body).ok(),
            _ => None,
        }
    }
}

impl SentWebhook {
    /// The text of a bot's message or of its reply to a ticket, or what the visitor said in the widget.
    pub fn text(&self) -> Option<&str> {
        let within = self.body.get("data").unwrap_or(&self.body);
        within.get("text")?.as_str()
    }
}
