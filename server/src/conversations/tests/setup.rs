//! What varies between two histories, and what may happen in one.

use std::{collections::HashMap, time::Duration};

use proptest::prelude::*;

use crate::domain::{
    Account, ActionFallback, AgentSettings, Capabilities, Directory, Id, Owner, SourceEntry,
    SourceSettings,
};

pub(super) const OWNER_MAX_AGE: Duration = Duration::from_secs(90);
pub(super) const OWNER_UNKNOWN_MAX: Duration = Duration::from_mins(2);
const HUMAN_MAX_AGE: Duration = Duration::from_secs(20);
pub(super) const MAX_QUEUE_AGE: Duration = Duration::from_mins(5);

/// Longer than any history: a call that is held ends when it is released.
pub(super) const FOR_EVER: Duration = Duration::from_hours(1);

pub(super) const AGENT: &str = "bot";
pub(super) const SOURCE: &str = "desk";
pub(super) const ACCOUNT: &str = "shop";

/// One house and its neighbours.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each varies by itself")]
pub(super) struct Setup {
    pub fence: bool,
    pub reads_owner: bool,
    pub reads_back: bool,
    pub hands_over: bool,
    pub with_text: bool,
    pub takes_escalations: bool,
    /// The source refuses the agent's words while a human is there.
    pub enforces: bool,
    pub accepts_unanswered: bool,
    pub settles: bool,
    pub unknown_then_human: bool,
    /// What the agent says takes two messages at the source.
    pub in_two_parts: bool,
}

pub(super) fn setups() -> impl Strategy<Value = Setup> {
    let flags = prop::array::uniform10(any::<bool>());
    // The exception is the rarer one.
    (prop::bool::weighted(0.75), flags).prop_map(|(fence, flags)| {
        let [
            reads_owner,
            reads_back,
            hands_over,
            with_text,
            takes_escalations,
            ..,
        ] = flags;
        let [
            ..,
            enforces,
            accepts_unanswered,
            settles,
            unknown_then_human,
            in_two_parts,
        ] = flags;
        Setup {
            fence,
            reads_owner,
            reads_back,
            hands_over,
            with_text,
            takes_escalations,
            enforces,
            accepts_unanswered,
            settles,
            unknown_then_human,
            in_two_parts,
        }
    })
}

impl Setup {
    pub(super) fn parts(self) -> usize {
        if self.in_two_parts { 2 } else { 1 }
    }

    pub(super) fn capabilities(self) -> Capabilities {
        Capabilities {
            text_chars: if self.in_two_parts { 30 } else { 100 },
            offers: &[],
            cards: None,
            hands_over: self.hands_over,
            hands_over_with_text: self.with_text,
            reads_owner: self.reads_owner,
            reads_back: self.reads_back,
            agent_window: None,
            human_window: None,
        }
    }

    pub(super) fn directory(self) -> Directory {
        let account = Account {
            name: Id::trusted(ACCOUNT),
            agent: Id::trusted(AGENT),
            upstream_prefix: String::new(),
            source: Some(Id::trusted(SOURCE)),
        };
        let source = SourceEntry {
            settings: self.source(),
            capabilities: self.capabilities(),
            system: "test",
        };
        Directory::new(vec![self.agent()], vec![account]).with_sources(vec![source])
    }

    fn agent(self) -> AgentSettings {
        AgentSettings {
            name: Id::trusted(AGENT),
            paused: false,
            allowed: crate::domain::AllowList::default(),
            session_timeout: Duration::from_mins(10),
            send_timeout: FOR_EVER,
            max_queue_age: MAX_QUEUE_AGE,
            max_queued: 1000,
            max_open_requests: 100,
            action_time_limit: FOR_EVER,
            escalation_time_limit: FOR_EVER,
            availability_time_limit: FOR_EVER,
            repeat_window: Duration::from_secs(30),
            fence_by_id: self.fence,
            human_must_join: false,
            default_account: None,
            handback_parameter: "handback_note".into(),
            always_personal: std::collections::HashSet::new(),
            action_fallback: ActionFallback::Empty,
            accept_unanswered_escalations: self.accepts_unanswered,
            refuse_unlisted_actions: false,
            actions: HashMap::new(),
        }
    }

    fn source(self) -> SourceSettings {
        let everywhere = |text: &str| HashMap::from([(String::new(), text.to_owned())]);
        SourceSettings {
            name: Id::trusted(SOURCE),
            allowed: crate::domain::AllowList::default(),
            send_timeout: FOR_EVER,
            max_queue_age: MAX_QUEUE_AGE,
            takes_escalations: self.takes_escalations,
            handover_phrases: HashMap::from([(String::new(), vec!["a human please".into()])]),
            handover_text: everywhere("Somebody will be with you."),
            sign_texts: crate::domain::source::SignTexts::default(),
            owner_settles: Duration::from_secs(if self.settles { 5 } else { 0 }),
            owner_max_age: OWNER_MAX_AGE,
            human_max_age: HUMAN_MAX_AGE,
            owner_unknown_max: OWNER_UNKNOWN_MAX,
            owner_unknown_then: if self.unknown_then_human {
                Owner::Human
            } else {
                Owner::Agent
            },
        }
    }
}
