//! A store that tells the ledger what each unit of work wrote, in the order of the commits.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use super::ledger::Shared;
use crate::domain::{
    Conversation, ConversationKey, Delivery, Erasure, Event, Fingerprint, Id, KnownContact,
    LaneKey, NewEvent, Position, Request, Result, StoredEvent, Timestamp, UpstreamErasure,
    ports::{
        Batch, Command, CommandKey, Effect, Mark, OpenTransaction, SealedStore, Sealing, Store,
        SubscriptionWrite, Transaction,
    },
    query::{ContactQuery, ConversationQuery, EventQuery},
};

/// One thing that a unit of work did.
#[derive(Debug, Clone)]
pub(super) enum Deed {
    /// A unit begins.
    Unit,
    Event(NewEvent),
    Row(Delivery),
    Conversation(Box<Conversation>),
    Request(Request),
    Contact(KnownContact),
    /// The conversation uses this id at the platform since this owner epoch.
    Upstream(ConversationKey, String, u64),
}

/// The real store, watched.
#[derive(Debug)]
pub(super) struct Witness {
    pub store: Arc<dyn Store>,
    pub ledger: Shared,
}

/// A transaction, and what was done in it so far.
struct Watched {
    tx: Box<dyn OpenTransaction>,
    ledger: Shared,
    deeds: Vec<Deed>,
}

/// Writes the methods that only pass on what they are told.
macro_rules! passing_on {
    (impl $trait:ident for $name:ident, $inner:ident {
        $(async fn $method:ident($($arg:ident: $type:ty),*) -> $output:ty;)*
        $(by hand: $($rest:item)*)?
    }) => {
        #[async_trait]
        impl $trait for $name {
            $(async fn $method(&mut self, $($arg: $type),*) -> $output {
                self.$inner.$method($($arg),*).await
            })*
            $($($rest)*)?
        }
    };
}

passing_on! {
    impl Sealing for Watched, tx {
        async fn rewrap(limit: usize) -> Result<usize>;
    }
}

