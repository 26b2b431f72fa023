//! The vocabulary of the service and its rules. Imports no transport and no storage.

pub mod administration;
pub mod agent;
pub mod contact;
pub mod conversation;
pub mod cursor;
pub mod delivery;
pub mod erasure;
pub mod error;
pub mod event;
pub mod fingerprint;
pub mod hex;
pub mod human;
pub mod id;
pub mod identity;
pub mod inbound;
pub mod message;
pub mod network;
pub mod outbound;
pub mod owner;
pub mod parameter;
pub mod phrase;
pub mod ports;
pub mod query;
pub mod redact;
pub mod rendering;
pub mod request;
pub mod sink;
pub mod source;
pub mod subscription;
pub mod time;
pub mod trace;
pub mod unverified;

pub use agent::{Account, ActionFallback, ActionSettings, AgentSettings, Directory, SourceEntry};
pub use contact::KnownContact;
pub use conversation::{Conversation, ConversationKind, Session, SessionState, Visitor};
pub use cursor::{Cursor, CursorError};
pub use delivery::{
    Delivery, DeliveryKind, DeliveryState, Direction, LaneKey, Reason, Recipient, Subject,
};
pub use erasure::{ErasedConversation, Erasure, UpstreamErasure, UpstreamState};
pub use error::{Error, Result, Violation};
pub use event::{
    EndCause, Event, EventBody, EventKind, Intent, NewEvent, OpenQuestion, Position, StoredEvent,
};
pub use fingerprint::Fingerprint;
pub use id::{ConversationKey, Id, TENANT};
pub use identity::{Identity, Scope, Scopes, tenant_of};
pub use message::{
    AgentMessage, Button, ButtonKind, Card, Choice, HumanMessage, HumanMessageKind, VisitorContent,
    VisitorMessage,
};
pub use network::{AllowList, Network, Networks};
pub use outbound::{Attempt, Departure, Outbound, OutboundContent, Refusal, Sent, ToSource};
pub use owner::{Evidence, Known, Owner, OwnerChangeCause};
pub use parameter::Parameter;
pub use query::{ConversationQuery, EventQuery};
pub use rendering::{
    Rendered, ReplyOption, choice_of, options_of, parse_payload, render_agent_message,
    render_human_message, render_text, understood,
};
pub use request::{
    ActionParameter, Answer, AnsweredRequest, Question, Request, RequestDelivery, RequestKind,
    RequestOutcome,
};
pub use source::{Capabilities, SourceSettings};
pub use time::{Clock, SystemClock, Timestamp};
pub use trace::is_traceparent;
pub use unverified::Unverified;
