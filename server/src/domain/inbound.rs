//! What comes in from an agent's platform, told in our words.

use super::{event::Intent, message::AgentMessage, request::Question, unverified::Unverified};

/// A webhook as it arrived: nothing in it is trusted before the agent's adapter has verified it.
#[derive(Clone)]
pub struct Webhook {
    pub method: http::Method,
    pub headers: http::HeaderMap,
    /// The path behind `/webhooks/{agent}` or `/sources/{source}`, without the leading slash; often empty.
    pub path: String,
    /// The query string without the question mark.
    pub query: String,
    pub body: bytes::Bytes,
}

/// Sizes and header names only: values may be secrets, the body a visitor's words.
impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook")
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// A verified and decoded webhook.
#[derive(Debug, Clone, PartialEq)]
pub struct Inbound {
    /// The id by which the platform knows the conversation; absent where the event belongs to none.
    pub upstream_id: Option<String>,
    /// The platform's own id of the conversation, where it names one: what it erases by.
    pub internal_id: Option<String>,
    /// The platform's own id of the event, where it has one: what duplicates are removed by.
    pub platform_event_id: Option<String>,
    pub body: InboundBody,
}

/// What the platform says or asks.
#[derive(Clone, PartialEq)]
pub enum InboundBody {
    Message(AgentMessage),
    /// It asks, and waits for an answer.
    Question(Question),
    /// The platform's own widget wants a human; it does not wait.
    WidgetEscalation {
        target: String,
        raw: String,
    },
    /// A visitor speaks to the human through the platform's own widget.
    WidgetMessage {
        text: String,
        raw: String,
    },
    /// A visitor closed the platform's own widget.
    WidgetEnd,
    Ticket {
        text: String,
        intents: Vec<Intent>,
        attachments: Vec<String>,
        raw: String,
    },
    Alert {
        name: String,
        raw: String,
    },
    Unknown {
        event_type: String,
        raw: String,
    },
}

/// The kind only: the rest may be a visitor's words.
impl std::fmt::Debug for InboundBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Question(question) => return std::fmt::Debug::fmt(question, f),
            Self::Message(_) => "Message",
            Self::WidgetEscalation { .. } => "WidgetEscalation",
            Self::WidgetMessage { .. } => "WidgetMessage",
            Self::WidgetEnd => "WidgetEnd",
            Self::Ticket { .. } => "Ticket",
            Self::Alert { .. } => "Alert",
            Self::Unknown { .. } => "Unknown",
        })
    }
}

/// Why a webhook was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookRefusal {
    /// It does not verify: 401, and nothing of it was parsed.
    Unverified(Unverified),
    /// It is not what the platform sends: 400.
    Malformed,
    /// It names another agent than its URL: 404, or 200 by setting.
    UnknownAgent { acknowledge: bool },
}

impl WebhookRefusal {
    /// It does not verify, whatever the reason.
    pub fn is_unverified(&self) -> bool {
        matches!(self, Self::Unverified(_))
    }
}

impl std::fmt::Display for WebhookRefusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unverified(unverified) => write!(f, "{unverified}"),
            Self::Malformed => f.write_str("it is not what the platform sends"),
            Self::UnknownAgent { .. } => f.write_str("it names another agent's id"),
        }
    }
}

impl From<Unverified> for WebhookRefusal {
    fn from(unverified: Unverified) -> Self {
        Self::Unverified(unverified)
    }
}

/// What a webhook is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookReply {
    pub status: http::StatusCode,
    /// The body's type; without meaning where that is empty.
    pub content_type: &'static str,
    pub body: bytes::Bytes,
}

impl WebhookReply {
    /// 200 with nothing in it: taken.
    pub fn ok() -> Self {
        Self::status(http::StatusCode::OK)
    }

    /// A status with nothing in it.
    pub fn status(status: http::StatusCode) -> Self {
        Self {
            status,
            content_type: "application/json",
            body: bytes::Bytes::new(),
        }
    }

    /// JSON.
    pub fn json(status: http::StatusCode, body: impl Into<bytes::Bytes>) -> Self {
        Self {
            body: body.into(),
            ..Self::status(status)
        }
    }

    /// Text, as it is.
    pub fn text(status: http::StatusCode, body: impl Into<bytes::Bytes>) -> Self {
        Self {
            content_type: "text/plain; charset=utf-8",
            body: body.into(),
            ..Self::status(status)
        }
    }
}
