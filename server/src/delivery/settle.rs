//! What follows from how a request ended.

use std::time::Duration;

use crate::{
    conversations::record,
    domain::{
        AgentSettings, Attempt, Conversation, Delivery, DeliveryKind, DeliveryState, Departure,
        EventBody, Reason, Refusal, Result, Sent, ports::Transaction,
    },
};

use super::backoff::Backoff;

/// A request that has ended.
#[derive(Debug, Clone)]
pub struct Finished {
    pub attempt: Attempt,
    pub sent: Sent,
}

/// Commits how a request ended; a row that is no longer at that attempt was settled by someone else and stays as
/// it is.
pub async fn settle(
    tx: &mut dyn Transaction,
    conversation: &mut Conversation,
    finished: &Finished,
    agent: Option<&AgentSettings>,
    backoff: Backoff,
) -> Result<()> {
    let Some(mut delivery) = tx.delivery(&finished.attempt.delivery.id).await? else {
        return Ok(());
    };
    if !delivery.is_at(&finished.attempt.delivery) {
        return Ok(());
    }
    match follow(delivery.kind, &finished.sent) {
        Verdict::Delivered => {
            delivery.state = DeliveryState::Delivered;
            if let Departure::Agent { kept, .. } = &finished.attempt.departure {
                conversation.drop_kept(kept);
            }
            if let (Some(agent), DeliveryKind::Start | DeliveryKind::Message) =
                (agent, delivery.kind)
            {
                conversation.extend_session(tx.now(), agent.session_timeout);
            }
        }
        Verdict::Unknown => {
            delivery.state = DeliveryState::Unknown;
            delivery.reason = Some(Reason::OutcomeUnknown);
        }
        Verdict::Failed { reason, detail } => {
            delivery.state = DeliveryState::Failed;
            delivery.reason = Some(reason);
            delivery.detail = detail;
            never_began(tx, conversation, &delivery);
        }
        Verdict::Again { asked } => {
            delivery.state = DeliveryState::Queued;
            delivery.reason = Some(Reason::AgentUnavailable);
            delivery.not_before = tx.now() + backoff.after(delivery.attempt, asked);
        }
    }
    tx.save_delivery(&delivery).await?;
    record_change(tx, conversation, &delivery);
    Ok(())
}

/// A session that only a failed row would have opened was never alive: it is over at once.
pub fn never_began(tx: &mut dyn Transaction, conversation: &mut Conversation, failed: &Delivery) {
    if failed.new_session && failed.session == conversation.session.number {
        conversation.session.expires_at = tx.now();
    }
}

/// Records the state that a delivery has reached.
pub fn record_change(
    tx: &mut dyn Transaction,
    conversation: &mut Conversation,
    delivery: &Delivery,
) {
    let changed = EventBody::DeliveryChanged {
        subject: delivery.subject.clone(),
        session: delivery.session,
        state: delivery.state,
        reason: delivery.reason,
        attempt: delivery.attempt,
        detail: delivery.detail.clone(),
    };
    record(tx, conversation, "", changed);
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Delivered,
    Unknown,
    Failed { reason: Reason, detail: String },
    Again { asked: Option<Duration> },
}

/// A message is sent again only when it certainly did not arrive: the platform would take a repetition for a second
/// message. Starts, ends and parameters may be repeated.
fn follow(kind: DeliveryKind, sent: &Sent) -> Verdict {
    match sent {
        Sent::Acknowledged | Sent::AcknowledgedAs { .. } => Verdict::Delivered,
        Sent::Busy { retry_after: asked } | Sent::NotNow { after: asked } => {
            Verdict::Again { asked: *asked }
        }
        Sent::Unclear if matches!(kind, DeliveryKind::Message | DeliveryKind::Human) => {
            Verdict::Unknown
        }
        Sent::NotSent | Sent::Unclear => Verdict::Again { asked: None },
        Sent::Refused { refusal, detail } => {
            let reason = match refusal {
                Refusal::Request => Reason::AgentRejected,
                Refusal::Credentials => Reason::AgentCredentialsRejected,
                Refusal::AgentUnknown => Reason::AgentNotFoundUpstream,
                Refusal::NotOwner => Reason::SourceNotOwner,
                Refusal::WindowClosed => Reason::WindowClosed,
                Refusal::Unreachable => Reason::VisitorUnreachable,
            };
            Verdict::Failed {
                reason,
                detail: detail.clone(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_message_whose_fate_is_unclear_becomes_unknown() {
        assert_eq!(
            follow(DeliveryKind::Message, &Sent::Unclear),
            Verdict::Unknown
        );
        for kind in [
            DeliveryKind::Start,
            DeliveryKind::Parameters,
            DeliveryKind::End,
        ] {
            assert_eq!(follow(kind, &Sent::Unclear), Verdict::Again { asked: None });
        }
        let busy = Sent::Busy {
            retry_after: Some(Duration::from_secs(1)),
        };
        assert_eq!(
            follow(DeliveryKind::Message, &busy),
            Verdict::Again {
                asked: Some(Duration::from_secs(1))
            },
            "certainly not processed"
        );
        assert_eq!(
            follow(DeliveryKind::Message, &Sent::NotSent),
            Verdict::Again { asked: None }
        );
    }
}
