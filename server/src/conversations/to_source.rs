//! What goes to a source: a row in its lane, in the commit of the event that holds it.

use crate::domain::{
    AgentMessage, Conversation, Delivery, DeliveryKind, DeliveryState, Direction, Id, LaneKey,
    Result, Subject, Timestamp,
    ports::{Effect, Transaction},
    rendering::render_agent_message,
};

use super::{desk::Desk, record::Recorded};

/// The agent's words, if its visitor came through a source: the row, and whether numbers stand for its choices.
pub async fn reply_at_source(
    tx: &mut dyn Transaction,
    conversation: &Conversation,
    message: &AgentMessage,
    recorded: &Recorded,
    desk: &Desk,
) -> Result<()> {
    let Some(source) = desk.source_of(conversation) else {
        return Ok(());
    };
    let Some(mut contact) = tx.contact_of(&conversation.key).await? else {
        return Ok(());
    };
    let rendered = render_agent_message(message, recorded.sequence, &source.capabilities);
    if rendered.items.is_empty() {
        return Ok(());
    }
    let numbered = if rendered.numbered {
        recorded.sequence
    } else {
        0
    };
    if contact.numbered != numbered {
        contact.numbered = numbered;
        tx.save_contact(&contact).await?;
    }
    enqueue_at_source(tx, conversation, DeliveryKind::Reply, recorded)
        .await
        .map(drop)
}

/// Puts a row at the end of the conversation's lane to its source.
pub async fn enqueue_at_source(
    tx: &mut dyn Transaction,
    conversation: &Conversation,
    kind: DeliveryKind,
    recorded: &Recorded,
) -> Result<Delivery> {
    let delivery = row(tx, conversation, (kind, Direction::Source), recorded).await?;
    tx.add_delivery(&delivery).await?;
    tx.after_commit(Effect::RingLane(LaneKey::to_source(&conversation.key)));
    Ok(delivery)
}

/// A row for what an event holds, named by the event.
pub async fn row(
    tx: &mut dyn Transaction,
    conversation: &Conversation,
    (kind, direction): (DeliveryKind, Direction),
    recorded: &Recorded,
) -> Result<Delivery> {
    Ok(Delivery {
        id: Id::generate(),
        key: conversation.key.clone(),
        agent: conversation.agent.clone(),
        direction,
        kind,
        subject: Subject::Event(recorded.event_id.to_string()),
        order: tx.next_order(&conversation.key).await?,
        sequence: recorded.sequence,
        state: DeliveryState::Queued,
        reason: None,
        detail: String::new(),
        attempt: 0,
        session: conversation.session.number,
        new_session: false,
        owner_epoch: conversation.owner_epoch,
        queued_at: tx.now(),
        not_before: Timestamp::default(),
        part: 0,
        unclear: false,
        read_back_since: None,
        remote_id: String::new(),
        attempted_at: Timestamp::default(),
        awaits_owner: false,
    })
}
