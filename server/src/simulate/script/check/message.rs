//! Messages: texts, buttons and cards.

use super::super::file::{ButtonFile, CardFile};
use super::super::{Button, Card, Message, ScriptError};
use super::{invalid, require_text};

/// The platform's own limit.
const MOST_CARDS: usize = 10;

pub(super) fn say(
    text: String,
    buttons: Vec<ButtonFile>,
    confidence: Option<f64>,
    place: &str,
) -> Result<Message, ScriptError> {
    require_text(&text, "the text", || place.to_owned())?;
    if confidence.is_some_and(|value| !(0.0..=1.0).contains(&value)) {
        return Err(invalid(
            place,
            "confidence lies between 0 and 1; correct it",
        ));
    }
    Ok(Message {
        text,
        buttons: self::buttons(buttons, place)?,
        cards: Vec::new(),
        confidence,
    })
}

pub(super) fn carousel(
    cards: Vec<CardFile>,
    confidence: Option<f64>,
    place: &str,
) -> Result<Message, ScriptError> {
    if cards.is_empty() || cards.len() > MOST_CARDS {
        let remedy = format!("a carousel has 1 to {MOST_CARDS} cards; add or remove some");
        return Err(invalid(place, remedy));
    }
    let card = |(number, card): (usize, CardFile)| {
        let place = format!("{place}, card {number}");
        require_text(&card.title, "title", || place.clone())?;
        Ok::<_, ScriptError>(Card {
            title: card.title,
            description: card.description,
            image_url: card.image_url,
            buttons: buttons(card.buttons, &place)?,
        })
    };
    Ok(Message {
        cards: (0..).zip(cards).map(card).collect::<Result<_, _>>()?,
        confidence,
        ..Message::default()
    })
}

fn buttons(files: Vec<ButtonFile>, place: &str) -> Result<Vec<Button>, ScriptError> {
    let button = |file| {
        let (text, link) = match file {
            ButtonFile::Label(text) => (text, None),
            ButtonFile::Table(table) => (table.text, table.link),
        };
        require_text(&text, "a button's label", || place.to_owned())?;
        let web = |link: &String| link.starts_with("https://") || link.starts_with("http://");
        if link.as_ref().is_some_and(|link| !web(link)) {
            let remedy = format!("the link of button {text:?} must start with https:// or http://");
            return Err(invalid(place, remedy));
        }
        Ok(Button { text, link })
    };
    files.into_iter().map(button).collect()
}
