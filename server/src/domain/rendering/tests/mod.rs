//! What becomes of messages on sources with the limits of real ones, and on any.

mod messenger;
mod plain;
mod random;
mod whatsapp;

use super::*;
use crate::domain::{
    Button, ButtonKind, Card,
    source::{CardLimits, OfferKind, OfferLimits, OfferedAction},
};

/// A source that shows text only.
fn plain(text_chars: usize) -> Capabilities {
    Capabilities {
        text_chars,
        offers: &[],
        cards: None,
        hands_over: false,
        hands_over_with_text: false,
        reads_owner: false,
        reads_back: false,
        agent_window: None,
        human_window: None,
    }
}

/// A message with these reply buttons.
fn asks(text: &str, labels: &[&str]) -> AgentMessage {
    AgentMessage {
        text: text.to_owned(),
        buttons: labels.iter().map(|label| reply(label)).collect(),
        ..AgentMessage::default()
    }
}

fn reply(label: &str) -> Button {
    Button {
        kind: ButtonKind::Reply,
        label: label.to_owned(),
        link: String::new(),
    }
}

fn link(label: &str, link: &str) -> Button {
    Button {
        kind: ButtonKind::Link,
        label: label.to_owned(),
        link: link.to_owned(),
    }
}

fn card(title: &str, buttons: Vec<Button>) -> Card {
    Card {
        title: title.to_owned(),
        description: format!("About {title}"),
        image_url: format!("https://img.example/{title}"),
        buttons,
    }
}

fn with_cards(text: &str, cards: Vec<Card>) -> AgentMessage {
    AgentMessage {
        text: text.to_owned(),
        cards,
        ..AgentMessage::default()
    }
}

/// An item as a line, to compare with.
fn drawn(item: &Item) -> String {
    let options = |options: &[crate::domain::source::Offered]| {
        let drawn = options.iter().map(|option| match &option.action {
            OfferedAction::Choose { payload } => format!("[{} {payload}]", option.label),
            OfferedAction::Open { link } => format!("[{} {link}]", option.label),
        });
        drawn.collect::<String>()
    };
    match &item.body {
        ItemBody::Text(text) => text.clone(),
        ItemBody::Offer {
            kind,
            text,
            options: offered,
        } => format!("{kind:?} {text} {}", options(offered)),
        ItemBody::Cards(cards) => {
            let cards = cards.iter().map(|card| {
                let shown = [&card.title, &card.description, &card.image_url].map(String::as_str);
                format!("<{} {}>", shown.join("|"), options(&card.options))
            });
            cards.collect()
        }
    }
}

fn draw(message: &AgentMessage, capabilities: &Capabilities) -> (Vec<String>, bool) {
    let rendered = render_agent_message(message, 7, capabilities);
    let items = rendered.items.iter().map(drawn);
    (items.collect(), rendered.numbered)
}

/// How long the texts of items are, in characters.
fn lengths(items: &[Item]) -> Vec<usize> {
    let length = |item: &Item| match &item.body {
        ItemBody::Text(text) | ItemBody::Offer { text, .. } => text.chars().count(),
        ItemBody::Cards(_) => 0,
    };
    items.iter().map(length).collect()
}
