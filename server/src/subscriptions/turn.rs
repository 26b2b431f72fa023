//! One turn of a subscription: everything that has come up is done in one unit of work, with a few statements however
//! much it is.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;

use super::act::Act;
use crate::domain::{
    Error, Id, Position, Result, Timestamp,
    administration::AuditRecord,
    ports::{Transaction, Unit},
    subscription::{
        Ack, AckId, Acked, Candidate, CatchUp, Changes, Group, HandOut, Joining, Member, Rooms,
        Scan, SubscriptionKey, SubscriptionRecord,
    },
};

/// One thing that has come up.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Join {
        member: Id,
        session: u64,
        pulls: bool,
        max_in_flight: u32,
        lease: Duration,
    },
    Leave {
        member: Id,
        session: u64,
    },
    Renew {
        member: Id,
        session: u64,
        lease: Duration,
    },
    Ack(Vec<Ack>),
    Expire {
        ack: AckId,
        attempt: u32,
    },
    /// It could not be read, and was not sent.
    TakeBack {
        ack: AckId,
        attempt: u32,
    },
    Lost(Position),
    Forget(Position),
    Act(Act, Option<AuditRecord>),
}

impl Step {
    /// Nobody waits for it, and it must happen.
    pub fn is_owed(&self) -> bool {
        matches!(
            self,
            Self::Leave { .. }
                | Self::Expire { .. }
                | Self::TakeBack { .. }
                | Self::Lost(_)
                | Self::Forget(_)
        )
    }
}

/// What it came to.
#[derive(Debug)]
pub(super) enum Done {
    Nothing,
    Joined(Result<()>),
    Acked(Vec<Acked>),
    /// Something that was not done is gone.
    Forgot(bool),
    Acted(Result<usize>),
}

/// A question that was read ahead.
#[derive(Debug, Clone)]
pub(super) struct Offer {
    pub slot: u16,
    pub event: Candidate,
    pub request_id: Id,
    pub respond_by: Timestamp,
}

/// A member of this server.
#[derive(Debug, Clone, Copy)]
pub(super) struct Local {
    /// Absent: it pulls.
    pub session: Option<u64>,
    /// How much it takes at most, whatever it may have in flight.
    pub room: usize,
}

/// What is known from the turn before, if nobody has changed anything since.
#[derive(Debug)]
pub(super) struct Known {
    pub revision: u64,
    pub group: Group,
}

#[derive(Debug)]
pub(super) struct Turn {
    pub key: SubscriptionKey,
    pub known: Mutex<Option<Known>>,
    pub steps: Vec<Step>,
    pub offers: Vec<Offer>,
    pub catch_ups: Vec<CatchUp>,
    pub scans: Vec<Scan>,
    pub locals: BTreeMap<Id, Local>,
    /// Hand-outs of repeats at most.
    pub limit: usize,
    pub max_pending: usize,
    pub max_members: usize,
    pub reason: fn(&Error) -> &'static str,
}

#[derive(Debug)]
pub(super) struct Turned {
    /// Absent: it is not there, or not any more.
    pub now_is: Option<(SubscriptionRecord, Group)>,
    pub now: Timestamp,
    pub done: Vec<Done>,
    pub out: Vec<HandOut>,
}

#[async_trait]
impl Unit for Turn {
    type Output = Turned;

    async fn run(&self, tx: &mut dyn Transaction) -> Result<Turned> {
        let now = tx.now();
        let mut turned = Turned {
            now_is: None,
            now,
            done: Vec::new(),
            out: Vec::new(),
        };
        let Some(mut record) = tx.subscriptions()?.subscription(&self.key).await? else {
            return Ok(turned);
        };
        let mut group = self.group(tx, &record).await?;
        let mut deleted = false;
        let mut policy_changed = false;
        for step in &self.steps {
            let done = self.step(step, &mut record, &mut group, now);
            if let Step::Act(act, audit) = step {
                let acted = matches!(done, Done::Acted(Ok(_)));
                deleted |= acted && matches!(act, Act::Delete { .. });
                policy_changed |= acted && act.changes_record();
                if let (Some(audit), Done::Acted(result)) = (audit, &done) {
                    let refused = result.as_ref().err().map(self.reason);
                    let audit = AuditRecord {
                        refused,
                        ..audit.clone()
                    };
                    tx.administration()?.record_act(&audit).await?;
                }
            }
            turned.done.push(done);
        }
        if deleted {
            tx.subscriptions()?.delete_subscription(&self.key).await?;
            return Ok(turned);
        }
        group.tick(now);
        self.hand_out(&mut group, now, &mut turned.out);
        let changes = group.take_changes();
        if policy_changed || changes != Changes::default() || group.core != record.core {
            record.core = group.core.clone();
            record.revision += 1;
            if policy_changed {
                record.updated_at = now;
            }
            let subscriptions = tx.subscriptions()?;
            subscriptions.save_subscription(&record).await?;
            subscriptions.save_changes(&self.key, &changes).await?;
        }
        turned.now_is = Some((record, group));
        Ok(turned)
    }
}

