//! The use cases: what callers and platforms may do to a conversation, each in its own file, in the order of a
//! conversation's life.

mod addressee;
mod arrive;
mod ask;
mod availability;
mod close;
pub mod commands;
mod contacts;
mod desk;
mod end;
mod erase;
mod erase_act;
mod erase_upstream;
mod hold;
mod housekeeping;
mod human;
mod look_again;
mod observe;
mod open;
mod outcome;
mod ownership;
mod parameters;
mod read;
mod receive;
mod record;
mod report;
mod respond;
mod send;
mod start;
mod tenant_retention;
mod to_source;
mod transfer;
mod visit;
mod visit_body;
mod webhook_address;
mod webhook_log;

#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

pub use close::{Closing, close};
pub use commands::{
    Availability, AvailabilityScope, Caller, ConversationView, Disposition, EndConversation, Ended,
    ErasePersonalData, ErasureSubject, Respond, Responded, SendHumanMessage, SendMessage,
    SentHumanMessage, SentMessage, SetAvailability, StartConversation, Started, Transfer,
    Transferred, UpdateParameters, Updated,
};
pub use desk::Desk;
pub use erase_upstream::{ErasureRules, Erasures};
pub use housekeeping::Housekeeping;
pub use observe::{Weight, observe};
pub use open::expire_if_due;
pub use ownership::{Change, give_to_agent, take_from_agent};
pub use read::EventsPage;
pub use record::{Recorded, record};
pub use tenant_retention::TenantAge;
pub use webhook_log::{Addressed, WebhookLog};

use crate::{
    committer::Committer,
    delivery::Breakers,
    domain::{Account, AgentSettings, Clock, Error, Id, Parameter, Result, ports::Store},
    hub::Hub,
    live::Live,
    metrics::Metrics,
    waiters::Waiters,
};

/// Everything the use cases work with.
#[derive(Debug)]
pub struct Conversations {
    pub store: Arc<dyn Store>,
    pub committer: Committer,
    pub live: Arc<Live>,
    pub breakers: Arc<Breakers>,
    pub waiters: Arc<Waiters>,
    pub hub: Arc<Hub>,
    pub clock: Arc<dyn Clock>,
    pub metrics: Arc<Metrics>,
    /// Other replicas use the database as well.
    pub is_shared: bool,
    /// Rung when there is something to erase at a platform.
    pub erasures: Arc<tokio::sync::Notify>,
    /// How long it is remembered what came before.
    pub idempotency_window: Duration,
    /// Beyond its deadline a webhook waits this long for the store before it gets the fallback unrecorded.
    pub store_patience: Duration,
    pub webhook_log: WebhookLog,
}

impl Conversations {
    /// The identity of the database, for cursors.
    pub fn epoch(&self) -> u64 {
        self.store.epoch()
    }

    /// What units of work need to know of this process.
    fn desk(&self) -> Desk {
        Desk {
            waiters: Arc::clone(&self.waiters),
            live: Arc::clone(&self.live),
        }
    }

    /// Whether some platform keeps this parameter key for itself.
    fn is_reserved(&self, key: &str) -> bool {
        let setup = self.live.setup();
        setup
            .agents
            .values()
            .any(|platform| platform.reserved_parameters().contains(&key))
    }

    /// The caller's account and its agent, once `parameters` are known to be allowed there.
    fn checked_account(
        &self,
        caller: &Caller,
        account: &Id,
        parameters: &[Parameter],
    ) -> Result<(Arc<Account>, Arc<AgentSettings>)> {
        let setup = self.live.setup();
        let (account, agent) = setup.directory.account(&caller.tenant, account)?;
        let platform = setup
            .agents
            .get(&agent.name)
            .ok_or_else(|| Error::not_found("agent", &agent.name))?;
        let reserved = platform.reserved_parameters();
        for (index, parameter) in parameters.iter().enumerate() {
            parameter.check(&format!("parameters[{index}]"))?;
            if reserved.contains(&parameter.key.as_str()) {
                let field = format!("parameters[{index}].key");
                return Err(Error::invalid(
                    field,
                    "is reserved by the agent's platform: choose another name",
                ));
            }
        }
        Ok((Arc::clone(account), Arc::clone(agent)))
    }
}
