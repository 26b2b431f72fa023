//! Who says that a team is online.

use async_trait::async_trait;

use crate::domain::{
    Error, Id, Result, Timestamp,
    ports::{Transaction, Unit},
};

use super::{Availability, AvailabilityScope, Caller, Conversations, SetAvailability};

impl Conversations {
    pub async fn set_availability(
        &self,
        caller: &Caller,
        command: SetAvailability,
    ) -> Result<Availability> {
        let directory = self.live.directory();
        let agent = match &command.scope {
            AvailabilityScope::Agent(name) => directory
                .agent_of(caller.tenant.as_str(), name.as_str())
                .ok_or_else(|| Error::not_found("agent", name))?
                .name
                .clone(),
            AvailabilityScope::Account(name) => {
                directory.account(&caller.tenant, name)?.1.name.clone()
            }
        };
        let expires_at = self.clock.now() + command.time_to_live;
        let unit = Publish {
            agent,
            command,
            expires_at,
        };
        let online = self.committer.submit(unit).await?.output;
        Ok(Availability { online, expires_at })
    }
}

#[derive(Debug)]
struct Publish {
    agent: Id,
    command: SetAvailability,
    expires_at: Timestamp,
}

#[async_trait]
impl Unit for Publish {
    type Output = bool;

    async fn run(&self, tx: &mut dyn Transaction) -> Result<bool> {
        let SetAvailability {
            team,
            publisher,
            online,
            ..
        } = &self.command;
        tx.set_availability(
            &self.agent,
            team,
            publisher.as_str(),
            *online,
            self.expires_at,
        )
        .await?;
        Ok(tx.availability(&self.agent, team).await?.unwrap_or(false))
    }
}
