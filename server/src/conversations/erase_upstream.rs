//! Erasures after their commit: the last copies here, and the platforms, which are asked until they acknowledge.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::{
    delivery::Backoff,
    domain::{
        EventBody, Reason, Recipient, Refusal, Result, Sent, Timestamp, UpstreamErasure,
        UpstreamState,
        ports::{Transaction, Unit},
    },
};

use super::{Conversations, read::detached, record::record_apart};

/// Rows of one look: few enough that the next look is soon.
const AT_ONCE: usize = 50;
/// The longest time between two looks: what is due is known, but the clock may be set.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// How long a platform may take to answer. Nobody waits for it.
const PATIENCE: Duration = Duration::from_secs(90);

/// Runs beside the calls. Holds nothing that must survive: a platform is asked once more rather than not at all, and to
/// erase twice is harmless.
#[derive(Debug)]
pub struct Erasures {
    pub conversations: Arc<Conversations>,
    pub backoff: Backoff,
    /// How long a platform is asked at least.
    pub retry_for: Duration,
}

impl Erasures {
    pub async fn run(self, stop: CancellationToken) {
        loop {
            let round = stop.run_until_cancelled(self.round()).await;
            let wait = match round {
                None => return,
                Some(Ok(wait)) => wait,
                Some(Err(error)) => {
                    tracing::warn!(%error, "erasures were not looked after and are looked at again");
                    LOOK_AGAIN
                }
            };
            let rung = self.conversations.erasures.notified();
            let waited = tokio::time::timeout(wait, rung);
            if stop.run_until_cancelled(waited).await.is_none() {
                return;
            }
        }
    }

    /// Does what is due, and answers how long nothing more is.
    async fn round(&self) -> Result<Duration> {
        let all = Arc::clone(&self.conversations);
        let store = Arc::clone(&all.store);
        let unfinished = detached(async move { store.unfinished_erasures(AT_ONCE).await });
        for (_, receipt_id) in unfinished.await? {
            if let Err(error) = all.finish_erasure(&receipt_id).await {
                tracing::warn!(receipt = %receipt_id, %error, "an erasure is not finished yet");
            }
        }
        let (store, now) = (Arc::clone(&all.store), all.clock.now());
        let due = detached(async move { store.due_upstream_erasures(now, AT_ONCE).await });
        for erasure in due.await? {
            self.ask(erasure).await?;
        }
        let store = Arc::clone(&all.store);
        let next = detached(async move { store.next_upstream_erasure().await }).await?;
        let wait = next.map_or(LOOK_AGAIN, |next| next.since(all.clock.now()));
        Ok(wait.min(LOOK_AGAIN))
    }

    /// Asks the platform once, and commits what it said.
    async fn ask(&self, erasure: UpstreamErasure) -> Result<()> {
        let all = &self.conversations;
        let setup = all.live.setup();
        let outcome = match (setup.agents.get(&erasure.agent), &erasure.internal_id) {
            (Some(_), _) if self.is_down(&erasure) => Outcome::NotAsked(Reason::AgentUnavailable),
            (Some(agent), Some(id)) => {
                let sent = tokio::time::timeout(PATIENCE, agent.erase(id)).await;
                Outcome::Asked(sent.unwrap_or(Sent::Unclear))
            }
            _ => Outcome::NotAsked(Reason::AgentRemoved),
        };
        let unit = Settle {
            erasure,
            outcome,
            backoff: self.backoff,
            retry_for: self.retry_for,
        };
        all.committer.submit(unit).await?;
        Ok(())
    }

    /// The platform fails for everybody: it is not asked for this either.
    fn is_down(&self, erasure: &UpstreamErasure) -> bool {
        let agent = Recipient::Agent(erasure.agent.clone());
        self.conversations.breakers.is_open(&agent)
    }
}

#[derive(Debug)]
enum Outcome {
    Asked(Sent),
    NotAsked(Reason),
}

/// Commits how a request to a platform ended.
#[derive(Debug)]
struct Settle {
    erasure: UpstreamErasure,
    outcome: Outcome,
    backoff: Backoff,
    retry_for: Duration,
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
            Outcome::NotAsked(reason) => erasure.reason = Some(*reason),
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
        } else if now.since(erasure.requested_at) >= self.retry_for {
            erasure.state = UpstreamState::Failed;
            erasure.ended_at = Some(now);
        } else {
            erasure.not_before = now + self.backoff.after(erasure.attempts.max(1), asked_for);
        }
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
    use crate::domain::{ConversationKey, Id};

    const DAY: Duration = Duration::from_hours(24);

    fn after(outcome: Outcome, waited: Duration) -> UpstreamErasure {
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
            attempts: 0,
            requested_at: Timestamp(0),
            not_before: Timestamp(0),
            ended_at: None,
        };
        let settle = Settle {
            erasure: erasure.clone(),
            outcome,
            backoff: Backoff {
                base: Duration::from_secs(1),
                max: Duration::from_hours(1),
            },
            retry_for: DAY,
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
        );
        assert_eq!(early.state, UpstreamState::Requested);
        assert_eq!(early.reason, Some(Reason::AgentCredentialsRejected));
        assert_eq!((early.attempts, early.ended_at), (1, None));
        let late = after(refused(), DAY);
        assert_eq!(late.state, UpstreamState::Failed);
        assert_eq!(late.ended_at, Some(Timestamp(0) + DAY));
    }

    #[test]
    fn a_platform_that_names_a_time_is_not_asked_before() {
        let busy = Outcome::Asked(Sent::Busy {
            retry_after: Some(Duration::from_mins(5)),
        });
        let erasure = after(busy, Duration::ZERO);
        assert!(erasure.not_before >= Timestamp(0) + Duration::from_mins(5));
        assert_eq!(erasure.reason, Some(Reason::AgentUnavailable));
    }

    #[test]
    fn an_acknowledgement_ends_it() {
        let erasure = after(Outcome::Asked(Sent::Acknowledged), DAY * 2);
        assert_eq!(erasure.state, UpstreamState::Confirmed);
        assert_eq!((erasure.reason, erasure.attempts), (None, 1));
    }

    #[test]
    fn a_platform_that_was_not_asked_has_had_no_attempt() {
        let erasure = after(Outcome::NotAsked(Reason::AgentRemoved), Duration::ZERO);
        assert_eq!(
            (erasure.state, erasure.attempts),
            (UpstreamState::Requested, 0)
        );
    }
}
