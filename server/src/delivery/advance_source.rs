//! One step of a lane to a source, in one transaction.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{
    conversations::Desk,
    domain::{
        Attempt, Conversation, Delivery, DeliveryKind, DeliveryState, Departure, Error, EventBody,
        KnownContact, LaneKey, Owner, Reason, Recipient, Result, SourceEntry, Timestamp, ToSource,
        ports::Transaction,
        source::{Author, Item},
    },
};

use super::{
    advance::{PAST, Step},
    breaker::Breakers,
    look::{Look, LookFor},
    parts::parts,
    settle_source::finish,
};

/// Goes through the rows that can be settled without a request until one can be sent or has to wait.
pub async fn next(
    tx: &mut dyn Transaction,
    conversation: &mut Conversation,
    desk: &Desk,
    breakers: &Breakers,
) -> Result<Step> {
    let lane = LaneKey::to_source(&conversation.key);
    while let Some(delivery) = tx.lane_head(&lane).await? {
        if delivery.state == DeliveryState::Attempting {
            return Ok(Step::Idle);
        }
        match consider(tx, conversation, &delivery, desk, breakers).await? {
            Verdict::Ends(state, reason) => {
                finish(tx, conversation, delivery, (state, reason, ""), desk).await?;
            }
            Verdict::Looks(look) => return Ok(Step::Look(Box::new(look))),
            Verdict::Goes(departure) => return begin(tx, delivery, departure).await,
            Verdict::Waits(until) => {
                return overtake(tx, conversation, &delivery, until, (desk, breakers)).await;
            }
        }
    }
    Ok(Step::Idle)
}

/// What becomes of a row.
enum Verdict {
    Goes(Departure),
    Looks(Look),
    Waits(Timestamp),
    Ends(DeliveryState, Option<Reason>),
}

/// While the head of the lane waits, a handover behind it need not: nobody shall wait for a human because of a rate limit
/// on words.
async fn overtake(
    tx: &mut dyn Transaction,
    conversation: &Conversation,
    head: &Delivery,
    until: Timestamp,
    (desk, breakers): (&Desk, &Breakers),
) -> Result<Step> {
    let waiting = tx.waiting_handovers(&conversation.key).await?;
    if let Some(handover) = waiting.into_iter().find(|handover| {
        handover.id != head.id && handover.part == 0 && handover.state == DeliveryState::Queued
    }) && let Verdict::Goes(departure) =
        consider(tx, conversation, &handover, desk, breakers).await?
    {
        return begin(tx, handover, departure).await;
    }
    Ok(Step::Wait(until.since(tx.now()).max(PAST)))
}

async fn begin(
    tx: &mut dyn Transaction,
    mut delivery: Delivery,
    departure: Departure,
) -> Result<Step> {
    delivery.state = DeliveryState::Attempting;
    delivery.attempted_at = tx.now();
    delivery.attempt += 1;
    delivery.reason = None;
    delivery.detail.clear();
    tx.save_delivery(&delivery).await?;
    Ok(Step::Send(Box::new(Attempt {
        delivery,
        departure,
        decided_at: Instant::now().into_std(),
    })))
}

async fn consider(
    tx: &mut dyn Transaction,
    conversation: &Conversation,
    delivery: &Delivery,
    desk: &Desk,
    breakers: &Breakers,
) -> Result<Verdict> {
    let Some(source) = desk.source_of(conversation) else {
        return Ok(ends(delivery, DeliveryState::Failed, Reason::SourceRemoved));
    };
    let event = tx.event(&delivery.key, delivery.sequence).await?;
    let Some(body) = event.map(|event| event.fact.body) else {
        return Ok(ends(delivery, DeliveryState::Failed, Reason::QueuedTooLong));
    };
    match body {
        EventBody::Erased { .. } => {
            return Ok(ends(delivery, DeliveryState::Failed, Reason::Erased));
        }
        // It waits for a replica that can read it.
        EventBody::Unread { .. } => return Err(Error::Internal),
        _ => {}
    }
    let mut parts = parts(delivery, &body, conversation, &source);
    let index = usize::try_from(delivery.part).unwrap_or(usize::MAX);
    // First: what has gone has gone, whoever owns the conversation now.
    if index >= parts.len() {
        return Ok(dealt_with(delivery));
    }
    // What may have been shown is asked for first: then it can be said whether it was in time.
    let to_be_read_back = delivery.read_back_since.is_some();
    let moved = delivery.owner_epoch != conversation.owner_epoch;
    let is_over =
        moved || delivery.part == 0 && is_withdrawn(tx, conversation, delivery, &body).await?;
    if is_over && !to_be_read_back {
        return Ok(ends(
            delivery,
            DeliveryState::Superseded,
            Reason::OwnerMoved,
        ));
    }
    let Some(contact) = tx.contact_of(&conversation.key).await? else {
        return Ok(ends(
            delivery,
            DeliveryState::Failed,
            Reason::VisitorUnreachable,
        ));
    };
    let now = tx.now();
    if now.since(delivery.queued_at) > source.settings.max_queue_age {
        return Ok(ends(delivery, DeliveryState::Failed, Reason::QueuedTooLong));
    }
    let what = parts.swap_remove(index);
    let row = Row {
        conversation,
        delivery,
        contact: &contact,
        source: &source,
    };
    Ok(row.timely(what, now, breakers))
}

