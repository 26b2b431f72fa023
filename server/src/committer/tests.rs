//! Group commit, on real databases.

mod neighbours;
mod order;
mod trouble;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;

use super::*;
use crate::{
    domain::{
        Conversation, ConversationKey, Timestamp,
        ports::{Store, Transaction, Unit},
    },
    store::{
        StoreSettings,
        tests::{Scratch, event, key},
    },
};

/// A committer on a database of its own.
struct Bench {
    scratch: Scratch,
    committer: Committer,
    /// Positions that were published, one list a commit.
    published: Arc<Mutex<Vec<Vec<u64>>>>,
    fatal: Arc<AtomicBool>,
}

impl Bench {
    async fn new() -> Self {
        Self::with(|_| (), CommitterSettings::default()).await
    }

    async fn with(change: impl FnOnce(&mut StoreSettings), settings: CommitterSettings) -> Self {
        Self::on(Scratch::with(change).await, settings)
    }

    /// In a file, whatever other tests run on.
    async fn in_file(change: impl FnOnce(&mut StoreSettings), settings: CommitterSettings) -> Self {
        Self::on(Scratch::in_file(change).await, settings)
    }

    fn on(scratch: Scratch, settings: CommitterSettings) -> Self {
        let published = Arc::new(Mutex::<Vec<Vec<u64>>>::default());
        let fatal = Arc::new(AtomicBool::new(false));
        let (seen, failed) = (Arc::clone(&published), Arc::clone(&fatal));
        let observers = Observers {
            publish: Box::new(move |batch| {
                let positions = batch.events.iter().map(|event| event.position.0);
                seen.lock().expect("whole").push(positions.collect());
            }),
            fatal: Box::new(move || failed.store(true, Ordering::SeqCst)),
            metrics: Metrics::new(),
        };
        Self {
            committer: Committer::start(scratch.store.clone(), settings, observers),
            scratch,
            published,
            fatal,
        }
    }

    fn published(&self) -> Vec<Vec<u64>> {
        self.published.lock().expect("whole").clone()
    }

    async fn newest(&self) -> u64 {
        self.scratch.store.bounds().await.expect("reads").1.0
    }
}

/// A unit that does what it is told.
#[derive(Clone, Default)]
struct Does {
    conversation: String,
    /// How many events it appends.
    events: u64,
    /// How large each is.
    size: usize,
    /// It also writes a row.
    saves: bool,
    fails: bool,
    panics: bool,
    /// It never ends before this is set.
    waits_for: Option<Arc<AtomicBool>>,
}

impl Does {
    fn append(conversation: &str, events: u64) -> Self {
        Self {
            conversation: conversation.to_owned(),
            events,
            ..Self::default()
        }
    }

    fn key(&self) -> ConversationKey {
        key(&self.conversation)
    }
}

#[async_trait]
impl Unit for Does {
    type Output = String;

    async fn run(&self, tx: &mut dyn Transaction) -> Result<String> {
        if self.saves {
            let id = self.conversation.clone();
            let row = Conversation::new(
                self.key(),
                crate::domain::Id::trusted("bot"),
                id,
                Timestamp(0),
            );
            tx.save_conversation(&row).await?;
        }
        for index in 0..self.events {
            let at = tx.append(event(&self.conversation, index + 1, self.size));
            assert_eq!(at as u64, index);
        }
        while self
            .waits_for
            .as_ref()
            .is_some_and(|flag| !flag.load(Ordering::SeqCst))
        {
            tokio::task::yield_now().await;
        }
        assert!(!self.panics, "as it was told");
        if self.fails {
            return Err(Error::invalid("field", "as it was told"));
        }
        Ok(self.conversation.clone())
    }
}
