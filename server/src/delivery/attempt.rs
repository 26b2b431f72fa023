//! The moment before a request leaves: which session it goes into, and what exactly is sent.

use tokio::time::Instant;

use crate::domain::{
    AgentSettings, Attempt, Conversation, ConversationKind, Delivery, DeliveryKind, DeliveryState,
    Departure, Error, EventBody, Outbound, OutboundContent, Parameter, Result, VisitorMessage,
    parameter, ports::Transaction,
};

use crate::conversations::expire_if_due;

/// Turns a delivery ATTEMPTING: decides its session and assembles the request. The caller saves the conversation and
/// adds or saves the delivery, in the same transaction. Absent: there is nothing left to send, and nothing was changed.
pub async fn begin(
    tx: &mut dyn Transaction,
    conversation: &mut Conversation,
    delivery: &mut Delivery,
    agent: &AgentSettings,
) -> Result<Option<Attempt>> {
    let event = tx
        .event(&delivery.key, delivery.sequence)
        .await?
        .ok_or(Error::Internal)?;
    // An end says nothing of the visitor, and the agent had better hear of it.
    if matches!(event.fact.body, EventBody::Erased { .. }) && delivery.kind != DeliveryKind::End {
        return Ok(None);
    }
    enter_session(tx, conversation, delivery, agent);
    delivery.session = conversation.session.number;
    delivery.state = DeliveryState::Attempting;
    delivery.attempt += 1;
    delivery.attempted_at = tx.now();
    delivery.reason = None;
    delivery.detail.clear();
    let opens = matches!(delivery.kind, DeliveryKind::Start | DeliveryKind::Message);
    let kept = if opens {
        conversation.kept.clone()
    } else {
        Vec::new()
    };
    let content = content(&kept, (delivery.kind, conversation.kind), &event.fact.body)?;
    conversation.set_parameters(content.parameters());
    let outbound = Outbound {
        upstream_id: conversation.upstream_id.clone(),
        content,
    };
    Ok(Some(Attempt {
        delivery: delivery.clone(),
        departure: Departure::Agent { outbound, kept },
        decided_at: Instant::now().into_std(),
    }))
}

/// A start or a message goes into the live session or begins the next one; an end and parameters join what is there.
fn enter_session(
    tx: &mut dyn Transaction,
    conversation: &mut Conversation,
    delivery: &mut Delivery,
    agent: &AgentSettings,
) {
    let opens = matches!(delivery.kind, DeliveryKind::Start | DeliveryKind::Message);
    let now = tx.now();
    if !opens || conversation.session_is_live(now) {
        return;
    }
    // An end that was committed later covers what was queued before it: it opens nothing new.
    if delivery.order < conversation.ended_order {
        conversation.session.number = conversation.session.number.max(1);
        return;
    }
    expire_if_due(tx, conversation);
    conversation.begin_session(now, agent.session_timeout);
    delivery.new_session = true;
}

fn content(
    kept: &[Parameter],
    (kind, conversation): (DeliveryKind, ConversationKind),
    body: &EventBody,
) -> Result<OutboundContent> {
    match (kind, body) {
        (
            DeliveryKind::Message,
            EventBody::VisitorMessage(VisitorMessage {
                content,
                parameters,
                ..
            }),
        ) if conversation == ConversationKind::Ticket => Ok(OutboundContent::Ticket {
            text: content.text().to_owned(),
            parameters: with_kept(kept, parameters),
        }),
        (DeliveryKind::Human, EventBody::HumanMessage(message)) => {
            Ok(OutboundContent::Human(message.clone()))
        }
        (DeliveryKind::Start, EventBody::ConversationStarted { parameters, .. }) => {
            Ok(OutboundContent::Start {
                parameters: with_kept(kept, parameters),
            })
        }
        (
            DeliveryKind::Message,
            EventBody::VisitorMessage(VisitorMessage {
                content,
                parameters,
                ..
            }),
        ) => Ok(OutboundContent::Message {
            text: content.text().to_owned(),
            card_index: content.card_index(),
            parameters: with_kept(kept, parameters),
        }),
        (DeliveryKind::Parameters, EventBody::ParametersUpdated { parameters, .. }) => {
            Ok(OutboundContent::Parameters {
                parameters: parameters.clone(),
            })
        }
        (DeliveryKind::End, EventBody::ConversationEnded { .. } | EventBody::Erased { .. }) => {
            Ok(OutboundContent::End)
        }
        _ => Err(Error::Internal),
    }
}

/// What waited for a start or message travels with it; what the message itself says counts more.
fn with_kept(kept: &[Parameter], own: &[Parameter]) -> Vec<Parameter> {
    let mut parameters = kept.to_vec();
    parameter::merge(&mut parameters, own);
    parameters
}
