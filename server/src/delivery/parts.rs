//! What a delivery to a source consists of: the requests that it takes, in order, the same however often it is asked.

use crate::domain::{
    Conversation, Delivery, DeliveryKind, EventBody, HumanMessage, Question, SourceEntry, ToSource,
    phrase,
    rendering::{render_agent_message, render_human_message, render_text},
    source::{Author, Handover, Item},
};

pub fn parts(
    delivery: &Delivery,
    body: &EventBody,
    conversation: &Conversation,
    source: &SourceEntry,
) -> Vec<ToSource> {
    match (delivery.kind, body) {
        (DeliveryKind::Reply, EventBody::AgentMessage(message)) => {
            show(render_agent_message(message, delivery.sequence, &source.capabilities).items)
        }
        (DeliveryKind::Human, EventBody::HumanMessage(message)) => {
            show(human_items(message, conversation, source))
        }
        (DeliveryKind::Escalate, body) => escalate(body, conversation, source),
        (DeliveryKind::Resume, EventBody::OwnerChanged { note, .. }) => {
            vec![ToSource::Resume { note: note.clone() }]
        }
        // Nothing of this kind goes to a source.
        _ => Vec::new(),
    }
}

/// A human's words; or, of a sign without words, what the settings make of it.
pub fn human_items(
    message: &HumanMessage,
    conversation: &Conversation,
    source: &SourceEntry,
) -> Vec<Item> {
    let texts = &source.settings.sign_texts;
    let author = Author::Human {
        name: String::new(),
        avatar_url: String::new(),
    };
    match texts.text(message, language(conversation)) {
        Some(text) if !message.from_source => render_text(&text, &author, &source.capabilities),
        _ => render_human_message(message, &source.capabilities),
    }
}

/// The handover first, so that a fast second message of the visitor does not reach the agent, then what the visitor is
/// told of it; in one request where the source can.
fn escalate(body: &EventBody, conversation: &Conversation, source: &SourceEntry) -> Vec<ToSource> {
    let (target, note) = match body {
        EventBody::Requested {
            question: Question::Escalation { target, .. },
            ..
        } => (target.as_str(), ""),
        EventBody::OwnerChanged { note, .. } => ("", note.as_str()),
        _ => return Vec::new(),
    };
    let text = phrase::in_language(&source.settings.handover_text, language(conversation));
    let together = source.capabilities.hands_over_with_text;
    let handover = ToSource::Escalate(Handover {
        conversation_id: conversation.key.id.clone(),
        target: target.to_owned(),
        text: text.filter(|_| together).map(str::to_owned),
        note: note.to_owned(),
    });
    let apart = text.filter(|_| !together);
    let said = apart.map(|text| render_text(text, &Author::Agent, &source.capabilities));
    let mut parts = vec![handover];
    parts.extend(show(said.unwrap_or_default()));
    parts
}

/// The visitor's, as far as it is known.
fn language(conversation: &Conversation) -> &str {
    conversation
        .visitor
        .as_ref()
        .map_or("", |visitor| visitor.language.as_str())
}

fn show(items: Vec<Item>) -> Vec<ToSource> {
    items.into_iter().map(ToSource::Show).collect()
}