/// An end without another request. Where something may have arrived, all that can be said is that nobody knows.
fn ends(delivery: &Delivery, state: DeliveryState, reason: Reason) -> Verdict {
    if delivery.unclear || delivery.read_back_since.is_some() {
        return Verdict::Ends(DeliveryState::Unknown, Some(Reason::OutcomeUnknown));
    }
    Verdict::Ends(state, Some(reason))
}

/// Every part has gone.
fn dealt_with(delivery: &Delivery) -> Verdict {
    if delivery.unclear {
        Verdict::Ends(DeliveryState::Unknown, Some(Reason::OutcomeUnknown))
    } else {
        Verdict::Ends(DeliveryState::Delivered, None)
    }
}

/// The escalation that asks for this handover was answered otherwise meanwhile, and nothing of it has left: what the
/// source may have done is done again until it is clear, or it would know a human as the owner and we the agent.
async fn is_withdrawn(
    tx: &mut dyn Transaction,
    conversation: &Conversation,
    delivery: &Delivery,
    body: &EventBody,
) -> Result<bool> {
    let EventBody::Requested {
        request: Some(open),
        ..
    } = body
    else {
        return Ok(false);
    };
    // Accepted, by whomever: the source is still to be told.
    if delivery.unclear || conversation.owner == Owner::Human {
        return Ok(false);
    }
    let request = tx.request(&open.request_id).await?;
    let closed = request.is_none_or(|request| request.closed.is_some());
    Ok(delivery.kind == DeliveryKind::Escalate && closed)
}

/// A row that is not over, with all that decides when its next part goes.
struct Row<'a> {
    conversation: &'a Conversation,
    delivery: &'a Delivery,
    contact: &'a KnownContact,
    source: &'a Arc<SourceEntry>,
}

impl Row<'_> {
    fn timely(&self, what: ToSource, now: Timestamp, breakers: &Breakers) -> Verdict {
        if let ToSource::Show(item) = &what
            && self.window_is_closed(item, now)
        {
            return ends(self.delivery, DeliveryState::Failed, Reason::WindowClosed);
        }
        let fails = self.delivery.queued_at + self.source.settings.max_queue_age + PAST;
        if now < self.delivery.not_before {
            return Verdict::Waits(self.delivery.not_before.min(fails));
        }
        let recipient = Recipient::Source(self.source.settings.name.clone());
        if let Err(until) = breakers.permit(&recipient, &self.delivery.lane(), now) {
            return Verdict::Waits(until.min(fails));
        }
        if let (ToSource::Show(item), Some(since)) = (&what, self.delivery.read_back_since) {
            return Verdict::Looks(self.look(LookFor::Arrival {
                delivery: self.delivery.id.clone(),
                item: item.clone(),
                since,
            }));
        }
        if self.owner_is_in_doubt(now) {
            return Verdict::Looks(self.look(LookFor::Owner));
        }
        Verdict::Goes(Departure::Source {
            source: self.source.settings.name.clone(),
            address: self.contact.address.clone(),
            what,
        })
    }

    fn look(&self, what: LookFor) -> Look {
        Look {
            source: self.source.settings.name.clone(),
            address: self.contact.address.clone(),
            owner_epoch: self.conversation.owner_epoch,
            what,
        }
    }

    /// Somebody else may have taken over since the agent spoke.
    fn owner_is_in_doubt(&self, now: Timestamp) -> bool {
        let expired = self.conversation.known.expires_at;
        self.delivery.kind == DeliveryKind::Reply
            && self.source.capabilities.reads_owner
            && self.conversation.owner == Owner::Agent
            && expired.is_some_and(|expired| now >= expired)
    }

    fn window_is_closed(&self, item: &Item, now: Timestamp) -> bool {
        let capabilities = &self.source.capabilities;
        let window: Option<Duration> = match item.author {
            Author::Agent => capabilities.agent_window,
            Author::Human { .. } => capabilities.human_window,
        };
        window.is_some_and(|window| now.since(self.contact.spoke_at) > window)
    }
}
