//! Which events a subscriber asked for.

use crate::domain::{Directory, EventKind, Id, StoredEvent, tenant_of};

/// A subscriber's choice among the events of its tenant. Empty lists match everything there; several lists must all match.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Whose events they are. No filter reaches beyond.
    tenant: Id,
    /// Sorted, for search; small for most.
    accounts: Box<[Id]>,
    conversations: Box<[Id]>,
    /// The agents that serve the accounts: an event without an account concerns them all.
    agents: Box<[Id]>,
    /// Few.
    kinds: Box<[EventKind]>,
}

/// What of an event decides whom it concerns.
#[derive(Debug, Clone)]
pub struct Concerns {
    pub tenant: Id,
    pub agent: Id,
    pub account: Option<Id>,
    pub conversation_id: Option<Id>,
    pub kind: EventKind,
}

impl Filter {
    /// Everything of the tenant `default`.
    #[cfg(test)]
    pub fn all() -> Self {
        let tenant = Id::trusted(crate::domain::TENANT);
        Self::new(&tenant, Vec::new(), Vec::new(), &[], &Directory::default())
    }

    /// The directory tells which agents serve the accounts. An account that it does not know matches what is
    /// recorded under its name.
    pub fn new(
        tenant: &Id,
        accounts: Vec<Id>,
        conversations: Vec<Id>,
        kinds: &[EventKind],
        directory: &Directory,
    ) -> Self {
        let filter = Self {
            tenant: tenant.clone(),
            accounts: sorted(accounts),
            conversations: sorted(conversations),
            agents: Box::default(),
            kinds: kinds.into(),
        };
        filter.under(directory)
    }

    /// The same choice where the accounts have these agents.
    #[must_use]
    pub fn under(self, directory: &Directory) -> Self {
        let agents = self
            .accounts
            .iter()
            .filter_map(|account| directory.account(&self.tenant, account).ok())
            .map(|(_, agent)| agent.name.clone())
            .collect();
        Self {
            agents: sorted(agents),
            ..self
        }
    }

    pub fn matches(&self, event: &Concerns) -> bool {
        self.tenant == event.tenant
            && self.matches_kind(event.kind)
            && self.matches_account(event)
            && (self.conversations.is_empty()
                || event
                    .conversation_id
                    .as_ref()
                    .is_some_and(|id| holds(&self.conversations, id)))
    }

    /// Whether an event of this kind that belongs to the agent and to no conversation would match.
    pub fn matches_of_agent(&self, agent: &Id, kind: EventKind) -> bool {
        self.tenant.as_str() == tenant_of(agent.as_str())
            && self.matches_kind(kind)
            && self.conversations.is_empty()
            && (self.accounts.is_empty() || holds(&self.agents, agent))
    }

    pub(super) fn tenant(&self) -> &Id {
        &self.tenant
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

    fn matches_kind(&self, kind: EventKind) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
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
            tenant: event.tenant.clone(),
            agent: event.agent.clone(),
            account: event.account.clone(),
            conversation_id: event.conversation_id.clone(),
            kind: event.kind,
        }
    }
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
