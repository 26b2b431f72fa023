//! What a unit of work can do: every method hands over to its table.

use async_trait::async_trait;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{
    availability, command, contact, conversation, delivery, erase, erasure, forget, internal_id,
    log, platform_event, request, source, tenant_retention, transaction::SqlTransaction, upstream,
    upstream_erasure,
};
use crate::domain::{
    Conversation, ConversationKey, Delivery, Erasure, Event, Fingerprint, Id, KnownContact,
    LaneKey, NewEvent, Request, Result, Timestamp, UpstreamErasure,
    administration::AdministrationWrite,
    ports::{Command, CommandKey, Effect, SinkWrite, SubscriptionWrite, Transaction},
};

#[async_trait]
impl Transaction for SqlTransaction {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn digest(&self, content: &Fingerprint) -> Vec<u8> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.hash_key).expect("HMAC takes keys of any length");
        mac.update(content.as_bytes());
        mac.finalize().into_bytes().to_vec()
    }

    fn append(&mut self, event: NewEvent) -> usize {
        self.keep(event)
    }

    fn after_commit(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    fn administration(&mut self) -> Result<&mut dyn AdministrationWrite> {
        Ok(self)
    }

    fn subscriptions(&mut self) -> Result<&mut dyn SubscriptionWrite> {
        Ok(self)
    }

    fn sinks(&mut self) -> Result<&mut dyn SinkWrite> {
        Ok(self)
    }

    async fn conversation(&mut self, key: &ConversationKey) -> Result<Option<Conversation>> {
        let found = conversation::find(&self.db, &self.keys, key).await;
        self.read(found)
    }

    async fn save_conversation(&mut self, conversation: &Conversation) -> Result<()> {
        let done = conversation::save(&self.db, &mut self.keys, conversation, self.now).await;
        self.wrote(done)
    }

    async fn resolve_upstream(
        &mut self,
        agent: &Id,
        upstream_id: &str,
    ) -> Result<Option<(ConversationKey, u64)>> {
        let found = upstream::resolve(&self.db, agent, upstream_id).await;
        self.read(found)
    }

    async fn claim_upstream(
        &mut self,
        agent: &Id,
        upstream_id: &str,
        key: &ConversationKey,
        owner_epoch: u64,
    ) -> Result<bool> {
        let done = upstream::claim(&self.db, agent, upstream_id, key, owner_epoch).await;
        self.wrote(done)
    }

    async fn remembered(&mut self, key: &CommandKey) -> Result<Option<Command>> {
        let found = command::find(&self.db, key).await;
        self.read(found)
    }

    async fn remember(&mut self, key: &CommandKey, command: &Command) -> Result<()> {
        let done = command::save(&self.db, key, command, self.now).await;
        self.wrote(done)
    }

    async fn first_seen(&mut self, agent: &Id, platform_event: &Fingerprint) -> Result<bool> {
        let fingerprint = self.digest(platform_event);
        let done = platform_event::first_seen(&self.db, agent, fingerprint, self.now).await;
        self.wrote(done)
    }

    async fn add_delivery(&mut self, delivery: &Delivery) -> Result<()> {
        let done = delivery::add(&self.db, &mut self.keys, delivery, self.now).await;
        self.wrote(done)
    }

    async fn save_delivery(&mut self, delivery: &Delivery) -> Result<()> {
        let done = delivery::save(&self.db, &mut self.keys, delivery, self.now).await;
        self.wrote(done)
    }

    async fn delivery(&mut self, id: &Id) -> Result<Option<Delivery>> {
        let found = delivery::find(&self.db, &self.keys, id).await;
        self.read(found)
    }

    async fn lane_head(&mut self, lane: &LaneKey) -> Result<Option<Delivery>> {
        let found = delivery::lane_head(&self.db, &self.keys, lane).await;
        self.read(found)
    }

    async fn waiting_handovers(&mut self, key: &ConversationKey) -> Result<Vec<Delivery>> {
        let found = delivery::waiting_handovers(&self.db, &self.keys, key).await;
        self.read(found)
    }

    async fn remote_delivery(&mut self, tenant: &str, remote_id: &str) -> Result<Option<Delivery>> {
        let found = delivery::remote(&self.db, &self.keys, tenant, &self.known_as(remote_id)).await;
        self.read(found)
    }

    async fn contact(&mut self, id: &Id) -> Result<Option<KnownContact>> {
        let found = contact::find(&self.db, &self.keys, id).await;
        self.read(found)
    }

    async fn contact_of(&mut self, key: &ConversationKey) -> Result<Option<KnownContact>> {
        let found = contact::of(&self.db, &self.keys, key).await;
        self.read(found)
    }

    async fn save_contact(&mut self, contact: &KnownContact) -> Result<()> {
        let done = contact::save(&self.db, &mut self.keys, contact, self.now).await;
        self.wrote(done)
    }

    async fn unknown_owners(
        &mut self,
        source: &Id,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<Conversation>> {
        let found = conversation::unknown_owners(&self.db, &self.keys, source, before, limit).await;
        self.read(found)
    }

    async fn next_opening(
        &mut self,
        key: &ConversationKey,
        order: u64,
    ) -> Result<Option<Delivery>> {
        let found = delivery::next_opening(&self.db, &self.keys, key, order).await;
        self.read(found)
    }

    async fn next_order(&mut self, key: &ConversationKey) -> Result<u64> {
        let found = delivery::next_order(&self.db, key).await;
        self.read(found)
    }

    async fn waiting_deliveries(&mut self, agent: &Id) -> Result<usize> {
        let found = delivery::waiting(&self.db, agent).await;
        self.read(found)
    }

    async fn unfinished_deliveries(&mut self, key: &ConversationKey) -> Result<Vec<Delivery>> {
        let found = delivery::unfinished(&self.db, &self.keys, key).await;
        self.read(found)
    }

    async fn attempting_deliveries(
        &mut self,
        before: Timestamp,
        after: Option<&(Timestamp, Id)>,
        limit: usize,
    ) -> Result<Vec<Delivery>> {
        let found = delivery::attempting(&self.db, &self.keys, before, after, limit).await;
        self.read(found)
    }

    async fn count_unknown_owners(&mut self, source: &Id) -> Result<usize> {
        let found = conversation::count_unknown_owners(&self.db, source).await;
        self.read(found)
    }

    async fn looked_until(&mut self, source: &Id) -> Result<Option<Timestamp>> {
        let found = source::looked_until(&self.db, source).await;
        self.read(found)
    }

    async fn save_looked_until(&mut self, source: &Id, until: Timestamp) -> Result<()> {
        let done = source::save_looked_until(&self.db, source, until).await;
        self.wrote(done)
    }

    async fn add_request(&mut self, request: &Request) -> Result<()> {
        let done = request::add(&self.db, &mut self.keys, request, self.now).await;
        self.wrote(done)
    }

    async fn save_request(&mut self, request: &Request) -> Result<()> {
        let done = request::save(&self.db, &mut self.keys, request, self.now).await;
        self.wrote(done)
    }

    async fn request(&mut self, id: &Id) -> Result<Option<Request>> {
        let found = request::find(&self.db, &self.keys, id).await;
        self.read(found)
    }

    async fn repeated_request(
        &mut self,
        fingerprint: &[u8],
        since: Timestamp,
    ) -> Result<Option<Request>> {
        let found = request::repeated(&self.db, &self.keys, fingerprint, since).await;
        self.read(found)
    }

    async fn open_requests(&mut self, key: &ConversationKey) -> Result<Vec<Request>> {
        let found = request::open(&self.db, &self.keys, key).await;
        self.read(found)
    }

    async fn all_open_requests(&mut self, before: Timestamp, limit: usize) -> Result<Vec<Request>> {
        let found = request::all_open(&self.db, &self.keys, before, limit).await;
        self.read(found)
    }

    async fn count_open_requests(&mut self, agent: &Id) -> Result<usize> {
        let found = request::count_open(&self.db, agent).await;
        self.read(found)
    }

    async fn set_availability(
        &mut self,
        agent: &Id,
        team: &str,
        publisher: &str,
        online: bool,
        expires_at: Timestamp,
    ) -> Result<()> {
        let done = availability::save(&self.db, agent, team, publisher, online, expires_at).await;
        self.wrote(done)
    }

    async fn availability(&mut self, agent: &Id, team: &str) -> Result<Option<bool>> {
        let found = availability::find(&self.db, agent, team, self.now).await;
        self.read(found)
    }

    async fn event(&mut self, key: &ConversationKey, sequence: u64) -> Result<Option<Event>> {
        let is_it = |fact: &NewEvent| fact.key.as_ref() == Some(key) && fact.sequence == sequence;
        if let Some(event) = self.appended(is_it) {
            return Ok(Some(event));
        }
        let found = log::with_sequence(&self.db, &self.keys, key, sequence).await;
        self.read(found)
    }

    async fn event_by_id(&mut self, event_id: &str) -> Result<Option<Event>> {
        if let Some(event) = self.appended(|fact| fact.event_id.as_str() == event_id) {
            return Ok(Some(event));
        }
        let found = log::with_id(&self.db, &self.keys, event_id).await;
        self.read(found)
    }

    async fn note_internal_id(
        &mut self,
        key: &ConversationKey,
        agent: &Id,
        internal_id: &str,
    ) -> Result<()> {
        let done = internal_id::note(&self.db, key, agent, internal_id, self.now).await;
        self.wrote(done)
    }

    async fn take_internal_ids(&mut self, key: &ConversationKey) -> Result<Vec<(Id, String)>> {
        let done = internal_id::take(&self.db, key).await;
        self.wrote(done)
    }

    async fn forget_internal_ids(&mut self, before: Timestamp, limit: usize) -> Result<usize> {
        let done = internal_id::forget(&self.db, before, limit).await;
        self.wrote(done)
    }

    async fn erase_words(&mut self, key: &ConversationKey) -> Result<()> {
        erase::appended(&mut self.events, key);
        let done = self.keys.destroy(&self.db, key).await;
        self.wrote(done)?;
        let done = erase::words(&self.db, key).await;
        self.wrote(done)
    }

    async fn erase_aged(
        &mut self,
        tenant: &Id,
        before: Timestamp,
        limit: usize,
    ) -> Result<(usize, u64)> {
        let done = tenant_retention::events(&self.db, tenant, before, limit).await;
        self.wrote(done)
    }

    async fn forget_idle(
        &mut self,
        tenant: &Id,
        before: Timestamp,
        limit: usize,
    ) -> Result<(usize, u64)> {
        let found = tenant_retention::idle(&self.db, tenant, before, limit).await;
        let (passed, idle) = self.wrote(found)?;
        for key in &idle {
            let contact = contact::of(&self.db, &self.keys, key).await;
            if let Some(contact) = self.read(contact)? {
                self.after_commit(Effect::Forget {
                    source: contact.source,
                    address: contact.address,
                });
            }
            let done = self.keys.destroy(&self.db, key).await;
            self.wrote(done)?;
            let done = tenant_retention::forget(&self.db, key).await;
            self.wrote(done)?;
        }
        Ok((passed, idle.len() as u64))
    }

    async fn add_erasure(&mut self, erasure: &Erasure) -> Result<()> {
        let done = erasure::add(&self.db, erasure).await;
        self.wrote(done)
    }

    async fn erasure_of_command(
        &mut self,
        tenant: &Id,
        account: &Id,
        command_id: &Id,
    ) -> Result<Option<Erasure>> {
        let found = erasure::of_command(&self.db, [tenant, account, command_id]).await;
        self.read(found)
    }

    async fn erasure(&mut self, tenant: &Id, receipt_id: &Id) -> Result<Option<Erasure>> {
        let found = erasure::find(&self.db, tenant, receipt_id).await;
        self.read(found)
    }

    async fn mark_erased(&mut self, receipt_id: &Id) -> Result<()> {
        let done = erasure::mark_erased(&self.db, receipt_id, self.now).await;
        self.wrote(done)
    }

    async fn save_upstream_erasure(&mut self, erasure: &UpstreamErasure) -> Result<()> {
        let done = upstream_erasure::save(&self.db, erasure).await;
        self.wrote(done)
    }

    async fn expired_sessions(&mut self, limit: usize) -> Result<Vec<Conversation>> {
        let found = conversation::expired(&self.db, &self.keys, self.now, limit).await;
        self.read(found)
    }

    async fn trim_log(&mut self, before: Timestamp, limit: usize) -> Result<usize> {
        let done = forget::trim_log(&self.db, before, limit).await;
        self.wrote(done)
    }

    async fn forget_finished(&mut self, before: Timestamp, limit: usize) -> Result<usize> {
        let done = forget::finished(&self.db, before, limit).await;
        self.wrote(done)
    }
}

impl SqlTransaction {
    /// An event of this transaction, newest first.
    fn appended(&self, is_it: impl Fn(&NewEvent) -> bool) -> Option<Event> {
        let mut appended = self.events.iter().rev();
        let event = appended.find(|event| is_it(&event.fact))?;
        Some(Event::clone(event))
    }
}
