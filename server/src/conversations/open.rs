//! Finding a conversation, or making it.

use crate::domain::{
    Account, AgentSettings, Conversation, ConversationKey, EndCause, Error, EventBody, Id, Owner,
    OwnerChangeCause, Result, SessionState, ports::Transaction,
};

use super::record::record;

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
    account: &Account,
    agent: &AgentSettings,
    traceparent: &str,
) -> Result<()> {
    if conversation.owner != Owner::None {
        return Ok(());
    }
    hand_to_agent(tx, conversation, account, agent, "").await?;
    let changed = owner_changed(conversation, Owner::None, OwnerChangeCause::Reopened);
    record(tx, conversation, traceparent, changed);
    Ok(())
}

/// Gives a conversation (back) to the agent: under a new id at the platform, so that late words of the session before
/// can be told apart, and with that session closed. The caller records the `OwnerChanged`.
pub async fn hand_to_agent(
    tx: &mut dyn Transaction,
    conversation: &mut Conversation,
    account: &Account,
    agent: &AgentSettings,
    command_id: &str,
) -> Result<()> {
    if conversation.session.state == SessionState::Active {
        conversation.end_session();
        let ended = EventBody::ConversationEnded {
            cause: EndCause::Escalated,
            command_id: command_id.to_owned(),
        };
        record(tx, conversation, "", ended);
    }
    conversation.change_owner(Owner::Agent);
    if agent.fence_by_id {
        let own = format!("{}{}", account.upstream_prefix, conversation.key.id);
        conversation.upstream_id = format!("{own}.e{}", conversation.owner_epoch);
    }
    conversation.upstream_epoch = conversation.owner_epoch;
    claim(tx, conversation).await
}

/// The event for the owner that the conversation has just got.
pub fn owner_changed(
    conversation: &Conversation,
    from: Owner,
    cause: OwnerChangeCause,
) -> EventBody {
    EventBody::OwnerChanged {
        from,
        to: conversation.owner,
        owner_epoch: conversation.owner_epoch,
        cause,
        note: String::new(),
        request_id: String::new(),
        command_id: String::new(),
    }
}

async fn claim(tx: &mut dyn Transaction, conversation: &Conversation) -> Result<()> {
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
