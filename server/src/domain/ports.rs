//! What the rules need from the world: an agent to talk to and a store to write in.

mod command;
mod commit;
mod probe;
mod sealing;
mod sink;
mod source;
mod subscription;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use super::{
    administration::AdministrationWrite,
    contact::KnownContact,
    conversation::Conversation,
    delivery::{Delivery, LaneKey},
    erasure::{Erasure, UpstreamErasure},
    error::{Error, Result},
    event::{Event, NewEvent, Position, StoredEvent},
    fingerprint::Fingerprint,
    hex::hex,
    id::{ConversationKey, Id},
    inbound::{Inbound, Webhook, WebhookRefusal, WebhookReply},
    outbound::{Outbound, Sent},
    query::{ContactQuery, ConversationQuery, EventQuery},
    request::{Answer, Request, RequestKind},
    time::Timestamp,
};

pub use command::{Command, CommandKey};
pub use commit::{Batch, Effect, Mark};
pub use probe::Probed;
pub use sealing::{SealedStore, Sealing};
pub use sink::SinkWrite;
pub use source::Source;
pub use subscription::{SubscriptionRead, SubscriptionWrite, Unfinished};

/// One agent on its platform, both directions.
#[async_trait]
pub trait Agent: Send + Sync + std::fmt::Debug {
    /// Sends one request and tells how it ended. Tries once: when to try again is the lane's decision. The caller
    /// bounds the time.
    async fn send(&self, outbound: &Outbound) -> Sent;

    /// The settings of the keys that are in force. The first is the one that is meant to work.
    fn keys_in_force(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// Asks the platform something that begins nothing and changes nothing, to learn whether it takes the key of this
    /// setting and no other one: to end the session of a conversation that does not exist. The caller bounds the time.
    async fn probe(&self, _key: &str) -> Probed {
        let outbound = Probed::question();
        self.send(&outbound).await.into()
    }

    /// Verifies the raw bytes and, only then, decodes them.
    fn receive(&self, webhook: &Webhook) -> Result<Inbound, WebhookRefusal>;

    /// What a waiting webhook is answered. `Failure` stands for "could not be done".
    fn reply(&self, kind: RequestKind, answer: &Answer) -> WebhookReply;

    /// Asks the platform once to erase what it keeps of the conversation with this id of its own. Asked twice: harmless.
    async fn erase(&self, internal_id: &str) -> Sent;

    /// Parameter keys that the platform keeps for itself: callers must not set them.
    fn reserved_parameters(&self) -> &'static [&'static str] {
        &[]
    }
}

/// A unit of work: reads, decides, writes, all in one transaction. It may be run more than once (when a neighbour in
/// its batch fails), so it keeps nothing of an earlier run.
#[async_trait]
pub trait Unit: Send + Sync + 'static {
    type Output: Send + 'static;

    /// An error undoes everything that this unit wrote, and nothing else.
    async fn run(&self, tx: &mut dyn Transaction) -> Result<Self::Output>;
}

/// A transaction as a unit of work sees it.
#[async_trait]
pub trait Transaction: Sealing {
    /// The database's clock, fixed for the transaction.
    fn now(&self) -> Timestamp;

    /// The content's hash under the database's key: what may be kept of it beside the log.
    fn digest(&self, content: &Fingerprint) -> Vec<u8>;

    /// What is kept of an id at the other side, which may hold a phone number: it is recognised and never read again.
    fn known_as(&self, remote_id: &str) -> String {
        if remote_id.is_empty() {
            return String::new();
        }
        hex(&self.digest(&Fingerprint::of("remote id").text(remote_id)))
    }

    /// Adds an event; its position is assigned at commit. Answers its index among this unit's events, from 0.
    fn append(&mut self, event: NewEvent) -> usize;

    /// Asks for something to be done once this transaction is committed.
    fn after_commit(&mut self, effect: Effect);

    /// What administrators make and do. A database that keeps none of it says so.
    fn administration(&mut self) -> Result<&mut dyn AdministrationWrite> {
        Err(Error::Internal)
    }

    /// Named subscriptions. A database that keeps none says so.
    fn subscriptions(&mut self) -> Result<&mut dyn SubscriptionWrite> {
        Err(Error::Internal)
    }