passing_on! {
    impl Transaction for Watched, tx {
        async fn conversation(key: &ConversationKey) -> Result<Option<Conversation>>;
        async fn resolve_upstream(agent: &Id, upstream_id: &str) -> Result<Option<(ConversationKey, u64)>>;
        async fn remembered(key: &CommandKey) -> Result<Option<Command>>;
        async fn remember(key: &CommandKey, command: &Command) -> Result<()>;
        async fn first_seen(agent: &Id, platform_event: &Fingerprint) -> Result<bool>;
        async fn delivery(id: &Id) -> Result<Option<Delivery>>;
        async fn lane_head(lane: &LaneKey) -> Result<Option<Delivery>>;
        async fn waiting_handovers(key: &ConversationKey) -> Result<Vec<Delivery>>;
        async fn count_unknown_owners(source: &Id) -> Result<usize>;
        async fn looked_until(source: &Id) -> Result<Option<Timestamp>>;
        async fn save_looked_until(source: &Id, until: Timestamp) -> Result<()>;
        async fn remote_delivery(tenant: &str, remote_id: &str) -> Result<Option<Delivery>>;
        async fn next_opening(key: &ConversationKey, order: u64) -> Result<Option<Delivery>>;
        async fn next_order(key: &ConversationKey) -> Result<u64>;
        async fn waiting_deliveries(agent: &Id) -> Result<usize>;
        async fn attempting_deliveries(before: Timestamp, after: Option<&(Timestamp, Id)>, limit: usize) -> Result<Vec<Delivery>>;
        async fn contact(id: &Id) -> Result<Option<KnownContact>>;
        async fn contact_of(key: &ConversationKey) -> Result<Option<KnownContact>>;
        async fn unknown_owners(source: &Id, before: Timestamp, limit: usize) -> Result<Vec<Conversation>>;
        async fn request(id: &Id) -> Result<Option<Request>>;
        async fn repeated_request(fingerprint: &[u8], since: Timestamp) -> Result<Option<Request>>;
        async fn open_requests(key: &ConversationKey) -> Result<Vec<Request>>;
        async fn all_open_requests(before: Timestamp, limit: usize) -> Result<Vec<Request>>;
        async fn count_open_requests(agent: &Id) -> Result<usize>;
        async fn set_availability(agent: &Id, team: &str, publisher: &str, online: bool, expires_at: Timestamp) -> Result<()>;
        async fn availability(agent: &Id, team: &str) -> Result<Option<bool>>;
        async fn unfinished_deliveries(key: &ConversationKey) -> Result<Vec<Delivery>>;
        async fn note_internal_id(key: &ConversationKey, agent: &Id, internal_id: &str) -> Result<()>;
        async fn take_internal_ids(key: &ConversationKey) -> Result<Vec<(Id, String)>>;
        async fn forget_internal_ids(before: Timestamp, limit: usize) -> Result<usize>;
        async fn erase_words(key: &ConversationKey) -> Result<()>;
        async fn erase_aged(tenant: &Id, before: Timestamp, limit: usize) -> Result<(usize, u64)>;
        async fn forget_idle(tenant: &Id, before: Timestamp, limit: usize) -> Result<(usize, u64)>;
        async fn add_erasure(erasure: &Erasure) -> Result<()>;
        async fn erasure_of_command(tenant: &Id, account: &Id, command_id: &Id) -> Result<Option<Erasure>>;
        async fn erasure(tenant: &Id, receipt_id: &Id) -> Result<Option<Erasure>>;
        async fn mark_erased(receipt_id: &Id) -> Result<()>;
        async fn save_upstream_erasure(erasure: &UpstreamErasure) -> Result<()>;
        async fn event(key: &ConversationKey, sequence: u64) -> Result<Option<Event>>;
        async fn event_by_id(event_id: &str) -> Result<Option<Event>>;
        async fn expired_sessions(limit: usize) -> Result<Vec<Conversation>>;
        async fn trim_log(before: Timestamp, limit: usize) -> Result<usize>;
        async fn forget_finished(before: Timestamp, limit: usize) -> Result<usize>;
        by hand:
        fn subscriptions(&mut self) -> Result<&mut dyn SubscriptionWrite> {
            self.tx.subscriptions()
        }
        fn now(&self) -> Timestamp {
            self.tx.now()
        }
        fn digest(&self, content: &Fingerprint) -> Vec<u8> {
            self.tx.digest(content)
        }
        fn append(&mut self, event: NewEvent) -> usize {
            self.deeds.push(Deed::Event(event.clone()));
            self.tx.append(event)
        }
        fn after_commit(&mut self, effect: Effect) {
            self.tx.after_commit(effect);
        }
        async fn save_conversation(&mut self, conversation: &Conversation) -> Result<()> {
            let saved = Box::new(conversation.clone());
            self.deeds.push(Deed::Conversation(saved));
            self.tx.save_conversation(conversation).await
        }
        async fn claim_upstream(&mut self, agent: &Id, upstream_id: &str, key: &ConversationKey, owner_epoch: u64) -> Result<bool> {
            self.deeds.push(Deed::Upstream(key.clone(), upstream_id.to_owned(), owner_epoch));
            self.tx.claim_upstream(agent, upstream_id, key, owner_epoch).await
        }
        async fn save_contact(&mut self, contact: &KnownContact) -> Result<()> {
            self.deeds.push(Deed::Contact(contact.clone()));
            self.tx.save_contact(contact).await
        }
        async fn add_delivery(&mut self, delivery: &Delivery) -> Result<()> {
            self.deeds.push(Deed::Row(delivery.clone()));
            self.tx.add_delivery(delivery).await
        }
        async fn save_delivery(&mut self, delivery: &Delivery) -> Result<()> {
            self.deeds.push(Deed::Row(delivery.clone()));
            self.tx.save_delivery(delivery).await
        }
        async fn add_request(&mut self, request: &Request) -> Result<()> {
            self.deeds.push(Deed::Request(request.clone()));
            self.tx.add_request(request).await
        }
        async fn save_request(&mut self, request: &Request) -> Result<()> {
            self.deeds.push(Deed::Request(request.clone()));
            self.tx.save_request(request).await
        }
    }
}

#[async_trait]
impl OpenTransaction for Watched {
    fn mark(&mut self) -> Mark {
        self.deeds.push(Deed::Unit);
        self.tx.mark()
    }

