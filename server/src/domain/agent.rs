//! Agents and accounts as they are configured: what the rules need to know of them.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use super::{
    error::{Error, Result},
    id::Id,
    identity::tenant_of,
    network::AllowList,
    parameter::Parameter,
    request::RequestKind,
    source::{Capabilities, SourceSettings},
};

/// How one agent is to be treated, whatever platform it lives on.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a setting of its own, read by its name"
)]
pub struct AgentSettings {
    pub name: Id,
    /// Nothing is sent to it for now.
    pub paused: bool,
    /// From where its webhooks may come.
    pub allowed: AllowList,
    /// How long the platform keeps a session without a word.
    pub session_timeout: Duration,
    /// How long one request to the platform may take.
    pub send_timeout: Duration,
    /// How long a delivery may wait before it fails.
    pub max_queue_age: Duration,
    /// How many deliveries may wait.
    pub max_queued: usize,
    /// How many questions may be open; above it the fallback is sent at once.
    pub max_open_requests: usize,
    pub action_time_limit: Duration,
    pub escalation_time_limit: Duration,
    pub availability_time_limit: Duration,
    /// How long a repeated question gets the stored answer; zero: never.
    pub repeat_window: Duration,
    /// Change the id that the platform sees at each handback.
    pub fence_by_id: bool,
    /// Words of a human are refused in the platform's widget until one has joined.
    pub human_must_join: bool,
    /// The account of conversations that the agent begins and no prefix tells.
    pub default_account: Option<Id>,
    /// The parameter that carries the note of a handback.
    pub handback_parameter: String,
    /// Keys of parameters that are personal whatever is said of them, in lower case.
    pub always_personal: HashSet<String>,
    pub action_fallback: ActionFallback,
    /// Hand the visitor to a human although nobody answered the escalation.
    pub accept_unanswered_escalations: bool,
    /// What an action that is not declared is answered, when any is declared.
    pub refuse_unlisted_actions: bool,
    /// Declared actions by name. Empty: every name is offered.
    pub actions: HashMap<String, ActionSettings>,
}

/// How one action is to be treated.
#[derive(Debug, Clone)]
pub struct ActionSettings {
    pub time_limit: Option<Duration>,
    pub fallback: Option<ActionFallback>,
}

/// What an action is answered when nobody else answers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionFallback {
    /// An empty success: the dialogue goes on.
    Empty,
    /// A failure: the platform does what its author set up for it.
    Error,
    /// A success with these results.
    Results(Vec<Parameter>),
}

impl AgentSettings {
    /// The tenant that it belongs to.
    pub fn tenant(&self) -> &str {
        tenant_of(self.name.as_str())
    }

    /// The time a question has in all; `action` is the action's name.
    pub fn time_limit(&self, kind: RequestKind, action: &str) -> Duration {
        match kind {
            RequestKind::Action => self
                .actions
                .get(action)
                .and_then(|settings| settings.time_limit)
                .unwrap_or(self.action_time_limit),
            RequestKind::Escalation => self.escalation_time_limit,
            RequestKind::Availability => self.availability_time_limit,
        }
    }

    /// Marks those parameters as personal that always are.
    pub fn mark_personal(&self, parameters: &mut [Parameter]) {
        for parameter in parameters {
            parameter.personal |= self
                .always_personal
                .contains(&parameter.key.to_ascii_lowercase());
        }
    }

    pub fn action_fallback(&self, action: &str) -> &ActionFallback {
        self.actions
            .get(action)
            .and_then(|settings| settings.fallback.as_ref())
            .unwrap_or(&self.action_fallback)
    }

    /// Whether the action may be offered to subscribers.
    pub fn offers(&self, action: &str) -> bool {
        self.actions.is_empty() || self.actions.contains_key(action)
    }
}

/// A customer account.
#[derive(Debug, Clone)]
pub struct Account {
    pub name: Id,
    pub agent: Id,
    /// Put before the id that the platform sees; empty for none.
    pub upstream_prefix: String,
    /// The source that brings its visitors.
    pub source: Option<Id>,
}

impl Account {
    /// The tenant that it belongs to: its agent's.
    pub fn tenant(&self) -> &str {
        tenant_of(self.agent.as_str())
    }
}

/// A source as the rules see it.
#[derive(Debug)]
pub struct SourceEntry {
    pub settings: SourceSettings,
    pub capabilities: Capabilities,
    /// What kind of system it is, as the configuration names it.
    pub system: &'static str,
}

/// All agents and accounts.
#[derive(Debug, Default)]
pub struct Directory {
    agents: HashMap<Id, Arc<AgentSettings>>,
    /// By tenant and name: two tenants may have accounts of one name.
    accounts: HashMap<Id, HashMap<Id, Arc<Account>>>,
    sources: HashMap<Id, Arc<SourceEntry>>,
}

