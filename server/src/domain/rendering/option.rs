//! The buttons of a message in one flat order, and what comes back when one is chosen.

use crate::domain::{
    message::{AgentMessage, Button, ButtonKind, Card, Choice},
    source::{Offered, OfferedAction},
};

use super::split;

/// A reply button that a visitor can choose. Its place among all of a message is its number.
#[derive(Clone, PartialEq, Eq)]
pub struct ReplyOption {
    /// In full, whatever was cut to show it.
    pub label: String,
    /// The card it stands on, from 0; absent for a button of the message itself.
    pub card_index: Option<u32>,
}

/// All choices of a message in the order of their numbers: its own buttons, then card by card. A button without a label
/// is none, because the label is what the agent would be told.
pub fn options_of(message: &AgentMessage) -> Vec<ReplyOption> {
    let (own, cards) = entries(message);
    let on_cards = cards
        .iter()
        .flat_map(|card| card.entries.iter().map(|entry| (Some(card.index), entry)));
    own.iter()
        .map(|entry| (None, entry))
        .chain(on_cards)
        .filter(|(_, entry)| entry.is_reply())
        .map(|(card_index, entry)| ReplyOption {
            label: entry.button.label.clone(),
            card_index,
        })
        .collect()
}

/// The choice with that number (from 0) of the message whose event is `event_id`.
pub fn choice_of(message: &AgentMessage, event_id: &str, number: usize) -> Option<Choice> {
    let option = options_of(message).into_iter().nth(number)?;
    Some(Choice {
        label: option.label,
        card_index: option.card_index,
        event_id: event_id.to_owned(),
    })
}

/// The `sequence` of the message and the number of the option (from 0) that a payload of ours names.
pub fn parse_payload(payload: &str) -> Option<(u64, usize)> {
    let (sequence, number) = payload.strip_prefix("p:")?.split_once(':')?;
    let parsed = (sequence.parse().ok()?, number.parse().ok()?);
    // Not "p:+7:01": nobody but us writes payloads, and we spell them in one way.
    (self::payload(parsed.0, parsed.1) == payload).then_some(parsed)
}

/// At most 43 bytes of ASCII.
fn payload(sequence: u64, number: usize) -> String {
    format!("p:{sequence}:{number}")
}

/// A button that has anything to show.
pub(super) struct Entry<'a> {
    button: &'a Button,
    /// On one line.
    label: String,
    /// Among all choices of the message, from 0; absent for a link.
    number: Option<usize>,
}

/// A card that has anything to show.
pub(super) struct CardEntries<'a> {
    pub(super) card: &'a Card,
    pub(super) index: u32,
    pub(super) entries: Vec<Entry<'a>>,
}

/// The buttons of the message itself, and those of its cards.
pub(super) fn entries(message: &AgentMessage) -> (Vec<Entry<'_>>, Vec<CardEntries<'_>>) {
    let mut next = 0;
    let own = numbered(&message.buttons, &mut next);
    let cards = (0_u32..)
        .zip(&message.cards)
        .map(|(index, card)| CardEntries {
            card,
            index,
            entries: numbered(&card.buttons, &mut next),
        })
        .filter(|card| !card.is_blank())
        .collect();
    (own, cards)
}

fn numbered<'a>(buttons: &'a [Button], next: &mut usize) -> Vec<Entry<'a>> {
    let shown = buttons.iter().filter_map(|button| {
        let label = split::on_one_line(&button.label);
        let number = match button.kind {
            ButtonKind::Reply if label.is_empty() => return None,
            ButtonKind::Reply => {
                *next += 1;
                Some(*next - 1)
            }
            ButtonKind::Link if label.is_empty() && button.link.trim().is_empty() => return None,
            ButtonKind::Link => None,
        };
        Some(Entry {
            button,
            label,
            number,
        })
    });
    shown.collect()
}

impl CardEntries<'_> {
    fn is_blank(&self) -> bool {
        let words = [&self.card.title, &self.card.description];
        let blank = |text: &&String| text.trim().is_empty();
        words.iter().all(blank) && blank(&&self.card.image_url) && self.entries.is_empty()
    }
}

impl Entry<'_> {
    pub(super) fn is_reply(&self) -> bool {
        self.number.is_some()
    }

    /// A link that a visitor can press: it has a label and leads somewhere.
    pub(super) fn is_open_link(&self) -> bool {
        self.number.is_none() && !self.label.is_empty() && !self.link().is_empty()
    }

    /// The label within `max` characters.
    pub(super) fn label(&self, max: usize) -> String {
        split::cut(&self.label, max)
    }

    /// Whether the whole label has at most `max` characters.
    pub(super) fn label_fits(&self, max: usize) -> bool {
        split::fits(&self.label, max)
    }

    /// As a line of text. A choice has its number before it unless it is to stand `bare`.
    pub(super) fn line(&self, bare: bool) -> String {
        match (self.number, self.label.as_str(), self.link()) {
            (Some(number), label, _) if !bare => format!("{}. {label}", number + 1),
            (Some(_), label, _) | (None, label, "") => label.to_owned(),
            (None, "", link) => link.to_owned(),
            (None, label, link) => format!("{label}: {link}"),
        }
    }

    /// As something to press, with at most `max` characters on it.
    pub(super) fn offered(&self, sequence: u64, max: usize) -> Offered {
        let action = match self.number {
            Some(number) => OfferedAction::Choose {
                payload: payload(sequence, number),
            },
            None => OfferedAction::Open {
                link: self.link().to_owned(),
            },
        };
        Offered {
            label: self.label(max),
            action,
        }
    }

    fn link(&self) -> &str {
        self.button.link.trim()
    }
}

/// Its card only: labels are the agent's words.
impl std::fmt::Debug for ReplyOption {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReplyOption")
            .field("card_index", &self.card_index)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_read_back_and_nothing_else_is() {
        assert_eq!(parse_payload("p:7:0"), Some((7, 0)));
        let longest = payload(u64::MAX, usize::MAX);
        assert!(longest.len() <= 64, "{longest}");
        assert_eq!(parse_payload(&longest), Some((u64::MAX, usize::MAX)));
        for other in [
            "",
            "p",
            "p:",
            "p:7",
            "p:7:",
            "p::1",
            "q:7:1",
            "p:7:1:2",
            "p:+7:1",
            "p:7:01",
            "p:7:-1",
            " p:7:1",
            "p:7:١",
            "p:99999999999999999999:1",
            "GET_STARTED",
        ] {
            assert_eq!(parse_payload(other), None, "{other}");
        }
    }
}