    fn take_back(&mut self, mark: Mark) -> bool {
        let unit = self
            .deeds
            .iter()
            .rposition(|deed| matches!(deed, Deed::Unit));
        self.deeds.truncate(unit.unwrap_or(0));
        self.tx.take_back(mark)
    }

    async fn write_events(&mut self) -> Result<()> {
        self.tx.write_events().await
    }

    async fn commit(self: Box<Self>) -> Result<Batch> {
        let now = self.tx.now();
        self.ledger.lock().committing = true;
        let done = self.tx.commit().await;
        let mut ledger = self.ledger.lock();
        ledger.committing = false;
        if done.is_ok() {
            ledger.committed(now, self.deeds);
        }
        done
    }

    async fn roll_back(self: Box<Self>) -> Result<()> {
        self.tx.roll_back().await
    }
}

/// The tests of the rules hash no credentials and change no keys.
impl SealedStore for Witness {}

#[async_trait]
impl Store for Witness {
    fn epoch(&self) -> u64 {
        self.store.epoch()
    }

    async fn begin(&self) -> Result<Box<dyn OpenTransaction>> {
        Ok(Box::new(Watched {
            tx: self.store.begin().await?,
            ledger: self.ledger.clone(),
            deeds: Vec::new(),
        }))
    }

    async fn bounds(&self) -> Result<(Position, Position)> {
        self.store.bounds().await
    }

    async fn page(
        &self,
        after: Position,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Vec<StoredEvent>> {
        self.store.page(after, limit, max_bytes).await
    }

    async fn tail(
        &self,
        after: Position,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Vec<(StoredEvent, Arc<Event>)>> {
        self.store.tail(after, limit, max_bytes).await
    }

    async fn position_before(&self, time: Timestamp) -> Result<Position> {
        self.store.position_before(time).await
    }

    async fn position_of(&self, key: &ConversationKey, sequence: u64) -> Result<Option<Position>> {
        self.store.position_of(key, sequence).await
    }

    async fn position_of_event(&self, event_id: &str) -> Result<Option<Position>> {
        self.store.position_of_event(event_id).await
    }

    async fn conversation(&self, key: &ConversationKey) -> Result<Option<Conversation>> {
        self.store.conversation(key).await
    }

    async fn conversations(&self, query: &ConversationQuery) -> Result<Vec<Conversation>> {
        self.store.conversations(query).await
    }

    async fn open_requests(&self, key: &ConversationKey) -> Result<Vec<Request>> {
        self.store.open_requests(key).await
    }

    async fn delivery(&self, id: &Id) -> Result<Option<Delivery>> {
        self.store.delivery(id).await
    }

    async fn events(&self, query: &EventQuery) -> Result<Vec<(u64, StoredEvent)>> {
        self.store.events(query).await
    }

    async fn first_sequence(&self, key: &ConversationKey) -> Result<u64> {
        self.store.first_sequence(key).await
    }

    async fn busy_lanes(&self) -> Result<Vec<LaneKey>> {
        self.store.busy_lanes().await
    }

    async fn idle_lanes(
        &self,
        span: Duration,
        after: Option<&LaneKey>,
        limit: usize,
    ) -> Result<Vec<LaneKey>> {
        self.store.idle_lanes(span, after, limit).await
    }

    async fn contacts(&self, query: &ContactQuery) -> Result<Vec<KnownContact>> {
        self.store.contacts(query).await
    }

    async fn erasure(&self, tenant: &Id, receipt_id: &Id) -> Result<Option<Erasure>> {
        self.store.erasure(tenant, receipt_id).await
    }

    async fn unfinished_erasures(&self, limit: usize) -> Result<Vec<(Id, Id)>> {
        self.store.unfinished_erasures(limit).await
    }

    async fn due_upstream_erasures(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<UpstreamErasure>> {
        self.store.due_upstream_erasures(now, limit).await
    }

    async fn next_upstream_erasure(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        self.store.next_upstream_erasure(now).await
    }

    async fn purge(&self) -> Result<()> {
        self.store.purge().await
    }

    async fn close(&self) -> Result<()> {
        self.store.close().await
    }
}
