//! Whether an agent's platform takes its credentials.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Admin, act::Act, objects::Kind};
use crate::domain::{
    Error, Identity, Refusal, Result, Sent, administration::ResourceKind, ports::Probed,
};

/// What a test came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tested {
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
    /// Asks the platform. A paused agent can be tested, too, and one of the configuration.
    pub async fn test(self: &Arc<Self>, identity: &Identity, name: &str) -> Result<Tested> {
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
        let begun = Instant::now();
        // Nothing here touches the database, so it may be given up.
        let answer = tokio::time::timeout(settings.send_timeout, agent.probe()).await;
        let tested = tested(answer.ok(), begun.elapsed());
        let act = act
            .with("verdict", tested.verdict.name())
            .with("status", tested.status);
        self.commit(Vec::new(), act.record(None)).await?;
        Ok(tested)
    }
}

fn tested(answer: Option<Probed>, took: Duration) -> Tested {
    let Some(Probed { sent, status }) = answer else {
        return Tested {
            verdict: Verdict::Unclear,
            status: None,
            took,
            text: "no answer within the agent's send_timeout".to_owned(),
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
