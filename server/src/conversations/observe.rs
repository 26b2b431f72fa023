//! What a source says about the owner, weighed against what we know.

use crate::domain::{
    Conversation, EventBody, Evidence, Known, Owner, OwnerChangeCause, Result, SourceEntry,
    Timestamp, ports::Transaction, source::Observed,
};

use super::{
    desk::Desk,
    ownership::{Change, close_escalations, give_to_agent, take_from_agent},
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
    let Some(source) = desk.source_of(conversation).cloned() else {
        return Ok(());
    };
    let now = tx.now();
    if is_overtaken(conversation, &source, occurred_at) {
        // It may still be true, so it is looked up where that is possible.
        if observed.owner != conversation.owner {
            conversation.doubt_owner(now);
        }
        return Ok(());
    }
    let known = Known {
        evidence: observed.evidence,
        observed_at: occurred_at.unwrap_or(now).min(now),
        expires_at: observed.expires_at,
    };
    if observed.owner == conversation.owner {
        conversation.known = known;
        return Ok(());
    }
    if weight == Weight::Hint && gives_up_early(conversation, observed, now) {
        conversation.doubt_owner(now);
        return Ok(());
    }
    change(tx, conversation, observed, known, desk).await
}

/// It happened before what we know: webhooks may come late and out of order. Of our own change the source may not have
/// heard even shortly after it.
fn is_overtaken(
    conversation: &Conversation,
    source: &SourceEntry,
    occurred_at: Option<Timestamp>,
) -> bool {
    let Some(occurred_at) = occurred_at else {
        return false;
    };
    let known_at = conversation.known.observed_at;
    let settles = source.settings.owner_settles;
    match conversation.known.evidence {
        Evidence::OwnAction => !settles.is_zero() && occurred_at < known_at + settles,
        Evidence::Pushed | Evidence::Read | Evidence::SendError => occurred_at < known_at,
        // Nobody has said anything yet.
        Evidence::Assumed => false,
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
            let (account, agent) = desk.directory.account(&conversation.key.account)?;
            let whose = (account.as_ref(), agent.as_ref());
            give_to_agent(tx, conversation, whose, change, desk).await?;
        }
        (_, to) => {
            take_from_agent(tx, conversation, to, change, desk).await?;
        }
    }
    close_escalations(tx, conversation, desk).await?;
    if observed.owner == Owner::Unknown {
        let alert = EventBody::PlatformAlert {
            name: "owner_unknown".to_owned(),
            raw: serde_json::json!({ "owner": observed.unknown }).to_string(),
        };
        record(tx, conversation, "", alert);
    }
    Ok(())
}
