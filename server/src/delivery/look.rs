//! Asking a source instead of telling it: who owns a conversation, and whether something arrived.

use std::time::Duration;

use crate::{
    conversations::{Change, Desk, Weight, observe, take_from_agent},
    domain::{
        Conversation, Delivery, DeliveryKind, DeliveryState, EventBody, Evidence, Id, Known, Owner,
        OwnerChangeCause, Result, Timestamp,
        ports::Transaction,
        source::{Arrival, Item, NotRead, Observed},
    },
};

use super::{backoff::Backoff, settle_source::part_done};

/// A question to a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    pub source: Id,
    pub address: String,
    /// The conversation's owner epoch when it was decided to ask.
    pub owner_epoch: u64,
    pub what: LookFor,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookFor {
    Owner,
    /// Whether the part of this delivery that is under way arrived.
    Arrival {
        delivery: Id,
        item: Item,
        since: Timestamp,
    },
}

/// What the source answered.
#[derive(Debug, Clone)]
pub struct Looked {
    /// The row that waits for it.
    pub look: Look,
    pub found: Found,
}

#[derive(Debug, Clone)]
pub enum Found {
    Owner(Result<Observed, NotRead>),
    Arrival(Result<Arrival, NotRead>),
}

/// Before this much time has passed since a request was given up, what a source does not show may still be on its way into
/// it.
const MISSING_AFTER: Duration = Duration::from_secs(5);

/// Whether the owner has to be read before this row may go to the agent.
pub fn owner_must_be_read(
    tx: &dyn Transaction,
    conversation: &Conversation,
    delivery: &Delivery,
    desk: &Desk,
) -> bool {
    let speaks = matches!(delivery.kind, DeliveryKind::Start | DeliveryKind::Message);
    let Some(source) = desk.source_of(conversation).filter(|_| speaks) else {
        return false;
    };
    if !source.capabilities.reads_owner {
        return false;
    }
    // Any reading since it was queued decides, unless the owner has changed meanwhile.
    let is_unread = delivery.awaits_owner
        && delivery.owner_epoch == conversation.owner_epoch
        && conversation.known.observed_at < delivery.queued_at;
    is_unread
        || conversation.owner == Owner::Agent
            && conversation.owner_is_stale(tx.now(), source.settings.owner_max_age)
}

/// Commits what a look found. What could not be read makes the row wait, and the agent with it: nobody speaks for an
/// owner who is not known.
pub async fn settle_look(
    tx: &mut dyn Transaction,
    conversation: &mut Conversation,
    looked: &Looked,
    head: Option<Delivery>,
    (desk, backoff): (&Desk, Backoff),
) -> Result<()> {
    match &looked.found {
        // The owner changed while the source was asked: what it says may be from before that. If it still matters, the
        // lane asks again.
        Found::Owner(Ok(_) | Err(NotRead::Refused { .. }))
            if looked.look.owner_epoch != conversation.owner_epoch =>
        {
            Ok(())
        }
        Found::Owner(Ok(observed)) => {
            let certain = (Weight::Certain, None);
            observe(tx, conversation, observed, certain, desk).await
        }
        Found::Owner(Err(NotRead::Refused { detail })) => {
            owner_is_not_told(tx, conversation, detail, desk).await
        }
        Found::Arrival(Ok(arrival)) => arrived(tx, conversation, looked, (arrival, desk)).await,
        Found::Owner(Err(NotRead::Later { after }))
        | Found::Arrival(Err(NotRead::Later { after })) => wait(tx, head, *after, backoff).await,
        Found::Arrival(Err(NotRead::Refused { .. })) => arrival_is_not_told(tx, looked).await,
    }
}

/// It will never be told: silence, and somebody has to look.
async fn owner_is_not_told(
    tx: &mut dyn Transaction,
    conversation: &mut Conversation,
    detail: &str,
    desk: &Desk,
) -> Result<()> {
    let known = Known {
        evidence: Evidence::Read,
        observed_at: tx.now(),
        expires_at: None,
    };
    if conversation.owner == Owner::Unknown {
        conversation.known = known;
        return Ok(());
    }
    let change = Change::because(OwnerChangeCause::Observed, known);
    take_from_agent(tx, conversation, Owner::Unknown, change, desk).await?;
    let alert = EventBody::PlatformAlert {
        name: "owner_unreadable".to_owned(),
        raw: serde_json::json!({ "detail": detail }).to_string(),
    };
    crate::conversations::record(tx, conversation, "", alert);
    Ok(())
}

async fn arrived(
    tx: &mut dyn Transaction,
    conversation: &Conversation,
    looked: &Looked,
    (arrival, desk): (&Arrival, &Desk),
) -> Result<()> {
    let Some(mut delivery) = waiting(tx, looked).await? else {
        return Ok(());
    };
    let limit = desk
        .source_of(conversation)
        .map_or(Duration::ZERO, |source| source.settings.send_timeout);
    let certain_at = delivery.attempted_at + limit + MISSING_AFTER;
    match arrival {
        Arrival::Arrived { remote_id } => {
            delivery.read_back_since = None;
            // Another that reads alike was found: whether this one is there too cannot be told.
            let tenant = conversation.key.tenant.as_str();
            let other = tx.remote_delivery(tenant, remote_id).await?;
            delivery.unclear |= other.is_some();
            part_done(&mut delivery, &tx.known_as(remote_id));
        }
        Arrival::Missing if tx.now() < certain_at => delivery.not_before = certain_at,
        // The same part is sent once more.
        Arrival::Missing => delivery.read_back_since = None,
    }
    tx.save_delivery(&delivery).await
}

async fn arrival_is_not_told(tx: &mut dyn Transaction, looked: &Looked) -> Result<()> {
    let Some(mut delivery) = waiting(tx, looked).await? else {
        return Ok(());
    };
    delivery.read_back_since = None;
    delivery.unclear = true;
    part_done(&mut delivery, "");
    tx.save_delivery(&delivery).await
}

/// The row, if it still waits for this look.
async fn waiting(tx: &mut dyn Transaction, looked: &Looked) -> Result<Option<Delivery>> {
    let LookFor::Arrival { delivery, .. } = &looked.look.what else {
        return Ok(None);
    };
    let found = tx.delivery(delivery).await?;
    Ok(found.filter(|row| row.state == DeliveryState::Queued && row.read_back_since.is_some()))
}

/// How long a look that was in vain is followed by silence, at least, unless the source says: each look is a call, and a
/// source may grant few.
const AGAIN: Duration = Duration::from_secs(3);

async fn wait(
    tx: &mut dyn Transaction,
    head: Option<Delivery>,
    after: Option<Duration>,
    backoff: Backoff,
) -> Result<()> {
    let Some(mut head) = head.filter(|head| head.state == DeliveryState::Queued) else {
        return Ok(());
    };
    head.not_before = tx.now() + backoff.after(1, Some(after.unwrap_or(AGAIN)));
    tx.save_delivery(&head).await
}
