//! The rules of ownership, each held against every commit: one owner under an epoch that grows by one, and nothing under
//! an old epoch.

use super::ledger::Ledger;
use crate::domain::{
    ConversationKey, Delivery, DeliveryKind, DeliveryState as State, Direction, EventBody,
    Evidence, Id, NewEvent, Owner, OwnerChangeCause as Cause, Timestamp,
};

impl Ledger {
    pub(super) fn owner_changed(
        &mut self,
        now: Timestamp,
        key: &ConversationKey,
        body: &EventBody,
    ) {
        let EventBody::OwnerChanged {
            from,
            to,
            owner_epoch,
            cause,
            command_id,
            known,
            ..
        } = body
        else {
            return;
        };
        let before = self.talk(key).clone();
        self.demand(*from == before.owner && from != to, || {
            format!(
                "the owner changes from {from:?} to {to:?} and was {:?}",
                before.owner
            )
        });
        self.demand(*owner_epoch == before.epoch + 1, || {
            format!("epoch {owner_epoch} follows {}", before.epoch)
        });
        if *cause == Cause::Transfer {
            let expected = self.expected.get(command_id).copied().flatten();
            self.demand(
                expected.is_none_or(|expected| expected == before.epoch),
                || {
                    format!(
                        "a transfer expected epoch {expected:?} and found {}",
                        before.epoch
                    )
                },
            );
        }
        if *cause == Cause::Observed && known.evidence == Evidence::Read {
            self.check_reading(key, *to, before.epoch);
        }
        let told = |evidence| matches!(evidence, Evidence::Pushed | Evidence::Read);
        if *cause == Cause::Observed && known.evidence == Evidence::Pushed {
            let newer = told(before.known.evidence) && known.observed_at < before.known.observed_at;
            self.demand(!newer, || {
                "the owner changes because of a word that is older than the newest".into()
            });
        }
        let talk = self.talk(key);
        talk.owner = *to;
        talk.epoch = *owner_epoch;
        talk.known = *known;
        talk.unknown_since = (*to == Owner::Unknown).then_some(now);
    }

    /// A reading that began before the newest change says nothing about it.
    fn check_reading(&mut self, key: &ConversationKey, to: Owner, epoch: u64) {
        let begun_since = self.readings.iter().any(|(address, owner, begun)| {
            self.addresses.get(address) == Some(key) && *owner == to && *begun == epoch
        });
        self.demand(begun_since, || {
            format!("the owner becomes {to:?} by a reading from before epoch {epoch}")
        });
    }

    pub(super) fn human_said(&mut self, key: &ConversationKey, message_id: &str) {
        let talk = self.talk(key).clone();
        let expected = self.expected.get(message_id).copied().flatten();
        self.demand(talk.owner == Owner::Human, || {
            "a human spoke through us without owning the conversation".into()
        });
        self.demand(
            expected.is_none_or(|expected| expected == talk.epoch),
            || {
                format!(
                    "a human expected epoch {expected:?} and spoke in {}",
                    talk.epoch
                )
            },
        );
    }

    /// Whether the agent's words are of today; what is not must be superseded, and nothing else may be.
    pub(super) fn check_agent_words(
        &mut self,
        key: &ConversationKey,
        event: &NewEvent,
        text: &str,
    ) -> bool {
        let talk = self.talk(key).clone();
        let Some(spoken_in) = self.spoken.get(text).copied() else {
            self.blame(format!("nobody said {text}"));
            return false;
        };
        let of_today = spoken_in == talk.session_epoch();
        // Under an id that does not change, late words after a handback look like those of today. This one case, in
        // which the agent owns the conversation again, cannot be told apart.
        let looks_alike = !self.setup.fence && talk.owner == Owner::Agent && !of_today;
        if looks_alike {
            return !event.superseded;
        }
        let current = of_today && talk.owner == Owner::Agent;
        self.demand(event.superseded != current, || {
            format!(
                "{text} of epoch {spoken_in} is superseded: {}",
                event.superseded
            )
        });
        // Without a fence the id names the newest session that used it.
        let named = if self.setup.fence {
            spoken_in
        } else {
            talk.session_epoch()
        };
        self.demand(event.owner_epoch == named, || {
            format!(
                "{text} of epoch {named} is recorded under {}",
                event.owner_epoch
            )
        });
        current
    }