    /// Sinks. A database that keeps none says so.
    fn sinks(&mut self) -> Result<&mut dyn SinkWrite> {
        Err(Error::Internal)
    }

    async fn conversation(&mut self, key: &ConversationKey) -> Result<Option<Conversation>>;
    async fn save_conversation(&mut self, conversation: &Conversation) -> Result<()>;

    /// Whose id at the agent's platform this is, and since which owner epoch.
    async fn resolve_upstream(
        &mut self,
        agent: &Id,
        upstream_id: &str,
    ) -> Result<Option<(ConversationKey, u64)>>;
    /// Notes an id at the agent's platform, or that the conversation uses it again since `owner_epoch`. False: another
    /// conversation has it.
    async fn claim_upstream(
        &mut self,
        agent: &Id,
        upstream_id: &str,
        key: &ConversationKey,
        owner_epoch: u64,
    ) -> Result<bool>;

    /// What an idempotency key stands for.
    async fn remembered(&mut self, key: &CommandKey) -> Result<Option<Command>>;
    async fn remember(&mut self, key: &CommandKey, command: &Command) -> Result<()>;

    /// Notes a platform's own event id. False: it came before.
    async fn first_seen(&mut self, agent: &Id, platform_event: &Fingerprint) -> Result<bool>;

    async fn add_delivery(&mut self, delivery: &Delivery) -> Result<()>;
    async fn save_delivery(&mut self, delivery: &Delivery) -> Result<()>;
    async fn delivery(&mut self, id: &Id) -> Result<Option<Delivery>>;
    /// The first delivery of a lane that is not final, by `order`.
    async fn lane_head(&mut self, lane: &LaneKey) -> Result<Option<Delivery>>;
    /// The handovers, and returns, in a conversation's lane to its source that are not final, in order.
    async fn waiting_handovers(&mut self, key: &ConversationKey) -> Result<Vec<Delivery>>;
    /// The tenant's newest delivery that the other side knows by this id.
    async fn remote_delivery(&mut self, tenant: &str, remote_id: &str) -> Result<Option<Delivery>>;
    /// The first start or message of a lane that is not final and stands after `order`: what opens a session when its
    /// turn comes.
    async fn next_opening(&mut self, key: &ConversationKey, order: u64)
    -> Result<Option<Delivery>>;
    /// The `order` for the next row of a lane.
    async fn next_order(&mut self, key: &ConversationKey) -> Result<u64>;
    /// How many deliveries of the agent are not final.
    async fn waiting_deliveries(&mut self, agent: &Id) -> Result<usize>;
    /// The deliveries of a conversation that are not final, both directions, in order.
    async fn unfinished_deliveries(&mut self, key: &ConversationKey) -> Result<Vec<Delivery>>;
    /// Deliveries that have been under way since `before` or longer, at most `limit`: those behind the one that was queued
    /// at this time and has this id, in that order.
    async fn attempting_deliveries(
        &mut self,
        before: Timestamp,
        after: Option<&(Timestamp, Id)>,
        limit: usize,
    ) -> Result<Vec<Delivery>>;

