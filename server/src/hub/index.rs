//! Who is to be woken for an event: found by its tenant and then by its conversation, account or agent, so that it costs
//! nothing to others.

use std::collections::HashMap;

use super::filter::{Concerns, Filter};
use crate::domain::{Id, tenant_of};

/// Indexes of subscribers, one for each tenant: an event reaches those of its own alone.
#[derive(Debug, Default)]
pub struct Index {
    tenants: HashMap<Id, OfTenant>,
}

/// A tenant's subscribers, each under the narrowest thing that its filter names.
#[derive(Debug, Default)]
struct OfTenant {
    everyone: Vec<usize>,
    by_account: HashMap<Id, Vec<usize>>,
    /// Those who are listed by account, once more by the agents behind the accounts.
    by_agent: HashMap<Id, Vec<usize>>,
    by_conversation: HashMap<Id, Vec<usize>>,
    /// How many there are in all.
    count: usize,
}

impl Index {
    pub fn insert(&mut self, subscriber: usize, filter: &Filter) {
        let of_tenant = self.tenants.entry(filter.tenant().clone()).or_default();
        of_tenant.count += 1;
        of_tenant.lists(filter, &mut |list| list.push(subscriber));
    }

    pub fn remove(&mut self, subscriber: usize, filter: &Filter) {
        let Some(of_tenant) = self.tenants.get_mut(filter.tenant()) else {
            return;
        };
        of_tenant.remove(subscriber, filter);
        if of_tenant.count == 0 {
            self.tenants.remove(filter.tenant());
        }
    }

    /// Those of the tenant whose filter names nothing narrower than kinds: any event of it may concern them.
    pub fn everyone(&self, tenant: &Id) -> &[usize] {
        let of_tenant = self.tenants.get(tenant);
        of_tenant.map_or(&[], |of_tenant| &of_tenant.everyone)
    }

    /// All others whose filter may match; some twice, and some whose filter does not match after all.
    pub fn candidates(&self, event: &Concerns) -> impl Iterator<Item = usize> {
        let of_tenant = self.tenants.get(&event.tenant);
        of_tenant
            .into_iter()
            .flat_map(|of_tenant| of_tenant.candidates(event))
    }

    /// Everyone whose filter may match an event that belongs to the agent and to no conversation.
    pub fn candidates_of_agent(&self, agent: &Id) -> impl Iterator<Item = usize> {
        let of_tenant = self.tenants.get(tenant_of(agent.as_str()));
        of_tenant.into_iter().flat_map(|of_tenant| {
            let by_agent = of_tenant.by_agent.get(agent).into_iter().flatten();
            of_tenant.everyone.iter().chain(by_agent).copied()
        })
    }
}

impl OfTenant {
    fn remove(&mut self, subscriber: usize, filter: &Filter) {
        let mut found = false;
        self.lists(filter, &mut |list| {
            if let Some(at) = list.iter().position(|each| *each == subscriber) {
                list.swap_remove(at);
                found = true;
            }
        });
        self.count -= usize::from(found);
        for map in [
            (&mut self.by_account, filter.accounts()),
            (&mut self.by_agent, filter.agents()),
            (&mut self.by_conversation, filter.conversations()),
        ] {
            let (map, ids) = map;
            for id in ids {
                if map.get(id).is_some_and(Vec::is_empty) {
                    map.remove(id);
                }
            }
        }
    }

    fn candidates(&self, event: &Concerns) -> impl Iterator<Item = usize> {
        let by_account = match &event.account {
            Some(account) => self.by_account.get(account),
            None => self.by_agent.get(&event.agent),
        };
        let conversation = event.conversation_id.as_ref();
        let by_conversation = conversation.and_then(|id| self.by_conversation.get(id));
        let by_account = by_account.into_iter().flatten();
        by_account
            .chain(by_conversation.into_iter().flatten())
            .copied()
    }

    fn lists(&mut self, filter: &Filter, change: &mut dyn FnMut(&mut Vec<usize>)) {
        let mut each = |map: &mut HashMap<Id, Vec<usize>>, ids: &[Id]| {
            for id in ids {
                change(map.entry(id.clone()).or_default());
            }
        };
        if !filter.conversations().is_empty() {
            each(&mut self.by_conversation, filter.conversations());
        } else if !filter.accounts().is_empty() {
            each(&mut self.by_account, filter.accounts());
            each(&mut self.by_agent, filter.agents());
        } else {
            change(&mut self.everyone);
        }
    }
}
