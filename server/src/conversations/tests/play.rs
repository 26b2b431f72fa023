//! Plays a history: each step as its own task, so that what follows need not wait for it.

use std::{sync::Arc, time::Duration};

use super::{
    ledger::Talk,
    setup::{AGENT, FOR_EVER},
    steps::Step,
    world::{World, breathe, tenant},
};
use crate::{
    conversations::{Conversations, SendMessage},
    domain::{
        AgentMessage, ConversationKey, Id, Question, Result,
        inbound::{Inbound, InboundBody},
        source::SourceEvent,
    },
};

/// A history as it is played.
pub(super) struct Play {
    pub world: World,
    /// What the source has told, the newest last: it may arrive late, and again.
    pub post: Vec<SourceEvent>,
    /// What was sent by call, to be sent again.
    pub sent: Vec<SendMessage>,
    /// Counts words and ids, so that each is said once.
    said: usize,
}

impl Play {
    pub(super) fn new(world: World) -> Self {
        Self {
            world,
            post: Vec::new(),
            sent: Vec::new(),
            said: 0,
        }
    }

    pub(super) fn step(&mut self, step: &Step, comes_to_rest: bool) {
        self.world.ledger.lock().tell(format!("{step:?}"));
        match *step {
            Step::AgentSpeaks { contact, back } => self.agent_speaks(contact, back),
            Step::AgentEscalates {
                contact,
                back,
                expired,
            } => self.agent_escalates(contact, back, expired),
            Step::AgentWill(fate, held) => self.world.outside.agent_will(fate, held),
            Step::SourceWill(fate, held) => self.world.outside.source_will(fate, held),
            Step::ReadingWill(reading, held) => self.world.outside.reading_will(reading, held),
            Step::Release(count) => self.world.outside.release(usize::from(count)),
            Step::TimePasses(seconds) => self.world.pass(Duration::from_secs(seconds.into())),
            Step::Housekeeping => self.world.tidy(),
            Step::Restart => self.world.restart(),
            ref other => {
                self.at_source(other);
                self.command(other);
            }
        }
        if comes_to_rest {
            self.world.settle();
        } else {
            self.world.run(breathe());
        }
    }

    /// The conversation of this visitor, as it is now.
    pub(super) fn talk(&self, contact: u8) -> Option<(ConversationKey, Talk)> {
        let mut ledger = self.world.ledger.lock();
        let key = ledger.addresses.get(&contact.to_string())?.clone();
        let talk = ledger.talk(&key).clone();
        Some((key, talk))
    }

    /// Begins a call; how it ends is told.
    pub(super) fn call<T, F>(&self, call: impl FnOnce(Arc<Conversations>) -> F + Send + 'static)
    where
        F: Future<Output = Result<T>> + Send + 'static,
        T: Send + 'static,
    {
        let house = Arc::clone(&self.world.process().conversations);
        let ledger = self.world.ledger.clone();
        self.world.run(async {
            tokio::spawn(async move {
                if let Err(error) = call(house).await {
                    ledger.lock().tell(format!("   refused: {error:?}"));
                }
            });
        });
    }

    pub(super) fn next(&mut self, what: &str) -> String {
        format!("{what}{}", self.count())
    }

    pub(super) fn next_id(&mut self, what: &str) -> Id {
        Id::trusted(self.next(what))
    }

    pub(super) fn count(&mut self) -> usize {
        self.said += 1;
        self.said
    }

    fn agent_speaks(&mut self, contact: u8, back: u8) {
        let name = self.next("a");
        let text = if self.world.ledger.lock().setup.in_two_parts {
            format!("{name} says this first. {name} says that then.")
        } else {
            format!("{name} says this.")
        };
        let Some((upstream_id, epoch)) = self.session(contact, back) else {
            return;
        };
        self.world.ledger.lock().spoken.insert(text.clone(), epoch);
        let message = AgentMessage {
            text,
            ..AgentMessage::default()
        };
        self.agent_posts(upstream_id, InboundBody::Message(message), Duration::ZERO);
    }

    fn agent_escalates(&mut self, contact: u8, back: u8, expired: bool) {
        let Some((upstream_id, _)) = self.session(contact, back) else {
            return;
        };
        let question = Question::Escalation {
            target: "humans".into(),
            raw: String::new(),
        };
        let age = if expired { FOR_EVER } else { Duration::ZERO };
        self.agent_posts(upstream_id, InboundBody::Question(question), age);
    }

    fn agent_posts(&mut self, upstream_id: String, body: InboundBody, age: Duration) {
        let inbound = Inbound {
            upstream_id: Some(upstream_id),
            internal_id: None,
            platform_event_id: None,
            body,
        };
        let webhook = self.world.outside.agent_posts(inbound);
        self.call(move |house| async move {
            let reply = house.receive(&tenant(), AGENT, &webhook, "", age).await;
            Ok(reply.status)
        });
    }

    /// An id that the agent knows, and the epoch of the session in which it learnt it.
    fn session(&self, contact: u8, back: u8) -> Option<(String, u64)> {
        let (_, talk) = self.talk(contact)?;
        let count = talk.upstream.len();
        talk.upstream
            .get(count.checked_sub(1)? - usize::from(back) % count)
            .cloned()
    }
}