    /// The visitor of a source with this keyed hash.
    async fn contact(&mut self, id: &Id) -> Result<Option<KnownContact>>;
    async fn contact_of(&mut self, key: &ConversationKey) -> Result<Option<KnownContact>>;
    /// Fails when another contact has its conversation.
    async fn save_contact(&mut self, contact: &KnownContact) -> Result<()>;
    /// Conversations of a source whose owner has been unknown since `before` or longer, at most `limit`.
    async fn unknown_owners(
        &mut self,
        source: &Id,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<Conversation>>;
    async fn count_unknown_owners(&mut self, source: &Id) -> Result<usize>;

    /// Until when a source has been looked at for what no webhook brought.
    async fn looked_until(&mut self, source: &Id) -> Result<Option<Timestamp>>;
    async fn save_looked_until(&mut self, source: &Id, until: Timestamp) -> Result<()>;

    async fn add_request(&mut self, request: &Request) -> Result<()>;
    async fn save_request(&mut self, request: &Request) -> Result<()>;
    async fn request(&mut self, id: &Id) -> Result<Option<Request>>;
    /// The newest request with this fingerprint that is open or was asked at or after `since`.
    async fn repeated_request(
        &mut self,
        fingerprint: &[u8],
        since: Timestamp,
    ) -> Result<Option<Request>>;
    async fn open_requests(&mut self, key: &ConversationKey) -> Result<Vec<Request>>;
    /// Open requests of every conversation that were to be answered by `before`, at most `limit`.
    async fn all_open_requests(&mut self, before: Timestamp, limit: usize) -> Result<Vec<Request>>;
    async fn count_open_requests(&mut self, agent: &Id) -> Result<usize>;

    /// Publishes that a team is online or not, until `expires_at`.
    async fn set_availability(
        &mut self,
        agent: &Id,
        team: &str,
        publisher: &str,
        online: bool,
        expires_at: Timestamp,
    ) -> Result<()>;
    /// What the unexpired publishers say together: absent when there is none.
    async fn availability(&mut self, agent: &Id, team: &str) -> Result<Option<bool>>;

    /// One event by its conversation and `sequence`.
    async fn event(&mut self, key: &ConversationKey, sequence: u64) -> Result<Option<Event>>;
    /// One event by its `event_id`.
    async fn event_by_id(&mut self, event_id: &str) -> Result<Option<Event>>;

    /// Notes the platform's own id of a conversation, or that it was seen again.
    async fn note_internal_id(
        &mut self,
        key: &ConversationKey,
        agent: &Id,
        internal_id: &str,
    ) -> Result<()>;
    /// The platforms' own ids of a conversation, with the agent of each; they are not kept here any longer.
    async fn take_internal_ids(&mut self, key: &ConversationKey) -> Result<Vec<(Id, String)>>;
    /// Forgets those of conversations of which retention has left nothing: none seen, and nothing said, since `before`. At
    /// most `limit`; answers how many.
    async fn forget_internal_ids(&mut self, before: Timestamp, limit: usize) -> Result<usize>;
    /// Makes unreadable what was said and told in a conversation so far: the bodies of its events, those of this
    /// transaction among them, what its deliveries were answered, and the contact. Its row is the caller's to clear.
    async fn erase_words(&mut self, key: &ConversationKey) -> Result<()>;
    /// Overwrites what a tenant's events say that were recorded before `before`, except where something unfinished needs
    /// it, going on where the call before ended. Answers through how many positions it went, at most `limit`, and how many
    /// events it overwrote.
    async fn erase_aged(
        &mut self,
        tenant: &Id,
        before: Timestamp,
        limit: usize,
    ) -> Result<(usize, u64)>;
    /// Leaves nothing but ids and times of a tenant's conversations in which nothing was recorded since `before`. Answers
    /// through how many conversations it went, at most `limit`, and how many it found. The sources that brought their
    /// visitors forget them after the commit.
    async fn forget_idle(
        &mut self,
        tenant: &Id,
        before: Timestamp,
        limit: usize,
    ) -> Result<(usize, u64)>;
    async fn add_erasure(&mut self, erasure: &Erasure) -> Result<()>;
    /// The erasure that a call with this idempotency key made.
    async fn erasure_of_command(
        &mut self,
        tenant: &Id,
        account: &Id,
        command_id: &Id,
    ) -> Result<Option<Erasure>>;
    async fn erasure(&mut self, tenant: &Id, receipt_id: &Id) -> Result<Option<Erasure>>;
    /// Nothing is left of it on this server.
    async fn mark_erased(&mut self, receipt_id: &Id) -> Result<()>;
    async fn save_upstream_erasure(&mut self, erasure: &UpstreamErasure) -> Result<()>;

    /// Conversations whose session ran out before now and whose lane is idle, at most `limit`.
    async fn expired_sessions(&mut self, limit: usize) -> Result<Vec<Conversation>>;
    /// Removes events recorded before `before`, at most `limit`, never those of unfinished deliveries and open
    /// requests, and raises the floor. Answers how many.
    async fn trim_log(&mut self, before: Timestamp, limit: usize) -> Result<usize>;
    /// Removes idempotency keys, seen platform events, final deliveries and closed requests from before `before`, at
    /// most `limit` of each. Answers how many in all.
    async fn forget_finished(&mut self, before: Timestamp, limit: usize) -> Result<usize>;
}

/// A transaction as the committer sees it.
#[async_trait]
pub trait OpenTransaction: Transaction {
    /// Marks the beginning of a unit's work.
    fn mark(&mut self) -> Mark;
    /// Takes back what a unit appended since `mark`. False: it also wrote rows, so the whole transaction must be
    /// rolled back and the other units run again.
    fn take_back(&mut self, mark: Mark) -> bool;
    /// Writes what was appended, as the last write before [`OpenTransaction::commit`]. After an error the transaction
    /// must be rolled back; it certainly changed nothing.
    async fn write_events(&mut self) -> Result<()>;
    /// Commits; what comes back is durable. `StoreFull` and `StoreUnavailable` mean that it certainly changed nothing;
    /// any other error means that nobody can tell.
    async fn commit(self: Box<Self>) -> Result<Batch>;
    async fn roll_back(self: Box<Self>) -> Result<()>;
}

/// The database.
#[async_trait]
pub trait Store: SealedStore + Send + Sync + std::fmt::Debug {
    /// Its identity, drawn at random when it was made.
    fn epoch(&self) -> u64;

