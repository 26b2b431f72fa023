//! Checks of what names and describes a named subscription.

use std::{ops::RangeInclusive, time::Duration};

use parloir_proto::v1;

use super::Checks;
use crate::{
    domain::{
        Cursor, CursorError, Error, Id, Position, Result, Timestamp,
        subscription::{Choice, Policy},
    },
    subscriptions::Place,
    wire::{
        enums::read_event_kind,
        subscription::{DEFAULT_POLICY, read_when_parked},
    },
};

const ACK_DEADLINES: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(1);
const MAX_ATTEMPTS: u32 = 100;
const MAX_WINDOW: u32 = 64;

impl Checks {
    pub fn subscription_name(&mut self, field: &str, text: &str) -> Option<Id> {
        let is_plain = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '_' | '-');
        if text.is_empty() || text.len() > 64 || !text.chars().all(is_plain) {
            self.wrong(field, "must be 1 to 64 of a-z, 0-9, _ and -");
            return None;
        }
        Some(Id::trusted(text))
    }

    /// Sorted, so that two that mean the same are the same.
    pub fn choice(&mut self, field: &str, filter: &v1::EventFilter) -> Option<Choice> {
        let accounts = self.ids(&format!("{field}.accounts"), &filter.accounts);
        let conversations = self.ids(
            &format!("{field}.conversation_ids"),
            &filter.conversation_ids,
        );
        let kinds = self.values(&format!("{field}.kinds"), &filter.kinds, read_event_kind);
        Some(Choice {
            accounts: sorted(accounts?),
            conversations: sorted(conversations?),
            kinds: sorted(kinds?),
        })
    }

    pub fn policy(
        &mut self,
        field: &str,
        policy: Option<&v1::SubscriptionPolicy>,
    ) -> Option<Policy> {
        let Some(policy) = policy else {
            return Some(DEFAULT_POLICY);
        };
        let ack_deadline = match &policy.ack_deadline {
            None => Some(DEFAULT_POLICY.ack_deadline),
            given => self.span(
                &format!("{field}.ack_deadline"),
                given.as_ref(),
                &ACK_DEADLINES,
            ),
        };
        let when_parked = self.value(
            &format!("{field}.when_parked"),
            policy.when_parked,
            read_when_parked,
        );
        let max_attempts = (
            policy.max_attempts,
            DEFAULT_POLICY.max_attempts,
            MAX_ATTEMPTS,
        );
        let max_attempts = self.count(&format!("{field}.max_attempts"), max_attempts);
        let window = (policy.window, DEFAULT_POLICY.window, MAX_WINDOW);
        let window = self.count(&format!("{field}.window"), window);
        Some(Policy {
            ack_deadline: ack_deadline?,
            max_attempts: max_attempts?,
            when_parked: when_parked?,
            window: window?,
        })
    }

    /// What is asked for, what 0 means, and the most.
    pub fn count(&mut self, field: &str, (asked, default, max): (u32, u32, u32)) -> Option<u32> {
        if asked > max {
            self.wrong(field, format!("must be 0 to {max}; 0 is {default}"));
            return None;
        }
        Some(if asked == 0 { default.min(max) } else { asked })
    }

    /// The inner result is what is wrong with a cursor that is well formed.
    pub fn cursor(&mut self, field: &str, text: &str, epoch: u64) -> Option<Result<Position>> {
        match Cursor::decode(text, epoch) {
            Ok(cursor) if cursor.log_id == 0 => Some(Ok(cursor.position)),
            Ok(_) | Err(CursorError::OtherDatabase) => Some(Err(Error::CursorUnknown)),
            Err(CursorError::Malformed) => {
                let remedy = "is not a cursor: pass one on exactly as it was received";
                self.wrong(field, remedy);
                None
            }
        }
    }

    pub fn place_at(&mut self, field: &str, time: &prost_types::Timestamp) -> Option<Place> {
        let time: Option<Timestamp> = self.time(field, Some(time));
        time.map(Place::At)
    }

    pub fn place_named(&mut self, field: &str, number: i32) -> Option<Place> {
        self.value(field, number, |number| {
            match v1::StartPosition::try_from(number).ok()? {
                v1::StartPosition::Unspecified => None,
                v1::StartPosition::Earliest => Some(Place::Earliest),
                v1::StartPosition::Latest => Some(Place::Latest),
            }
        })
    }
}

fn sorted<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort_unstable();
    list.dedup();
    list
}