impl Directory {
    pub fn new(agents: Vec<AgentSettings>, accounts: Vec<Account>) -> Self {
        let mut by_tenant: HashMap<Id, HashMap<Id, Arc<Account>>> = HashMap::new();
        for account in accounts {
            let tenant = Id::trusted(account.tenant());
            let of_tenant = by_tenant.entry(tenant).or_default();
            of_tenant.insert(account.name.clone(), Arc::new(account));
        }
        Self {
            agents: agents
                .into_iter()
                .map(|agent| (agent.name.clone(), Arc::new(agent)))
                .collect(),
            accounts: by_tenant,
            sources: HashMap::new(),
        }
    }

    /// With these sources.
    #[must_use]
    pub fn with_sources(mut self, sources: Vec<SourceEntry>) -> Self {
        let named = sources
            .into_iter()
            .map(|source| (source.settings.name.clone(), Arc::new(source)));
        self.sources = named.collect();
        self
    }

    pub fn source(&self, name: &str) -> Option<&Arc<SourceEntry>> {
        self.sources.get(name)
    }

    pub fn sources(&self) -> impl Iterator<Item = &Arc<SourceEntry>> {
        self.sources.values()
    }

    /// Every account of a tenant, in the order of their names.
    pub fn accounts(&self, tenant: &str) -> Vec<&Arc<Account>> {
        let mut accounts: Vec<_> = self.of_tenant(tenant).collect();
        accounts.sort_by(|one, other| one.name.cmp(&other.name));
        accounts
    }

    /// The account whose visitors a source brings, with its agent.
    pub fn account_of_source(&self, source: &str) -> Option<(&Arc<Account>, &Arc<AgentSettings>)> {
        let mut accounts = self.of_tenant(tenant_of(source));
        let account = accounts.find(|account| {
            account
                .source
                .as_ref()
                .is_some_and(|name| name.as_str() == source)
        })?;
        Some((account, self.agents.get(&account.agent)?))
    }

    pub fn agent(&self, name: &str) -> Option<&Arc<AgentSettings>> {
        self.agents.get(name)
    }

    pub fn agents(&self) -> impl Iterator<Item = &Arc<AgentSettings>> {
        self.agents.values()
    }

    /// The agent, if it belongs to this tenant.
    pub fn agent_of(&self, tenant: &str, name: &str) -> Option<&Arc<AgentSettings>> {
        self.agent(name).filter(|agent| agent.tenant() == tenant)
    }

    /// The tenant's account with its agent, or `NotFound`.
    pub fn account(&self, tenant: &Id, name: &Id) -> Result<(&Arc<Account>, &Arc<AgentSettings>)> {
        let account = self
            .accounts
            .get(tenant)
            .and_then(|accounts| accounts.get(name))
            .ok_or_else(|| Error::not_found("account", name))?;
        let agent = self
            .agents
            .get(&account.agent)
            .ok_or_else(|| Error::not_found("agent", &account.agent))?;
        Ok((account, agent))
    }

    /// The names of the accounts that an agent serves.
    pub fn accounts_of(&self, agent: &str) -> impl Iterator<Item = &Id> {
        self.of_tenant(tenant_of(agent))
            .filter(move |account| account.agent.as_str() == agent)
            .map(|account| &account.name)
    }

    /// Whose conversation an id is that the platform names first: the account with the longest matching prefix, then
    /// the agent's default account, then its only one. Answers the account and our own id.
    pub fn account_of_upstream(
        &self,
        agent: &AgentSettings,
        upstream_id: &str,
    ) -> Option<(&Arc<Account>, String)> {
        let mine = || {
            self.of_tenant(agent.tenant())
                .filter(|account| account.agent == agent.name)
        };
        let prefixed = mine()
            .filter(|account| !account.upstream_prefix.is_empty())
            .filter_map(|account| {
                Some((
                    account,
                    upstream_id.strip_prefix(account.upstream_prefix.as_str())?,
                ))
            })
            .filter(|(_, rest)| !rest.is_empty())
            .max_by_key(|(account, _)| account.upstream_prefix.len());
        if let Some((account, rest)) = prefixed {
            return Some((account, rest.to_owned()));
        }
        let default = agent
            .default_account
            .as_ref()
            .and_then(|name| mine().find(|account| account.name == *name));
        let account = default.or_else(|| {
            let mut all = mine();
            all.next().filter(|_| all.next().is_none())
        })?;
        Some((account, upstream_id.to_owned()))
    }

    fn of_tenant(&self, tenant: &str) -> impl Iterator<Item = &Arc<Account>> {
        let accounts = self.accounts.get(tenant);
        accounts.into_iter().flat_map(HashMap::values)
    }
}
