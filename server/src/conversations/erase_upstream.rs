//! Erasures after their commit: the last copies here, and the platforms, which are asked until they acknowledge.

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use serde_json::json;
use tokio::task::{self, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    delivery::Backoff,
    domain::{
        EventBody, Id, LaneKey, Reason, Recipient, Refusal, Result, Sent, Timestamp,
        UpstreamErasure, UpstreamState,
        ports::{Transaction, Unit},
    },
};

use super::{Conversations, read::detached, record::record_apart};

/// Rows of one look: few enough that the next look is soon.
const AT_ONCE: usize = 50;
/// The longest time between two looks: what is due is known, but the clock may be set.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// How long a platform may take to answer. Only what else is to be asked of it waits.
const PATIENCE: Duration = Duration::from_secs(90);

/// Runs beside the calls. Holds nothing that must survive: a platform is asked once more rather than not at all, and to
/// erase twice is harmless.
#[derive(Debug, Clone)]
pub struct Erasures {
    pub conversations: Arc<Conversations>,
    pub rules: ErasureRules,
    /// Agents that are asked at one time.
    pub agents_at_once: usize,
}

/// For how long a platform is asked.
#[derive(Debug, Clone, Copy)]
pub struct ErasureRules {
    pub backoff: Backoff,
    /// How long a platform is asked at least.
    pub retry_for: Duration,
    /// How often a platform is asked at least.
    pub min_attempts: u32,
}

/// The agents that are being asked, each in a task of its own.
#[derive(Debug, Default)]
struct Asking {
    tasks: JoinSet<()>,
    agents: HashMap<task::Id, Id>,
}

