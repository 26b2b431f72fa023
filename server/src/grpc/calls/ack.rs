//! `AckEvents`.

use std::{ops::RangeInclusive, time::Duration};

use parloir_proto::v1::{self, event_ack::Outcome};

use super::super::checks::Checks;
use crate::domain::{
    Id, Result,
    subscription::{Ack, AckId, Acked, SubscriptionKey, Verdict},
};

/// Acknowledgements of one call.
const MAX_ACKS: usize = 1000;

const RETRIES: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_hours(24);

pub(in crate::grpc) fn acks(
    request: v1::AckEventsRequest,
    tenant: &Id,
    epoch: u64,
) -> Result<(SubscriptionKey, Vec<Ack>)> {
    let mut checks = Checks::default();
    let name = checks.subscription_name("subscription", &request.subscription);
    if request.acks.is_empty() || request.acks.len() > MAX_ACKS {
        checks.wrong("acks", format!("must be 1 to {MAX_ACKS}"));
    }
    let key = name.map(|name| SubscriptionKey {
        tenant: tenant.clone(),
        name,
    });
    let mut acks = Vec::with_capacity(request.acks.len().min(MAX_ACKS));
    for (index, given) in request.acks.into_iter().take(MAX_ACKS).enumerate() {
        let field = format!("acks[{index}]");
        let id = key
            .as_ref()
            .and_then(|key| AckId::decode(&given.ack_id, key, epoch));
        if id.is_none() {
            let why = "is none of this subscription's: pass one on exactly as it was received";
            checks.wrong(format!("{field}.ack_id"), why);
        }
        let (verdict, cumulative) = match given.outcome {
            None => (Some(Verdict::Done), false),
            Some(Outcome::Done(done)) => (Some(Verdict::Done), done.cumulative),
            Some(Outcome::Park(_)) => (Some(Verdict::Park), false),
            Some(Outcome::RetryAfter(after)) => {
                let after = checks.span(&format!("{field}.retry_after"), Some(&after), &RETRIES);
                (after.map(Verdict::Retry), false)
            }
        };
        acks.extend(id.zip(verdict).map(|(id, verdict)| Ack {
            id,
            verdict,
            cumulative,
        }));
    }
    checks.finish(|| Some((key?, acks)))
}

pub(in crate::grpc) fn response(acked: Vec<Acked>) -> v1::AckEventsResponse {
    let results = acked.into_iter().map(|acked| match acked {
        Acked::Ok => v1::AckResult::Ok.into(),
        Acked::Stale => v1::AckResult::Stale.into(),
        Acked::DoneBefore => v1::AckResult::DoneBefore.into(),
    });
    v1::AckEventsResponse {
        results: results.collect(),
    }
}
