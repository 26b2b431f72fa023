//! Whether an agent's platform takes its credentials.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{Admin, act::Act, objects::Kind};
use crate::domain::{
    Error, Identity, Refusal, Result, Sent,
    administration::ResourceKind,
    ports::{Agent, Probed},
};

/// What the test of one key came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tested {
    /// The setting that holds the key.
    pub setting: &'static str,
    pub verdict: Verdict,
    /// HTTP; absent when there was none.
    pub status: Option<u16>,
    pub took: Duration,
    /// What the platform said, redacted.
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    CredentialsOk,
    CredentialsRefused,
    BotUnknown,
    Unreachable,
    Unclear,
}

impl Verdict {
    /// As it is recorded.
    pub fn name(self) -> &'static str {
        match self {
            Self::CredentialsOk => "CREDENTIALS_OK",
            Self::CredentialsRefused => "CREDENTIALS_REFUSED",
            Self::BotUnknown => "BOT_UNKNOWN",
            Self::Unreachable => "UNREACHABLE",
            Self::Unclear => "UNCLEAR",
        }
    }
}

impl Admin {
    /// Asks the platform, once with each key that is in force: the first of what it answers is about the key that is meant
    /// to work, which another one could hide. A paused agent can be tested, too, and one of the configuration. All of it
    /// takes no more than `longest`.
    pub async fn test(
        self: &Arc<Self>,
        identity: &Identity,
        name: &str,
        longest: Duration,
    ) -> Result<Vec<Tested>> {
        let act = Act::new(identity, "TestAgent", ResourceKind::Agent.target(name));
        let known = self.object(identity, Kind::Agent, name);
        let setup = self.parts.live.setup();
        let found = setup.agents.get(name).zip(setup.directory.agent(name));
        let Some((agent, settings)) = found.filter(|_| known.is_ok()) else {
            let error = Error::not_found("agent", name);
            let refused = Some((self.parts.reason)(&error));
            self.commit(Vec::new(), act.record(refused)).await?;
            return Err(error);
        };
        // Nothing here touches the database, so it may be given up.
        let mut all = Vec::new();
        let keys = agent.keys_in_force();
        let share = longest / u32::try_from(keys.len().max(1)).unwrap_or(u32::MAX);
        let patience = settings.send_timeout.min(share);
        for setting in keys {
            all.push(test_key(agent.as_ref(), setting, patience).await);
        }
        let each = all.iter().map(|one| {
            json!({ "setting": one.setting, "verdict": one.verdict.name(), "status": one.status })
        });
        let act = act.with("keys", each.collect::<Vec<_>>());
        self.commit(Vec::new(), act.record(None)).await?;
        Ok(all)
    }
}

async fn test_key(agent: &dyn Agent, setting: &'static str, patience: Duration) -> Tested {
    let begun = Instant::now();
    let answer = tokio::time::timeout(patience, agent.probe(setting)).await;
    tested(setting, answer.ok(), begun.elapsed())
}

fn tested(setting: &'static str, answer: Option<Probed>, took: Duration) -> Tested {
    let Some(Probed { sent, status }) = answer else {
        return Tested {
            setting,
            verdict: Verdict::Unclear,
            status: None,
            took,
            text: "no answer within the agent's send_timeout, or the call's deadline".to_owned(),
        };
    };
    let (verdict, text) = match sent {
        Sent::Acknowledged | Sent::AcknowledgedAs { .. } => (Verdict::CredentialsOk, String::new()),
        Sent::Refused { refusal, detail } => (refused(refusal), detail),
        Sent::NotSent => (Verdict::Unreachable, String::new()),
        Sent::Busy { .. } | Sent::NotNow { .. } | Sent::Unclear => {
            (Verdict::Unclear, String::new())
        }
    };
    Tested {
        setting,
        verdict,
        status,
        took,
        text,
    }
}

fn refused(refusal: Refusal) -> Verdict {
    match refusal {
        Refusal::Credentials => Verdict::CredentialsRefused,
        Refusal::AgentUnknown => Verdict::BotUnknown,
        // It looked at the request itself, so it let us in: a conversation that does not exist is no good request.
        Refusal::Request => Verdict::CredentialsOk,
        Refusal::NotOwner | Refusal::WindowClosed | Refusal::Unreachable => Verdict::Unclear,
    }
}