    /// What a row may become, and when a request may leave.
    pub(super) fn check_transition(&mut self, row: &Delivery, before: Option<State>) {
        let what = format!("{:?} #{}", row.kind, row.sequence);
        let from_source = row.direction == Direction::Source;
        let allowed = match (before, row.state) {
            (None, to) => matches!(to, State::Queued | State::Attempting | State::Held),
            (Some(from), to) if from == to => true,
            (Some(State::Held | State::Superseded), _) => false,
            (Some(State::Delivered), to) => to == State::Failed && from_source,
            (Some(State::Unknown), State::Delivered | State::Failed) => from_source,
            (Some(State::Unknown | State::Failed), to) => {
                !from_source && matches!(to, State::Queued | State::Attempting | State::Held)
            }
            _ => true,
        };
        self.demand(allowed, || {
            format!("{what} goes from {before:?} to {:?}", row.state)
        });
        if row.state.is_final() && before != Some(row.state) {
            self.check_end(row, &what);
        }
    }

    /// A row stays in the epoch of its commit. One that awaited the owner follows the next change, if that gives the
    /// conversation back; a handover serves the change that wants it next, and is the human's once it is done; what is
    /// sent again is a new one.
    pub(super) fn check_epoch(&mut self, row: &Delivery) {
        let Some(kept) = self.rows.get(&row.id).map(|row| row.now.clone()) else {
            return;
        };
        let again = matches!(kept.state, State::Unknown | State::Failed);
        let handed_over = row.kind == DeliveryKind::Escalate
            && row.part > 0
            && self.talk(&row.key).owner == Owner::Human;
        let talk = self.talk(&row.key);
        let given_back = kept.awaits_owner
            && talk.owner == Owner::Agent
            && row.owner_epoch == kept.owner_epoch + 1;
        let serves = matches!(row.kind, DeliveryKind::Escalate | DeliveryKind::Resume)
            && row.owner_epoch == talk.epoch;
        let may_move = given_back || serves || again || handed_over;
        self.demand(may_move || kept.owner_epoch == row.owner_epoch, || {
            let (before, now) = (kept.owner_epoch, row.owner_epoch);
            format!(
                "{:?} #{} moves from epoch {before} to {now}",
                row.kind, row.sequence
            )
        });
    }

    /// A request is about to leave: only for today's owner.
    pub(super) fn check_attempt(&mut self, row: &Delivery) {
        let what = format!("{:?} #{}", row.kind, row.sequence);
        let talk = self.talk(&row.key).clone();
        self.demand(row.owner_epoch == talk.epoch, || {
            format!(
                "{what} of epoch {} is sent in epoch {}",
                row.owner_epoch, talk.epoch
            )
        });
        let escalating = self.is_escalating(&row.key);
        let by_agent = talk.owner == Owner::Agent;
        let fits = match row.kind {
            DeliveryKind::Start
            | DeliveryKind::Message
            | DeliveryKind::Parameters
            | DeliveryKind::Reply
            | DeliveryKind::Resume => by_agent,
            DeliveryKind::Human => talk.owner == Owner::Human,
            // One that may have been done is done again until that is clear, whatever was answered meanwhile.
            DeliveryKind::Escalate => {
                talk.owner == Owner::Human || by_agent && (escalating || row.unclear)
            }
            // The agent is told of the end whoever owns the conversation.
            DeliveryKind::End => true,
        };
        self.demand(fits, || {
            format!("{what} is sent while the owner is {:?}", talk.owner)
        });
        self.demand(!(escalating && row.direction == Direction::Agent), || {
            format!("{what} is sent while an escalation is open")
        });
    }

