//! What a unit of work knows of the process that runs it.

use std::sync::Arc;

use crate::{
    domain::{Conversation, Directory, SourceEntry},
    waiters::Waiters,
};

/// Cheap to clone: every unit has one.
#[derive(Debug, Clone)]
pub struct Desk {
    /// Who waits here.
    pub waiters: Arc<Waiters>,
    /// What is configured.
    pub directory: Arc<Directory>,
}

impl Desk {
    /// The source that brings the conversation's visitor, if it is still configured.
    pub fn source_of(&self, conversation: &Conversation) -> Option<&Arc<SourceEntry>> {
        self.directory
            .source(conversation.source.as_ref()?.as_str())
    }
}