impl Erasures {
    pub async fn run(self, stop: CancellationToken) {
        let mut asking = Asking::default();
        loop {
            let round = stop.run_until_cancelled(self.round(&mut asking)).await;
            let wait = match round {
                None => return,
                Some(Ok(wait)) => wait,
                Some(Err(error)) => {
                    tracing::warn!(%error, "erasures were not looked after and are looked at again");
                    LOOK_AGAIN
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.conversations.erasures.notified() => {}
                () = asking.one_ends() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Does what is due here, begins what is due elsewhere, and answers how long nothing more is.
    async fn round(&self, asking: &mut Asking) -> Result<Duration> {
        let all = Arc::clone(&self.conversations);
        let store = Arc::clone(&all.store);
        let unfinished = detached(async move { store.unfinished_erasures(AT_ONCE).await });
        for (_, receipt_id) in unfinished.await? {
            if let Err(error) = all.finish_erasure(&receipt_id).await {
                tracing::warn!(receipt = %receipt_id, %error, "an erasure is not finished yet");
            }
        }
        let (store, now) = (Arc::clone(&all.store), all.clock.now());
        // Those that are being asked come first again, having waited longest.
        let limit = self.agents_at_once + asking.agents.len();
        let due = detached(async move { store.due_upstream_erasures(now, limit).await });
        for erasure in due.await? {
            if asking.agents.len() < self.agents_at_once && !asking.asks(&erasure.agent) {
                asking.begin(erasure, self.clone());
            }
        }
        // What else is due waits for one of those that are being asked.
        let store = Arc::clone(&all.store);
        let next = detached(async move { store.next_upstream_erasure(now).await }).await?;
        let wait = next.map_or(LOOK_AGAIN, |next| next.since(all.clock.now()));
        Ok(wait.min(LOOK_AGAIN))
    }

    /// Asks the platform once, and commits what it said.
    async fn ask(&self, erasure: UpstreamErasure) -> Result<()> {
        let all = &self.conversations;
        let outcome = self.outcome(&erasure).await;
        let unit = Settle {
            erasure,
            outcome,
            rules: self.rules,
        };
        all.committer.submit(unit).await?;
        Ok(())
    }

    async fn outcome(&self, erasure: &UpstreamErasure) -> Outcome {
        let all = &self.conversations;
        let setup = all.live.setup();
        let (Some(agent), Some(id)) = (setup.agents.get(&erasure.agent), &erasure.internal_id)
        else {
            return Outcome::Nobody;
        };
        let (recipient, now) = (Recipient::Agent(erasure.agent.clone()), all.clock.now());
        // While the platform fails for everybody it is not asked for this either, but for finding out whether it is back.
        let lane = LaneKey::to_agent(&erasure.key);
        if let Err(until) = all.breakers.permit(&recipient, &lane, now) {
            return Outcome::Down(until.since(now));
        }
        let sent = tokio::time::timeout(PATIENCE, agent.erase(id)).await;
        let sent = sent.unwrap_or(Sent::Unclear);
        // Lanes that wait look again by themselves.
        let _ = all.breakers.record(&recipient, &sent, all.clock.now());
        Outcome::Asked(sent)
    }
}

impl Asking {
    fn asks(&self, agent: &Id) -> bool {
        self.agents.values().any(|asked| asked == agent)
    }

    fn begin(&mut self, erasure: UpstreamErasure, erasures: Erasures) {
        let agent = erasure.agent.clone();
        let task = self.tasks.spawn(async move {
            if let Err(error) = erasures.ask(erasure).await {
                tracing::warn!(%error, "what a platform said of an erasure was not committed: it is asked again");
                // Whatever is wrong is not mended at once.
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        });
        self.agents.insert(task.id(), agent);
    }

    /// One agent has been asked. Never, while none is.
    async fn one_ends(&mut self) {
        let ended = match self.tasks.join_next_with_id().await {
            Some(Ok((task, ()))) => task,
            Some(Err(panicked)) => panicked.id(),
            None => return std::future::pending().await,
        };
        self.agents.remove(&ended);
    }
}

#[derive(Debug)]
enum Outcome {
    Asked(Sent),
    /// The agent fails, and is not asked for so long.
    Down(Duration),
    /// The agent is removed.
    Nobody,
}

/// Commits how a request to a platform ended.
#[derive(Debug)]
struct Settle {
    erasure: UpstreamErasure,
    outcome: Outcome,
    rules: ErasureRules,
}

#[async_trait]
impl Unit for Settle {
    type Output = ();

    async fn run(&self, tx: &mut dyn Transaction) -> Result<()> {
        let mut erasure = self.erasure.clone();
        self.settle(&mut erasure, tx.now());
        tx.save_upstream_erasure(&erasure).await?;
        if erasure.state == UpstreamState::Failed {
            let alert = EventBody::PlatformAlert {
                name: "erasure_failed".to_owned(),
                raw: alert(&erasure),
            };
            record_apart(tx, &erasure.key.tenant, &erasure.agent, "", alert);
        }
        Ok(())
    }
}

impl Settle {
    fn settle(&self, erasure: &mut UpstreamErasure, now: Timestamp) {
        let mut asked_for = None;
        match &self.outcome {
            Outcome::Nobody => erasure.reason = Some(Reason::AgentRemoved),
            Outcome::Down(span) => {
                erasure.reason = Some(Reason::AgentUnavailable);
                asked_for = Some(*span);
            }
            Outcome::Asked(sent) => {
                erasure.attempts += 1;
                erasure.reason = reason(sent);
                if let Sent::Busy { retry_after: after } | Sent::NotNow { after } = sent {
                    asked_for = *after;
                }
            }
        }
        if erasure.reason.is_none() {
            erasure.state = UpstreamState::Confirmed;
            erasure.ended_at = Some(now);
        } else if self.is_given_up(erasure, now) {
            erasure.state = UpstreamState::Failed;
            erasure.ended_at = Some(now);
        } else {
            let pause = self.rules.backoff.after(erasure.attempts.max(1), asked_for);
            erasure.not_before = now + pause;
        }
    }

    /// A server that was down for long has asked nobody.
    fn is_given_up(&self, erasure: &UpstreamErasure, now: Timestamp) -> bool {
        let is_enough = erasure.attempts >= self.rules.min_attempts;
        now.since(erasure.requested_at) >= self.rules.retry_for
            && (is_enough || matches!(self.outcome, Outcome::Nobody))
    }
}

/// Why a request was not acknowledged; absent: it was.
fn reason(sent: &Sent) -> Option<Reason> {
    Some(match sent {
        Sent::Acknowledged | Sent::AcknowledgedAs { .. } => return None,
        Sent::NotSent | Sent::Busy { .. } | Sent::NotNow { .. } => Reason::AgentUnavailable,
        Sent::Unclear => Reason::OutcomeUnknown,
        Sent::Refused { refusal, .. } => match refusal {
            Refusal::Credentials => Reason::AgentCredentialsRejected,
            Refusal::AgentUnknown => Reason::AgentNotFoundUpstream,
            _ => Reason::AgentRejected,
        },
    })
}

/// What an operator has to know.
fn alert(erasure: &UpstreamErasure) -> String {
    json!({
        "receipt_id": erasure.receipt_id.as_str(),
        "account": erasure.key.account.as_str(),
        "conversation_id": erasure.key.id.as_str(),
        "internal_id_sha256": erasure.internal_id_sha256(),
        "reason": erasure.reason.map(Reason::as_str),
        "attempts": erasure.attempts,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ConversationKey;

    const DAY: Duration = Duration::from_hours(24);

    /// At the last of so many attempts.
    fn after(outcome: Outcome, waited: Duration, attempts: u32) -> UpstreamErasure {
        let id = Id::trusted;
        let mut erasure = UpstreamErasure {
            id: id("e"),
            receipt_id: id("r"),
            key: ConversationKey {
                tenant: id("t"),
                account: id("a"),
                id: id("c"),
            },
            agent: id("bot"),
            internal_id: Some("65f0".into()),
            state: UpstreamState::Requested,
            reason: None,
            attempts: attempts - 1,
            requested_at: Timestamp(0),
            not_before: Timestamp(0),
            ended_at: None,
        };
        let settle = Settle {
            erasure: erasure.clone(),
            outcome,
            rules: ErasureRules {
                backoff: Backoff {
                    base: Duration::from_secs(1),
                    max: Duration::from_hours(1),
                },
                retry_for: DAY,
                min_attempts: 3,
            },
        };
        settle.settle(&mut erasure, Timestamp(0) + waited);
        erasure
    }

    #[test]
    fn a_platform_is_asked_again_for_as_long_as_is_set_and_no_shorter() {
        let refused = || {
            Outcome::Asked(Sent::Refused {
                refusal: Refusal::Credentials,
                detail: String::new(),
            })
        };
        let early = after(
            refused(),
            DAY.checked_sub(Duration::from_secs(1)).expect("a time"),
            3,
        );
        assert_eq!(early.state, UpstreamState::Requested);
        assert_eq!(early.reason, Some(Reason::AgentCredentialsRejected));
        assert_eq!((early.attempts, early.ended_at), (3, None));
        let late = after(refused(), DAY, 2);
        assert_eq!(late.state, UpstreamState::Requested, "asked too rarely");
        let late = after(refused(), DAY, 3);
        assert_eq!(late.state, UpstreamState::Failed);
        assert_eq!(late.ended_at, Some(Timestamp(0) + DAY));
    }

    #[test]
    fn a_platform_that_names_a_time_is_not_asked_before() {
        let busy = Outcome::Asked(Sent::Busy {
            retry_after: Some(Duration::from_mins(5)),
        });
        let erasure = after(busy, Duration::ZERO, 1);
        assert!(erasure.not_before >= Timestamp(0) + Duration::from_mins(5));
        assert_eq!(erasure.reason, Some(Reason::AgentUnavailable));
    }

    #[test]
    fn an_acknowledgement_ends_it() {
        let erasure = after(Outcome::Asked(Sent::Acknowledged), DAY * 2, 1);
        assert_eq!(erasure.state, UpstreamState::Confirmed);
        assert_eq!((erasure.reason, erasure.attempts), (None, 1));
    }

    #[test]
    fn a_platform_that_was_not_asked_has_had_no_attempt() {
        let minute = Duration::from_mins(1);
        let down = after(Outcome::Down(minute), DAY * 2, 1);
        assert_eq!((down.state, down.attempts), (UpstreamState::Requested, 0));
        assert!(down.not_before >= Timestamp(0) + DAY * 2 + minute);
        let removed = after(Outcome::Nobody, Duration::ZERO, 1);
        assert_eq!(
            (removed.state, removed.attempts),
            (UpstreamState::Requested, 0)
        );
    }

    #[test]
    fn an_agent_that_is_removed_is_not_waited_for_beyond_its_time() {
        let removed = after(Outcome::Nobody, DAY, 1);
        assert_eq!(removed.state, UpstreamState::Failed);
        assert_eq!(removed.reason, Some(Reason::AgentRemoved));
    }
}
