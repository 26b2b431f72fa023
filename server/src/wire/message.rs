//! What visitors and agents say.

use parloir_proto::v1::{self, visitor_message::Content};

use super::{
    Nonsense,
    enums::{button_kind, read_button_kind},
    parameter::{parameters, read_parameters},
};
use crate::domain::{AgentMessage, Button, Card, Choice, VisitorContent, VisitorMessage};

pub fn visitor_message(message: &VisitorMessage) -> v1::VisitorMessage {
    v1::VisitorMessage {
        message_id: message.message_id.clone(),
        content: Some(match &message.content {
            VisitorContent::Text(text) => Content::Text(text.clone()),
            VisitorContent::Choice(choice) => Content::Choice(write_choice(choice)),
        }),
        parameters: parameters(&message.parameters),
        held: message.held,
        raw: message.raw.clone(),
    }
}

pub fn read_visitor_message(message: v1::VisitorMessage) -> Result<VisitorMessage, Nonsense> {
    let content = message.content.ok_or(Nonsense("visitor_message.content"))?;
    Ok(VisitorMessage {
        message_id: message.message_id,
        content: match content {
            Content::Text(text) => VisitorContent::Text(text),
            Content::Choice(choice) => VisitorContent::Choice(
                read_choice(choice).ok_or(Nonsense("visitor_message.choice.card_index"))?,
            ),
        },
        parameters: read_parameters(message.parameters),
        held: message.held,
        raw: message.raw,
    })
}

/// Absent where the index of the card is negative.
pub fn read_choice(choice: v1::Choice) -> Option<Choice> {
    let card_index = choice.card_index.map(u32::try_from).transpose().ok()?;
    Some(Choice {
        label: choice.label,
        card_index,
        event_id: choice.event_id,
    })
}

pub fn agent_message(message: &AgentMessage) -> v1::AgentMessage {
    v1::AgentMessage {
        text: message.text.clone(),
        buttons: buttons(&message.buttons),
        cards: message.cards.iter().map(card).collect(),
        confidence: message.confidence,
        platform_message_id: message.platform_message_id.clone(),
        platform_reply_id: message.platform_reply_id.clone(),
        unknown_type: message.unknown_type.clone(),
        raw: message.raw.clone(),
    }
}

pub fn read_agent_message(message: v1::AgentMessage) -> Result<AgentMessage, Nonsense> {
    let cards: Result<_, _> = message.cards.into_iter().map(read_card).collect();
    Ok(AgentMessage {
        text: message.text,
        buttons: read_buttons(message.buttons)?,
        cards: cards?,
        confidence: message.confidence,
        platform_message_id: message.platform_message_id,
        platform_reply_id: message.platform_reply_id,
        unknown_type: message.unknown_type,
        raw: message.raw,
    })
}

fn write_choice(choice: &Choice) -> v1::Choice {
    v1::Choice {
        label: choice.label.clone(),
        // Came in as an int32, so the largest one is never reached.
        card_index: choice
            .card_index
            .map(|index| i32::try_from(index).unwrap_or(i32::MAX)),
        event_id: choice.event_id.clone(),
    }
}

fn card(card: &Card) -> v1::Card {
    v1::Card {
        title: card.title.clone(),
        description: card.description.clone(),
        image_url: card.image_url.clone(),
        buttons: buttons(&card.buttons),
    }
}

fn read_card(card: v1::Card) -> Result<Card, Nonsense> {
    Ok(Card {
        title: card.title,
        description: card.description,
        image_url: card.image_url,
        buttons: read_buttons(card.buttons)?,
    })
}

fn buttons(buttons: &[Button]) -> Vec<v1::Button> {
    buttons
        .iter()
        .map(|button| v1::Button {
            kind: button_kind(button.kind).into(),
            label: button.label.clone(),
            link: button.link.clone(),
        })
        .collect()
}

fn read_buttons(buttons: Vec<v1::Button>) -> Result<Vec<Button>, Nonsense> {
    buttons
        .into_iter()
        .map(|button| {
            Ok(Button {
                kind: read_button_kind(button.kind).ok_or(Nonsense("button.kind"))?,
                label: button.label,
                link: button.link,
            })
        })
        .collect()
}
