//! The use cases: what callers and platforms may do to a conversation, each in its own file, in the order of a
//! conversation's life.

pub mod commands;

pub use commands::{
    Availability, Caller, EndConversation, Ended, Respond, Responded, SendMessage, SentMessage,
    SetAvailability, StartConversation, Started, Transfer, Transferred, UpdateParameters, Updated,
};
