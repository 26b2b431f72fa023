//! The one error enum, in the caller's words. What a transport makes of it is the transport's mapping.

use std::time::Duration;

use super::{administration::ActRefused, event::Position, id::Id, identity::Scope};

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call is refused or cannot be carried out. No variant carries a secret or a visitor's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A field is missing or malformed.
    #[error("{}", violations(.0))]
    Invalid(Vec<Violation>),
    /// What the call names is not there.
    #[error("{kind} {name:?} is not known")]
    NotFound { kind: &'static str, name: String },
    /// An idempotency key came again with other content.
    #[error("{field} was used before with other content: use a new one for a new command")]
    KeyReused { field: &'static str },
    /// The agent's platform refused the request.
    #[error("the agent's platform refused the request: {detail}")]
    AgentRejected { detail: String },
    /// The agent's platform refused our credentials.
    #[error(
        "the platform refused the credentials of agent {agent:?}: check its api_key and that it is assigned to the bot"
    )]
    AgentCredentialsRejected { agent: Id },
    /// The agent's platform knows no such agent.
    #[error("the platform knows no agent with the bot id of {agent:?}: check bot_id and base_url")]
    AgentNotFoundUpstream { agent: Id },
    /// The delivery failed for another reason.
    #[error("the message could not be delivered: {reason}")]
    NotDelivered { reason: &'static str },
    /// Another account's conversation has this id at the agent's platform.
    #[error(
        "conversation id is taken by another account of agent {agent:?}: set upstream_prefix for one of the accounts"
    )]
    UpstreamIdTaken { agent: Id },
    /// The session is not the expected one.
    #[error("the latest session is {actual}, not {expected}")]
    SessionMoved { expected: u32, actual: u32 },
    /// The owner epoch is not the expected one.
    #[error("the owner epoch is {actual}, not {expected}")]
    OwnerEpochMoved { expected: u64, actual: u64 },
    /// Only a human who owns the conversation may do that.
    #[error(
        "no human owns the conversation: hand it over first, by TransferConversation or an accepted escalation"
    )]
    NotOwner,
    /// Words before joining, in the platform's widget.
    #[error(
        "no human has joined: send `joined` first, or set human_must_join = false for the agent"
    )]
    HumanNotJoined,
    /// The conversation exists and is of another kind.
    #[error(
        "the conversation is of another kind: leave `kind` out, or take another conversation_id"
    )]
    OtherKind,
    /// Another visitor has the conversation.
    #[error("another contact has that conversation: choose another conversation_id")]
    ContactTaken,
    /// The log no longer holds what comes after the cursor.
    #[error(
        "the log no longer holds what comes after this cursor: start at the first available one, or earlier data is lost to this reader"
    )]
    CursorExpired { first_available: Position },
    /// The cursor belongs to another database.
    #[error("this cursor belongs to another database: start anew with a position or a time")]
    CursorUnknown,
    /// A named subscription was created with another filter.
    #[error(
        "subscription {name:?} was created with another filter: leave `filter` out, or take another name"
    )]
    SubscriptionDiffers { name: Id },
    /// There is a named subscription of this name.
    #[error("there is subscription {name:?} already: choose another name")]
    SubscriptionExists { name: Id },
    /// The agent's queue is full.
    #[error("agent {agent:?} has max_queued = {limit} deliveries waiting: try again later")]
    QueueFull { agent: Id, limit: usize },
    /// A limit of ours is reached.
    #[error("{setting} = {limit} is reached: try again later")]
    Limit { setting: &'static str, limit: usize },
    /// An act of an administrator is refused.
    #[error(transparent)]
    Act(#[from] ActRefused),
    /// A caller, or its tenant, asks for more than it may.
    #[error("{setting} = {limit} is used up: try again later")]
    Limited {
        setting: &'static str,
        limit: u32,
        retry_after: Duration,
    },
    /// The call shows no credentials, and they are needed.
    #[error(
        "this server asks who calls: send `authorization: Bearer` and a key of a caller, or show a client certificate"
    )]
    CredentialsMissing,
    /// What the call shows does not count. Why it does not is told to nobody but the log.
    #[error("the credentials do not count: ask whoever runs the server for a key that does")]
    CredentialsInvalid,
    /// The caller may not do that.
    #[error("the caller has not the scope that this needs: {}", scopes(needed))]
    ScopeMissing { needed: &'static [Scope] },
    /// Nobody may call that.
    #[error("this method is opened to nobody")]
    MethodClosed,
    /// The store cannot write now.
    #[error("the store cannot be reached now: repeat the call with the same key")]
    StoreUnavailable,
    /// The disk is full.
    #[error("the disk of the store is full: repeat the call with the same key once there is space")]
    StoreFull,
    /// The server is stopping.
    #[error("the server is stopping: repeat the call at another one, or here once it is back")]
    Stopping,
    /// This version cannot do that.
    #[error("{0}")]
    Unsupported(&'static str),
    /// A fault of ours. The details are in the server's log.
    #[error("internal error")]
    Internal,
}

/// One field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The exact path, for example `parameters[2].key`.
    pub field: String,
    /// What is wrong and how to mend it.
    pub description: String,
}

impl Error {
    /// One field is wrong.
    pub fn invalid(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self::Invalid(vec![Violation {
            field: field.into(),
            description: description.into(),
        }])
    }

    /// OK if nothing is wrong.
    pub fn none_of(violations: Vec<Violation>) -> Result<()> {
        if violations.is_empty() {
            return Ok(());
        }
        Err(Self::Invalid(violations))
    }

    pub fn not_found(kind: &'static str, name: impl std::fmt::Display) -> Self {
        Self::NotFound {
            kind,
            name: name.to_string(),
        }
    }
}

/// One of these is enough.
pub(crate) fn scopes(needed: &[Scope]) -> String {
    let names: Vec<_> = needed.iter().map(|scope| scope.name()).collect();
    names.join(" or ")
}

fn violations(violations: &[Violation]) -> String {
    let each: Vec<_> = violations
        .iter()
        .map(|v| format!("{}: {}", v.field, v.description))
        .collect();
    each.join("; ")
}