    /// What a row has become agrees with what was seen of it.
    fn check_end(&mut self, row: &Delivery, what: &str) {
        let words = matches!(row.kind, DeliveryKind::Reply | DeliveryKind::Human);
        if row.direction != Direction::Source || !words {
            return;
        }
        let parts = match row.kind {
            DeliveryKind::Reply => self.setup.parts(),
            _ => 1,
        };
        let arrived = self.rows.get(&row.id).map_or(0, |row| row.arrived.len());
        if row.state == State::Superseded {
            self.demand(arrived < parts, || {
                format!("{what} was shown and is called superseded")
            });
        }
        if row.state == State::Unknown && row.read_back_since.is_some() {
            let age = self.now.since(row.queued_at);
            self.demand(age > super::setup::MAX_QUEUE_AGE, || {
                format!("{what} is called unknown and could be read back")
            });
        }
        if row.state == State::Delivered {
            self.demand(arrived == parts, || {
                format!("{what} is called delivered and {arrived} of {parts} parts were shown")
            });
        }
    }

    /// A unit of work is over: what it saved agrees with what it told.
    pub(super) fn end_unit(&mut self, now: Timestamp) {
        let unit = std::mem::take(&mut self.unit);
        for (key, saved) in &unit.saved {
            let talk = self.talk(key);
            talk.known = saved.known;
            talk.has_source = saved.source.is_some();
            let talk = talk.clone();
            let agrees = (saved.owner, saved.owner_epoch, saved.sequence)
                == (talk.owner, talk.epoch, talk.sequence);
            self.demand(agrees, || "what was saved is not what the log says".into());
        }
        for key in &unit.keys {
            let (owner, epoch) = (self.talk(key).owner, self.talk(key).epoch);
            let older = self.open_escalations(key).any(|asked| asked.epoch != epoch);
            let escalates = self.is_escalating(key);
            self.demand(!older && (owner == Owner::Agent || !escalates), || {
                format!("an escalation stays open although the owner is {owner:?} in epoch {epoch}")
            });
        }
        for key in &unit.ended {
            let asked = self
                .requests
                .values()
                .any(|asked| asked.now.closed.is_none() && asked.now.key.as_ref() == Some(key));
            self.demand(!asked, || "a question stays open after the end".into());
        }
        for (key, sequence, held) in unit.heard {
            let row = self.rows.values().any(|row| {
                row.now.key == key
                    && row.now.sequence == sequence
                    && row.now.kind == DeliveryKind::Message
                    && (row.now.state == State::Held) == held
            });
            self.demand(row, || {
                format!("#{sequence} is held: {held}, and its row is not")
            });
        }
        for (key, sequence, current) in unit.said {
            let row = self.rows.values().any(|row| {
                row.now.key == key
                    && row.now.sequence == sequence
                    && row.now.kind == DeliveryKind::Reply
            });
            self.demand(row == current, || {
                format!("what the agent said in #{sequence} goes to the source: {row}")
            });
        }
        for id in unit.attempts {
            self.check_knowledge(&id, now);
        }
    }

    /// Where the owner can be read, nothing goes on old or doubtful knowledge.
    fn check_knowledge(&mut self, id: &Id, now: Timestamp) {
        let row = self.rows[id].now.clone();
        let talk = self.talk(&row.key).clone();
        if !self.setup.reads_owner || !talk.has_source {
            return;
        }
        let known = talk.known;
        let doubtful = known.expires_at.is_some_and(|expires_at| now >= expires_at);
        let stale = doubtful
            || known.evidence == Evidence::Assumed
            || now.since(known.observed_at) > super::setup::OWNER_MAX_AGE;
        let wrong = match row.kind {
            DeliveryKind::Reply => doubtful,
            DeliveryKind::Start | DeliveryKind::Message => stale,
            _ => false,
        };
        self.demand(!wrong, || {
            format!(
                "{:?} #{} is sent on old knowledge of the owner",
                row.kind, row.sequence
            )
        });
    }

    /// Silence for want of an owner has an end.
    pub(super) fn check_unknown(&mut self, now: Timestamp) {
        let limit = super::setup::OWNER_UNKNOWN_MAX;
        let late = self.talks.values().any(|talk| {
            talk.unknown_since
                .is_some_and(|since| now.since(since) >= limit)
        });
        self.demand(!late, || {
            "nobody owns it for longer than owner_unknown_max".into()
        });
    }
}
