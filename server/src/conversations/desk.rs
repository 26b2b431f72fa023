//! What a unit of work knows of the process that runs it.

use std::sync::Arc;

use crate::{
    domain::{Conversation, Directory, SourceEntry},
    live::Live,
    waiters::Waiters,
};

/// Cheap to clone: every unit has one.
#[derive(Debug, Clone)]
pub struct Desk {
    /// Who waits here.
    pub waiters: Arc<Waiters>,
    /// What is configured.
    pub live: Arc<Live>,
}

impl Desk {
    /// The source that brings the conversation's visitor, if it is still configured.
    pub fn source_of(&self, conversation: &Conversation) -> Option<Arc<SourceEntry>> {
        let source = conversation.source.as_ref()?;
        self.directory().source(source.as_str()).cloned()
    }

    /// What is configured now.
    pub fn directory(&self) -> Arc<Directory> {
        self.live.directory()
    }
}
