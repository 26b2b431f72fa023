//! What a named subscription is, in the contract's words.

use std::time::Duration;

use parloir_proto::v1;

use super::{enums::event_kind, time::duration};
use crate::domain::{
    Id,
    subscription::{Choice, Policy, WhenParked},
};

/// What is in force where nothing is said.
pub const DEFAULT_POLICY: Policy = Policy {
    ack_deadline: Duration::from_secs(30),
    max_attempts: 5,
    when_parked: WhenParked::Release,
    window: 8,
};

pub fn filter(choice: &Choice) -> v1::EventFilter {
    let texts = |ids: &[Id]| ids.iter().map(ToString::to_string).collect();
    v1::EventFilter {
        accounts: texts(&choice.accounts),
        conversation_ids: texts(&choice.conversations),
        kinds: choice.kinds.iter().map(|kind| event_kind(*kind)).collect(),
    }
}

pub fn policy(policy: &Policy) -> v1::SubscriptionPolicy {
    let when_parked = match policy.when_parked {
        WhenParked::Release => v1::WhenParked::Release,
        WhenParked::Block => v1::WhenParked::Block,
    };
    v1::SubscriptionPolicy {
        ack_deadline: Some(duration(policy.ack_deadline)),
        max_attempts: policy.max_attempts,
        when_parked: when_parked.into(),
        window: policy.window,
    }
}

pub fn read_when_parked(number: i32) -> Option<WhenParked> {
    Some(match v1::WhenParked::try_from(number).ok()? {
        v1::WhenParked::Unspecified | v1::WhenParked::Release => WhenParked::Release,
        v1::WhenParked::Block => WhenParked::Block,
    })
}
