//! The stable words by which programs tell errors apart. `docs/errors.md` lists them for callers.

use crate::domain::Error;

/// The domain of every `google.rpc.ErrorInfo` of ours.
pub const DOMAIN: &str = "parloir";

/// Why a stream ends that lived as long as it was announced to: no error of a call, so it has no other place.
pub const STREAM_LIFETIME: &str = "STREAM_LIFETIME";

/// Why a member's stream ends whose place a newer one has taken.
pub const STREAM_REPLACED: &str = "STREAM_REPLACED";

/// The `reason` of an error: ASCII, `UPPER_SNAKE`, never changed once released.
pub fn reason(error: &Error) -> &'static str {
    match error {
        Error::Invalid(_) => "INVALID_FIELD",
        Error::NotFound { kind, .. } => not_found(kind),
        Error::KeyReused { .. } => "IDEMPOTENCY_KEY_REUSED",
        Error::AgentRejected { .. } => "AGENT_REJECTED",
        Error::AgentCredentialsRejected { .. } => "AGENT_CREDENTIALS_REJECTED",
        Error::AgentNotFoundUpstream { .. } => "AGENT_NOT_FOUND_UPSTREAM",
        Error::NotDelivered { reason } => reason,
        Error::UpstreamIdTaken { .. } => "UPSTREAM_ID_TAKEN",
        Error::SessionMoved { .. } => "SESSION_MOVED",
        Error::OwnerEpochMoved { .. } => "OWNER_EPOCH_MOVED",
        Error::NotOwner => "NOT_OWNER",
        Error::HumanNotJoined => "HUMAN_NOT_JOINED",
        Error::OtherKind => "OTHER_KIND",
        Error::ContactTaken => "CONTACT_TAKEN",
        Error::CursorExpired { .. } => "CURSOR_EXPIRED",
        Error::CursorUnknown => "CURSOR_UNKNOWN",
        Error::SubscriptionDiffers { .. } => "SUBSCRIPTION_DIFFERS",
        Error::SubscriptionExists { .. } => "NAME_TAKEN",
        Error::QueueFull { .. } => "QUEUE_FULL",
        Error::CredentialsMissing => "CREDENTIALS_MISSING",
        Error::CredentialsInvalid => "CREDENTIALS_INVALID",
        Error::ScopeMissing { .. } => "SCOPE_MISSING",
        Error::MethodClosed => "METHOD_CLOSED",
        Error::Limit { .. } | Error::Limited { .. } => "LIMIT_REACHED",
        Error::Act(refused) => refused.reason(),
        Error::StoreUnavailable => "STORE_UNAVAILABLE",
        Error::StoreFull => "STORE_FULL",
        Error::Stopping => "SERVER_STOPPING",
        Error::Unsupported(_) => "UNSUPPORTED",
        Error::Internal => "INTERNAL",
    }
}

/// One word per kind of thing, so that a program need not read the message.
fn not_found(kind: &str) -> &'static str {
    match kind {
        "account" => "ACCOUNT_NOT_FOUND",
        "agent" => "AGENT_NOT_FOUND",
        "conversation" => "CONVERSATION_NOT_FOUND",
        "request" => "REQUEST_NOT_FOUND",
        "erasure" => "ERASURE_NOT_FOUND",
        "source" => "SOURCE_NOT_FOUND",
        "subscription" => "SUBSCRIPTION_NOT_FOUND",
        "caller" => "CALLER_NOT_FOUND",
        "key" => "KEY_NOT_FOUND",
        "contact" => "CONTACT_NOT_FOUND",
        "message" | "agent message" => "MESSAGE_NOT_FOUND",
        _ => "NOT_FOUND",
    }
}
