//! Which events a subscriber asked for.

use crate::domain::{Directory, EventKind, Id, StoredEvent};

/// A subscriber's choice. Empty lists match everything; several lists must all match.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Sorted, for search; small for most.
    accounts: Box<[Id]>,
    conversations: Box<[Id]>,
    /// The agents that serve the accounts: an event without an account concerns them all.
    agents: Box<[Id]>,
    /// One bit per kind's number.
    kinds: u32,
}

/// What of an event decides whom it concerns.
#[derive(Debug, Clone)]
pub struct Concerns {
    pub agent: Id,
    pub account: Option<Id>,
    pub conversation_id: Option<Id>,
    pub kind: EventKind,
}

impl Filter {
    /// Everything.
    pub fn all() -> Self {
        Self::new(Vec::new(), Vec::new(), &[], &Directory::default())
    }

    /// The directory tells which agents serve the accounts. An account that it does not know matches what is
    /// recorded under its name.
    pub fn new(
        accounts: Vec<Id>,
        conversations: Vec<Id>,
        kinds: &[EventKind],
        directory: &Directory,
    ) -> Self {
        let agents = accounts
            .iter()
            .filter_map(|account| directory.account(account).ok())
            .map(|(_, agent)| agent.name.clone())
            .collect();
        let kinds = match kinds {
            [] => u32::MAX,
            some => some.iter().fold(0, |all, kind| all | bit(*kind)),
        };
        Self {
            accounts: sorted(accounts),
            conversations: sorted(conversations),
            agents: sorted(agents),
            kinds,
        }
    }

    pub fn matches(&self, event: &Concerns) -> bool {
        self.kinds & bit(event.kind) != 0
            && self.matches_account(event)
            && (self.conversations.is_empty()
                || event
                    .conversation_id
                    .as_ref()
                    .is_some_and(|id| holds(&self.conversations, id)))
    }

    /// Whether an event of this kind that belongs to the agent and to no conversation would match.
    pub fn matches_of_agent(&self, agent: &Id, kind: EventKind) -> bool {
        self.kinds & bit(kind) != 0
            && self.conversations.is_empty()
            && (self.accounts.is_empty() || holds(&self.agents, agent))
    }

    pub(super) fn accounts(&self) -> &[Id] {
        &self.accounts
    }

    pub(super) fn conversations(&self) -> &[Id] {
        &self.conversations
    }

    pub(super) fn agents(&self) -> &[Id] {
        &self.agents
    }

    fn matches_account(&self, event: &Concerns) -> bool {
        self.accounts.is_empty()
            || match &event.account {
                Some(account) => holds(&self.accounts, account),
                None => holds(&self.agents, &event.agent),
            }
    }
}

impl From<&StoredEvent> for Concerns {
    fn from(event: &StoredEvent) -> Self {
        Self {
            agent: event.agent.clone(),
            account: event.account.clone(),
            conversation_id: event.conversation_id.clone(),
            kind: event.kind,
        }
    }
}

fn bit(kind: EventKind) -> u32 {
    1 << kind.number()
}

fn sorted(mut ids: Vec<Id>) -> Box<[Id]> {
    ids.sort_unstable();
    ids.dedup();
    ids.into_boxed_slice()
}

fn holds(sorted: &[Id], id: &Id) -> bool {
    match sorted {
        [only] => only == id,
        many => many.binary_search(id).is_ok(),
    }
}
