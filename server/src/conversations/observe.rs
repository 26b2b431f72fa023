//! What a source says about the owner, weighed against what we know.

use crate::domain::{
    Conversation, DeliveryKind, EventBody, Evidence, Known, Owner, OwnerChangeCause, Result,
    SourceEntry, Timestamp, ports::Transaction, source::Observed,
};

use super::{
    desk::Desk,
    ownership::{Change, give_to_agent, take_from_agent},
    record::record,
};

/// How much a word about the owner counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// It is about the owner and nothing else, or was asked for.
    Certain,
    /// It follows from how a message came: not enough to end an ownership whose time is not over.
    Hint,
}

/// Takes a word about the owner into account. The caller saves the conversation.
pub async fn observe(
    tx: &mut dyn Transaction,
    conversation: &mut Conversation,
    observed: &Observed,
    (weight, occurred_at): (Weight, Option<Timestamp>),
    desk: &Desk,
) -> Result<()> {
    let Some(source) = desk.source_of(conversation) else {
        return Ok(());
    };
    let now = tx.now();
    // What comes by itself and does not say when is of now; a look is of the moment that it was decided on.
    let asked = observed.evidence != Evidence::Pushed;
    let occurred_at = occurred_at.or((!asked).then_some(now));
    if is_overtaken(conversation, &source, occurred_at) {
        // It may still be true, so it is looked up where that is possible.
        if observed.owner != conversation.owner {
            conversation.doubt_owner(now);
        }
        return Ok(());
    }
    let observed_at = occurred_at.unwrap_or(now).min(now);
    let known = Known {
        evidence: observed.evidence,
        observed_at: observed_at.max(conversation.known.observed_at),
        expires_at: observed.expires_at,
    };
    if is_same(conversation.owner, observed.owner) {
        conversation.known = known;
        return Ok(());
    }
    if is_ours_to_say(conversation, &source, observed) {
        return Ok(());
    }
    if is_not_told_yet(tx, conversation, observed).await? {
        if asked {
            // Seen all the same: what waits for a reading has had one.
            conversation.known.observed_at = now;
            conversation.known.expires_at = None;
        } else {
            conversation.doubt_owner(now);
        }
        return Ok(());
    }
    if weight == Weight::Hint && gives_up_early(conversation, observed, now) {
        conversation.doubt_owner(now);
        return Ok(());
    }
    change(tx, conversation, observed, known, desk).await
}

/// Nobody knows better than that a human owns it: silence either way, and the human goes on.
fn is_same(known: Owner, observed: Owner) -> bool {
    known == observed || known == Owner::Human && observed == Owner::Unknown
}

/// A source that hands nobody over does not know of our humans: that the visitor's words came to us says nothing.
fn is_ours_to_say(conversation: &Conversation, source: &SourceEntry, observed: &Observed) -> bool {
    !source.capabilities.hands_over
        && observed.owner == Owner::Agent
        && conversation.known.evidence == Evidence::OwnAction
}

/// Our own change waits in the lane: the source cannot know of it, and what it says is of the time before.
async fn is_not_told_yet(
    tx: &mut dyn Transaction,
    conversation: &Conversation,
    observed: &Observed,
) -> Result<bool> {
    let tells = match (conversation.owner, observed.owner) {
        (Owner::Human, Owner::Agent) => DeliveryKind::Escalate,
        (Owner::Agent, Owner::Human) => DeliveryKind::Resume,
        _ => return Ok(false),
    };
    let waiting = tx.waiting_handovers(&conversation.key).await?;
    Ok(waiting.iter().any(|row| {
        row.kind == tells && row.part == 0 && row.owner_epoch == conversation.owner_epoch
    }))
}

/// It happened before the newest that the source said, or before our own newest change, or so shortly after that it may
/// not have seen it.
fn is_overtaken(
    conversation: &Conversation,
    source: &SourceEntry,
    occurred_at: Option<Timestamp>,
) -> bool {
    let known = &conversation.known;
    let Some(occurred_at) = occurred_at else {
        return false;
    };
    match known.evidence {
        // Webhooks overtake each other.
        Evidence::Pushed | Evidence::Read => occurred_at < known.observed_at,
        Evidence::OwnAction => {
            let settles = source.settings.owner_settles;
            !settles.is_zero() && occurred_at < known.observed_at + settles
        }
        Evidence::Assumed | Evidence::SendError => false,
    }
}

/// A human's ownership has an end that has not come, and only the way of a message speaks against it.
fn gives_up_early(conversation: &Conversation, observed: &Observed, now: Timestamp) -> bool {
    observed.owner == Owner::Agent
        && conversation
            .known
            .expires_at
            .is_some_and(|expires_at| now < expires_at)
}

async fn change(
    tx: &mut dyn Transaction,
    conversation: &mut Conversation,
    observed: &Observed,
    known: Known,
    desk: &Desk,
) -> Result<()> {
    let cause = match observed.evidence {
        Evidence::SendError => OwnerChangeCause::RefusedBySource,
        _ => OwnerChangeCause::Observed,
    };
    let change = Change::because(cause, known);
    match (conversation.owner, observed.owner) {
        // A visitor's next message reopens it.
        (Owner::None, Owner::Agent | Owner::None) => return Ok(()),
        (_, Owner::Agent) => {
            let directory = desk.directory();
            let Ok((account, agent)) =
                directory.account(&conversation.key.tenant, &conversation.key.account)
            else {
                // Its account is not configured any more: there is no agent to give it to.
                return Ok(());
            };
            let whose = (account.as_ref(), agent.as_ref());
            give_to_agent(tx, conversation, whose, change, desk).await?;
        }
        (_, to) => {
            take_from_agent(tx, conversation, to, change, desk).await?;
        }
    }
    if observed.owner == Owner::Unknown {
        let alert = EventBody::PlatformAlert {
            name: "owner_unknown".to_owned(),
            raw: serde_json::json!({ "owner": observed.unknown }).to_string(),
        };
        record(tx, conversation, "", alert);
    }
    Ok(())
}
