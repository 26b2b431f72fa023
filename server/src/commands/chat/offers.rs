//! The buttons that the agent offers, by the numbers they are shown with.

use parloir_proto::v1::{AgentMessage, Button, ButtonKind, Choice};

use crate::commands::terminal;

/// All buttons since the visitor last spoke, in the order in which they came.
#[derive(Default)]
pub(super) struct Offers(Vec<Offer>);

struct Offer {
    choice: Choice,
    /// Set for a link, which is opened and never sent.
    link: Option<String>,
}

/// What a number stands for.
pub(super) enum Pick<'a> {
    Choice(&'a Choice),
    /// Leads here; empty when the platform did not say where.
    Link(&'a str),
    /// Nothing: the numbers go up to this one.
    None(usize),
}

impl Offers {
    /// Takes the buttons of a message in. What to show: its words, and its buttons with their numbers.
    pub(super) fn add(&mut self, event_id: &str, message: &AgentMessage) -> String {
        let mut lines = Vec::new();
        if !message.text.is_empty() || message.cards.is_empty() {
            lines.push(message.text.clone());
        }
        self.add_buttons(&message.buttons, None, event_id, "  ", &mut lines);
        for (index, card) in (0..).zip(&message.cards) {
            lines.push(format!("  Card {}: {}", index + 1, card.title));
            if !card.description.is_empty() {
                lines.push(format!("    {}", card.description));
            }
            self.add_buttons(&card.buttons, Some(index), event_id, "    ", &mut lines);
        }
        lines.join("\n")
    }

    /// The visitor spoke: what was offered before is past.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// `None` where no button is offered, so that a number is a word like any other.
    pub(super) fn pick(&self, number: usize) -> Option<Pick<'_>> {
        if self.0.is_empty() {
            return None;
        }
        Some(
            match number.checked_sub(1).and_then(|index| self.0.get(index)) {
                None => Pick::None(self.0.len()),
                Some(Offer {
                    link: Some(link), ..
                }) => Pick::Link(link),
                Some(Offer { choice, link: None }) => Pick::Choice(choice),
            },
        )
    }

    fn add_buttons(
        &mut self,
        buttons: &[Button],
        card_index: Option<i32>,
        event_id: &str,
        indent: &str,
        lines: &mut Vec<String>,
    ) {
        for button in buttons {
            let link = (button.kind() == ButtonKind::Link).then(|| button.link.clone());
            let choice = Choice {
                label: button.label.clone(),
                card_index,
                event_id: event_id.to_owned(),
            };
            self.0.push(Offer { choice, link });
            let shown = match button.kind() {
                ButtonKind::Link => terminal::button(button),
                _ => button.label.clone(),
            };
            lines.push(format!("{indent}[{}] {shown}", self.0.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use parloir_proto::v1::Card;

    use super::*;

    fn button(kind: ButtonKind, label: &str) -> Button {
        Button {
            kind: kind.into(),
            label: label.into(),
            link: "https://shop.example".into(),
        }
    }

    fn with_buttons(labels: &[&str]) -> AgentMessage {
        AgentMessage {
            text: "Choose".into(),
            buttons: labels
                .iter()
                .map(|label| button(ButtonKind::Reply, label))
                .collect(),
            ..AgentMessage::default()
        }
    }

    fn picked(offers: &Offers, number: usize) -> Choice {
        match offers.pick(number) {
            Some(Pick::Choice(choice)) => choice.clone(),
            _ => panic!("{number} is no choice"),
        }
    }

    #[test]
    fn numbers_go_on_over_several_messages_until_the_visitor_speaks() {
        let mut offers = Offers::default();
        offers.add("e1", &with_buttons(&["A", "B"]));
        let shown = offers.add("e2", &with_buttons(&["C"]));
        assert_eq!(shown, "Choose\n  [3] C");
        assert_eq!(picked(&offers, 2).event_id, "e1");
        assert_eq!(picked(&offers, 3).event_id, "e2");
        offers.clear();
        assert!(offers.pick(1).is_none());
    }

    #[test]
    fn a_button_on_a_card_is_chosen_with_the_index_of_its_card() {
        let card = |title: &str| Card {
            title: title.into(),
            description: "Very good".into(),
            buttons: vec![button(ButtonKind::Reply, "Buy")],
            ..Card::default()
        };
        let message = AgentMessage {
            cards: vec![card("Red"), card("Blue")],
            ..AgentMessage::default()
        };
        let mut offers = Offers::default();
        assert_eq!(
            offers.add("e1", &message),
            "  Card 1: Red\n    Very good\n    [1] Buy\n  Card 2: Blue\n    Very good\n    [2] Buy"
        );
        let choice = picked(&offers, 2);
        assert_eq!((choice.label.as_str(), choice.card_index), ("Buy", Some(1)));
    }

    #[test]
    fn a_link_is_shown_and_cannot_be_chosen() {
        let mut offers = Offers::default();
        let message = AgentMessage {
            buttons: vec![button(ButtonKind::Link, "Shop")],
            ..AgentMessage::default()
        };
        assert!(offers.add("e1", &message).contains("https://shop.example"));
        assert!(matches!(
            offers.pick(1),
            Some(Pick::Link("https://shop.example"))
        ));
    }

    #[test]
    fn a_number_beyond_the_last_button_names_the_last() {
        let mut offers = Offers::default();
        offers.add("e1", &with_buttons(&["A", "B"]));
        assert!(matches!(offers.pick(3), Some(Pick::None(2))));
        assert!(matches!(offers.pick(0), Some(Pick::None(2))));
    }
}
