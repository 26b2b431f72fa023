//! Finding a conversation, or making it.

use crate::domain::{
    Account, AgentSettings, Conversation, ConversationKey, ConversationKind, EndCause, Error,
    EventBody, Fingerprint, Id, Known, Owner, OwnerChangeCause, Result, ports::Transaction,
};

use super::{
    desk::Desk,
    ownership::{Change, give_to_agent},
    record::record,
};

/// The conversation, made if it is unknown.
pub async fn open(
    tx: &mut dyn Transaction,
    key: &ConversationKey,
    account: &Account,
    agent: &AgentSettings,
) -> Result<Conversation> {
    if let Some(known) = tx.conversation(key).await? {
        return Ok(known);
    }
    let upstream_id = format!("{}{}", account.upstream_prefix, key.id);
    let conversation = Conversation::new(key.clone(), agent.name.clone(), upstream_id, tx.now());
    claim(tx, &conversation).await?;
    Ok(conversation)
}

/// The conversation as [`open`] gives it, of the kind that the caller wants.
pub async fn open_as(
    tx: &mut dyn Transaction,
    key: &ConversationKey,
    (account, agent): (&Account, &AgentSettings),
    kind: Option<ConversationKind>,
) -> Result<Conversation> {
    let mut conversation = open(tx, key, account, agent).await?;
    match kind {
        Some(kind) if conversation.sequence == 0 => conversation.kind = kind,
        Some(kind) if conversation.kind != kind => return Err(Error::OtherKind),
        _ => {}
    }
    Ok(conversation)
}

/// A command's content with the kind that it asks for. One that asks for none is as it was before there were kinds.
pub fn with_kind(content: Fingerprint, kind: Option<ConversationKind>) -> Fingerprint {
    match kind {
        None => content,
        Some(ConversationKind::Chat) => content.text("chat"),
        Some(ConversationKind::Ticket) => content.text("ticket"),
        Some(ConversationKind::Widget) => content.text("widget"),
    }
}

/// The conversation, or `NotFound`.
pub async fn find(tx: &mut dyn Transaction, key: &ConversationKey) -> Result<Conversation> {
    tx.conversation(key)
        .await?
        .ok_or_else(|| Error::not_found("conversation", &key.id))
}

/// Ends a session whose time ran out while nobody spoke.
pub fn expire_if_due(tx: &mut dyn Transaction, conversation: &mut Conversation) {
    if conversation.session_has_expired(tx.now()) {
        conversation.end_session();
        let ended = EventBody::ConversationEnded {
            cause: EndCause::Expired,
            command_id: String::new(),
        };
        record(tx, conversation, "", ended);
    }
}

/// A visitor came back to a conversation that was ended while a human owned it: the agent answers again.
pub async fn reopen(
    tx: &mut dyn Transaction,
    conversation: &mut Conversation,
    whose: (&Account, &AgentSettings),
    traceparent: &str,
    desk: &Desk,
) -> Result<()> {
    if conversation.owner != Owner::None {
        return Ok(());
    }
    let change = Change {
        traceparent,
        ..Change::because(OwnerChangeCause::Reopened, Known::by_us(tx.now()))
    };
    give_to_agent(tx, conversation, whose, change, desk).await?;
    // Its human may still be there, as the source sees it.
    if desk
        .source_of(conversation)
        .is_some_and(|source| source.capabilities.reads_owner)
    {
        conversation.doubt_owner(tx.now());
    }
    Ok(())
}

/// Notes the id by which the platform knows the conversation now.
pub async fn claim(tx: &mut dyn Transaction, conversation: &Conversation) -> Result<()> {
    let Conversation {
        agent,
        upstream_id,
        key,
        upstream_epoch,
        ..
    } = conversation;
    if tx
        .claim_upstream(agent, upstream_id, key, *upstream_epoch)
        .await?
    {
        return Ok(());
    }
    Err(Error::UpstreamIdTaken {
        agent: Id::clone(agent),
    })
}