    /// Begins the one writing transaction.
    async fn begin(&self) -> Result<Box<dyn OpenTransaction>>;

    /// The first position that retention has left, and the newest one. Empty log: floor is newest + 1.
    async fn bounds(&self) -> Result<(Position, Position)>;
    /// Events after `after` in order, at most `limit` of them and about `max_bytes` in all, at least one if there is one.
    async fn page(
        &self,
        after: Position,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Vec<StoredEvent>>;
    /// As [`Store::page`], and what each event says.
    async fn tail(
        &self,
        after: Position,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Vec<(StoredEvent, Arc<Event>)>>;
    /// How often other replicas were found to have erased something: copies in memory go when it changes.
    async fn erased_elsewhere(&self) -> Result<u64> {
        Ok(0)
    }
    /// The position before the first event recorded at or after `time`.
    async fn position_before(&self, time: Timestamp) -> Result<Position>;
    /// The position of one event of a conversation.
    async fn position_of(&self, key: &ConversationKey, sequence: u64) -> Result<Option<Position>>;

    /// The position of one event by its `event_id`.
    async fn position_of_event(&self, event_id: &str) -> Result<Option<Position>>;

    async fn conversation(&self, key: &ConversationKey) -> Result<Option<Conversation>>;
    async fn conversations(&self, query: &ConversationQuery) -> Result<Vec<Conversation>>;
    async fn open_requests(&self, key: &ConversationKey) -> Result<Vec<Request>>;
    async fn delivery(&self, id: &Id) -> Result<Option<Delivery>>;
    /// A conversation's events with their `sequence`.
    async fn events(&self, query: &EventQuery) -> Result<Vec<(u64, StoredEvent)>>;
    /// `sequence` of the first event that is left; 0 when there is none.
    async fn first_sequence(&self, key: &ConversationKey) -> Result<u64>;
    /// Lanes with something to do.
    async fn busy_lanes(&self) -> Result<Vec<LaneKey>>;
    /// Lanes in which nothing is under way and a row has waited for `span` or longer beyond its time, at most `limit`: those
    /// behind `after`, in the order of their keys.
    async fn idle_lanes(
        &self,
        span: Duration,
        after: Option<&LaneKey>,
        limit: usize,
    ) -> Result<Vec<LaneKey>>;
    async fn contacts(&self, query: &ContactQuery) -> Result<Vec<KnownContact>>;
    async fn erasure(&self, tenant: &Id, receipt_id: &Id) -> Result<Option<Erasure>>;
    /// Erasures of which something may be left on this server, at most `limit`: tenant and receipt.
    async fn unfinished_erasures(&self, limit: usize) -> Result<Vec<(Id, Id)>>;
    /// What platforms are to be asked to erase by `now`: of each agent what waits longest, of at most `limit` agents.
    async fn due_upstream_erasures(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<UpstreamErasure>>;
    /// When something is next to be asked of a platform that was not by `now`.
    async fn next_upstream_erasure(&self, now: Timestamp) -> Result<Option<Timestamp>>;
    /// Leaves no trace in the files of what was erased before: the write-ahead log is written to its place and emptied.
    /// `StoreUnavailable` while a reader needs it.
    async fn purge(&self) -> Result<()>;
    /// Bytes of what is committed and not yet written to its place.
    fn journal_bytes(&self) -> u64 {
        0
    }
    /// Everything is written to its place and closed.
    async fn close(&self) -> Result<()>;
}
