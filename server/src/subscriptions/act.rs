//! What administrators do to a subscription.

use crate::domain::{
    ConversationKey, Error, Id, Position, Result, Timestamp,
    administration::ActRefused,
    subscription::{Group, Parked, Policy, SubscriptionRecord},
};

#[derive(Debug, Clone)]
pub enum Act {
    ChangePolicy { policy: Policy, etag: String },
    Delete { etag: String },
    Redrive(Redrive),
    MoveTo(Position),
}

/// Which parked events are handed out again.
#[derive(Debug, Clone, Default)]
pub struct Redrive {
    pub account: Option<Id>,
    pub conversation: Option<Id>,
    /// Empty: all.
    pub positions: Vec<Position>,
    /// Only count.
    pub preview: bool,
}

impl Act {
    /// As it stands in the record of acts.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ChangePolicy { .. } => "UpdateSubscription",
            Self::Delete { .. } => "DeleteSubscription",
            Self::Redrive(_) => "RedriveParkedEvents",
            Self::MoveTo(_) => "MoveSubscription",
        }
    }

    /// Whether it changes more than what is unfinished.
    pub(super) fn changes_record(&self) -> bool {
        matches!(self, Self::ChangePolicy { .. } | Self::MoveTo(_))
    }

    /// Answers how much it concerned.
    pub(super) fn apply(
        &self,
        record: &mut SubscriptionRecord,
        group: &mut Group,
        now: Timestamp,
    ) -> Result<usize> {
        match self {
            Self::ChangePolicy { policy, etag } => {
                is_still(record, etag)?;
                record.policy = *policy;
                record.policy_revision += 1;
                group.policy = *policy;
                Ok(1)
            }
            Self::Delete { etag } => is_still(record, etag).map(|()| 1),
            Self::Redrive(redrive) if redrive.preview => {
                let all = group.parked(Position(0), usize::MAX);
                Ok(all.iter().filter(|parked| redrive.picks(parked)).count())
            }
            Self::Redrive(redrive) => Ok(group.redrive(now, |parked| redrive.picks(parked))),
            Self::MoveTo(position) => {
                group.move_to(*position);
                Ok(1)
            }
        }
    }
}

impl Redrive {
    fn picks(&self, parked: &Parked) -> bool {
        let of = |pick: fn(&ConversationKey) -> &Id, wanted: &Option<Id>| match wanted {
            None => true,
            Some(wanted) => parked
                .conversation
                .as_ref()
                .is_some_and(|key| pick(key) == wanted),
        };
        of(|key| &key.account, &self.account)
            && of(|key| &key.id, &self.conversation)
            && (self.positions.is_empty() || self.positions.contains(&parked.position))
    }
}

/// What the subscription must still be, where an administrator says so.
fn is_still(record: &SubscriptionRecord, etag: &str) -> Result<()> {
    if etag.is_empty() || etag == super::view::etag(record) {
        return Ok(());
    }
    let what = format!("subscriptions/{}", record.key.name);
    Err(Error::Act(ActRefused::EtagMismatch { what }))
}