impl Turn {
    /// What is in memory if it is still so, or else what is kept.
    async fn group(&self, tx: &mut dyn Transaction, record: &SubscriptionRecord) -> Result<Group> {
        // Taken: when the unit is run again, what an earlier run made of it is worth nothing.
        let known = self
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(known) = known.filter(|known| known.revision == record.revision) {
            return Ok(known.group);
        }
        let unfinished = tx.subscriptions()?.unfinished(&self.key).await?;
        let mut group = Group::new(
            record.policy,
            record.core.clone(),
            self.max_pending,
            unfinished.entries,
            unfinished.held_back,
        );
        group.sweep();
        Ok(group)
    }

    fn step(
        &self,
        step: &Step,
        record: &mut SubscriptionRecord,
        group: &mut Group,
        now: Timestamp,
    ) -> Done {
        match step {
            Step::Join {
                member,
                session,
                pulls,
                max_in_flight,
                lease,
            } => {
                let members = &group.core.members;
                if members.len() >= self.max_members && !members.contains_key(member) {
                    return Done::Joined(Err(Error::Limit {
                        setting: "subscriptions.max_members",
                        limit: self.max_members,
                    }));
                }
                let joining = Joining {
                    member: member.clone(),
                    as_member: Member {
                        session: *session,
                        pulls: *pulls,
                        max_in_flight: *max_in_flight,
                        until: now + *lease,
                    },
                };
                group.join(joining, now);
                return Done::Joined(Ok(()));
            }
            Step::Leave { member, session } => group.leave(member, *session, now),
            Step::Renew {
                member,
                session,
                lease,
            } => {
                group.renew(member, *session, now + *lease);
            }
            Step::Ack(acks) => {
                return Done::Acked(acks.iter().map(|ack| group.ack(ack, now)).collect());
            }
            Step::Expire { ack, attempt } => group.expire(*ack, *attempt, now),
            Step::TakeBack { ack, attempt } => group.take_back(*ack, *attempt, now),
            Step::Lost(position) => group.lost(*position),
            Step::Forget(floor) => return Done::Forgot(group.forget_below(*floor)),
            Step::Act(act, _) => return Done::Acted(act.apply(record, group, now)),
        }
        Done::Nothing
    }

    fn hand_out(&self, group: &mut Group, now: Timestamp, out: &mut Vec<HandOut>) {
        let mut rooms = Rooms::new();
        for (id, local) in &self.locals {
            let Some(member) = group.core.members.get(id) else {
                continue;
            };
            let is_same = match local.session {
                Some(session) => member.session == session,
                None => member.pulls,
            };
            if is_same {
                let free = (member.max_in_flight as usize).saturating_sub(group.in_flight_of(id));
                rooms.insert(id.clone(), free.min(local.room));
            }
        }
        if rooms.is_empty() {
            return;
        }
        group.redeliver(now, self.limit, &mut rooms, out);
        for offer in &self.offers {
            let question = (&offer.request_id, offer.respond_by);
            group.offer(offer.slot, &offer.event, question, now, &mut rooms, out);
        }
        group.offer_again(now, &mut rooms, out);
        for more in &self.catch_ups {
            group.catch_up(more, now, &mut rooms, out);
        }
        for scan in &self.scans {
            group.scan(scan, now, &mut rooms, out);
        }
    }
}
