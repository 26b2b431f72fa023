//! What visitors and agents say to each other.

use super::{
    error::{Error, Result},
    id::Id,
    parameter::Parameter,
};

/// The longest text or label, in characters. No platform states a limit; this one fits any visitor's patience.
pub const MAX_TEXT_CHARS: usize = 10_000;

/// What a visitor said.
#[derive(Clone, PartialEq, Eq)]
pub enum VisitorContent {
    Text(String),
    Choice(Choice),
}

/// A button of the agent's that a visitor pressed.
#[derive(Clone, PartialEq, Eq)]
pub struct Choice {
    pub label: String,
    /// The card in the carousel, from 0.
    pub card_index: Option<u32>,
    /// The `event_id` of the agent's message that offered the button; empty when the caller did not say.
    pub event_id: String,
}

/// A visitor's message as it is recorded.
#[derive(Clone, PartialEq, Eq)]
pub struct VisitorMessage {
    pub message_id: String,
    pub content: VisitorContent,
    pub parameters: Vec<Parameter>,
    /// Not sent to the agent, because it did not own the conversation.
    pub held: bool,
}

impl VisitorContent {
    /// Checks what needs no look at the log, and tells all that is wrong.
    pub fn check(&self) -> Result<()> {
        let checks = match self {
            Self::Text(text) => vec![check_text("text", text)],
            Self::Choice(choice) => vec![
                check_text("choice.label", &choice.label),
                check_event_id(&choice.event_id),
            ],
        };
        let wrong = checks.into_iter().filter_map(|check| match check {
            Err(Error::Invalid(violations)) => Some(violations),
            _ => None,
        });
        Error::none_of(wrong.flatten().collect())
    }

    /// The words that go to the agent: a choice is sent as the label of its button.
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Choice(choice) => &choice.label,
        }
    }

    pub fn card_index(&self) -> Option<u32> {
        match self {
            Self::Text(_) => None,
            Self::Choice(choice) => choice.card_index,
        }
    }
}

pub(super) fn check_text(field: &str, text: &str) -> Result<()> {
    if text.trim().is_empty() {
        return Err(Error::invalid(field, "must not be empty or blank"));
    }
    if text.trim().chars().count() > MAX_TEXT_CHARS {
        return Err(Error::invalid(
            field,
            format!("must be at most {MAX_TEXT_CHARS} characters long"),
        ));
    }
    if text.contains('\0') {
        return Err(Error::invalid(field, "must not contain NUL"));
    }
    Ok(())
}

fn check_event_id(event_id: &str) -> Result<()> {
    if event_id.is_empty() {
        return Ok(());
    }
    Id::parse("choice.event_id", event_id).map(drop)
}

/// The agent spoke.
#[derive(Clone, PartialEq, Default)]
pub struct AgentMessage {
    pub text: String,
    pub buttons: Vec<Button>,
    pub cards: Vec<Card>,
    /// 0 to 1.
    pub confidence: Option<f64>,
    pub platform_message_id: String,
    pub platform_reply_id: String,
    /// The platform's name of the type, when it is not one we know.
    pub unknown_type: String,
    /// What came, as JSON text, where it held anything that is not shown here.
    pub raw: String,
}

/// The human side spoke.
#[derive(Clone, PartialEq, Eq)]
pub struct HumanMessage {
    /// The caller's id, or the source's.
    pub message_id: String,
    pub kind: HumanMessageKind,
    /// The words of a `Text`.
    pub text: String,
    pub name: String,
    pub avatar_url: String,
    /// From 1.
    pub queue_position: Option<u32>,
    pub waiting_time: Option<std::time::Duration>,
    /// It came from the source, and is not sent there.
    pub from_source: bool,
    /// What came, as JSON text, where it held anything that is not shown here.
    pub raw: String,
}

/// What kind of sign the human side gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HumanMessageKind {
    Text,
    Joined,
    Queue,
    Left,
    Failed,
}

/// A button of the agent's.
#[derive(Clone, PartialEq, Eq)]
pub struct Button {
    pub kind: ButtonKind,
    pub label: String,
    /// An http or https URL; empty when the platform did not say.
    pub link: String,
}

/// What pressing a button does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ButtonKind {
    /// Answers the agent.
    Reply,
    /// Opens a link; never sent back.
    Link,
}

/// One card of a carousel.
#[derive(Clone, PartialEq, Eq)]
pub struct Card {
    pub title: String,
    pub description: String,
    pub image_url: String,
    pub buttons: Vec<Button>,
}

impl AgentMessage {
    /// Checks that `choice` presses a button that stands in this message and answers the agent.
    pub fn check_choice(&self, choice: &Choice) -> Result<()> {
        let buttons = match choice.card_index {
            None => &self.buttons,
            Some(index) => {
                let card = usize::try_from(index)
                    .ok()
                    .and_then(|index| self.cards.get(index));
                &card
                    .ok_or_else(|| {
                        Error::invalid("choice.card_index", "names no card of that message")
                    })?
                    .buttons
            }
        };
        let mut named = buttons
            .iter()
            .filter(|button| button.label == choice.label)
            .peekable();
        if named.peek().is_none() {
            return Err(Error::invalid(
                "choice.label",
                "names no button of that message",
            ));
        }
        if named.all(|button| button.kind == ButtonKind::Link) {
            return Err(Error::invalid(
                "choice.label",
                "names a link button: open its link instead of sending it",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn button(kind: ButtonKind, label: &str) -> Button {
        Button {
            kind,
            label: label.into(),
            link: String::new(),
        }
    }

    fn choice(label: &str, card_index: Option<u32>) -> Choice {
        Choice {
            label: label.into(),
            card_index,
            event_id: String::new(),
        }
    }

    #[test]
    fn a_choice_must_press_a_reply_button_of_its_message() {
        let message = AgentMessage {
            buttons: vec![
                button(ButtonKind::Reply, "Track"),
                button(ButtonKind::Link, "Terms"),
            ],
            cards: vec![Card {
                title: "Mug".into(),
                description: String::new(),
                image_url: String::new(),
                buttons: vec![button(ButtonKind::Reply, "Choose")],
            }],
            ..AgentMessage::default()
        };
        assert!(message.check_choice(&choice("Track", None)).is_ok());
        assert!(message.check_choice(&choice("Choose", Some(0))).is_ok());
        assert!(
            message.check_choice(&choice("Choose", Some(1))).is_err(),
            "no such card"
        );
        assert!(
            message.check_choice(&choice("Choose", None)).is_err(),
            "stands on the card only"
        );
        let error = message
            .check_choice(&choice("Terms", None))
            .expect_err("a link");
        assert!(error.to_string().contains("link"), "{error}");
    }

    #[test]
    fn blank_text_is_refused() {
        for bad in ["", "  ", "\n\t", "a\0b", &"x".repeat(MAX_TEXT_CHARS + 1)] {
            assert!(VisitorContent::Text(bad.into()).check().is_err());
        }
        assert!(
            VisitorContent::Text(format!("  {}  ", "x".repeat(MAX_TEXT_CHARS)))
                .check()
                .is_ok()
        );
    }
}
