//! Turns what an agent or a human says into messages that a source can show, and a visitor's answer back into a choice.

mod answer;
mod cards;
mod offer;
mod option;
mod split;
#[cfg(test)]
mod tests;

use super::{
    message::{AgentMessage, HumanMessage, HumanMessageKind},
    source::{Author, Capabilities, Item, ItemBody},
};

pub use answer::{number_in, understood};
pub use option::{ReplyOption, choice_of, options_of, parse_payload};

use option::Entry;

/// Stands where a source demands words and the agent said none.
const NO_WORDS: &str = "…";

/// What a source is to show, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// Empty only for a message with nothing to show.
    pub items: Vec<Item>,
    /// At least one choice is shown as a number or a word to be typed: what the visitor says next is to be
    /// [`understood`].
    pub numbered: bool,
}

/// Everything that the agent said, within the capabilities. `sequence` is that of the message's event: it stands in the
/// payloads of its choices.
pub fn render_agent_message(
    message: &AgentMessage,
    sequence: u64,
    capabilities: &Capabilities,
) -> Rendered {
    let labels: Vec<_> = options_of(message)
        .into_iter()
        .map(|option| option.label)
        .collect();
    let mut page = Page {
        capabilities,
        sequence,
        bare: answer::speak_for_themselves(&labels),
        items: Vec::new(),
        numbered: false,
    };
    let (own, cards) = option::entries(message);
    page.offer(&message.text, &own, cards.is_empty());
    page.cards(&cards);
    Rendered {
        items: page.items,
        numbered: page.numbered,
    }
}

/// A human's words. Other signs of the human side are for the platform's widget and no sentence; what the source itself
/// brought is there already.
pub fn render_human_message(message: &HumanMessage, capabilities: &Capabilities) -> Vec<Item> {
    if message.kind != HumanMessageKind::Text || message.from_source {
        return Vec::new();
    }
    let author = Author::Human {
        name: message.name.clone(),
        avatar_url: message.avatar_url.clone(),
    };
    render_text(&message.text, &author, capabilities)
}

/// Plain words, split where they are too long. Blank ones are no item.
pub fn render_text(text: &str, author: &Author, capabilities: &Capabilities) -> Vec<Item> {
    split::pieces(text, capabilities.text_chars)
        .into_iter()
        .map(|piece| Item::text(author.clone(), piece))
        .collect()
}

/// A message of the agent's on its way to its items.
struct Page<'a> {
    capabilities: &'a Capabilities,
    sequence: u64,
    /// Choices that are written out stand without numbers.
    bare: bool,
    items: Vec<Item>,
    numbered: bool,
}

impl Page<'_> {
    /// Words with buttons written out under them.
    fn write_out(&mut self, text: &str, above: &[String], buttons: &[Entry<'_>]) {
        let mut lines = above.to_vec();
        lines.extend(buttons.iter().map(|button| button.line(self.bare)));
        self.numbered |= buttons.iter().any(Entry::is_reply);
        for piece in split::with_lines(text, &lines, self.capabilities.text_chars) {
            self.items.push(Item::text(Author::Agent, piece));
        }
    }

    fn push(&mut self, body: ItemBody) {
        let author = Author::Agent;
        self.items.push(Item { author, body });
    }
}
