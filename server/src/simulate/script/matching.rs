//! Which dialogue a visitor's message plays.

use super::{Dialogue, Script, Triggers};

impl Script {
    /// The dialogue for `text`, pressed on card `card` if it was a card's button. The closest match wins:
    /// button and card, then button, then words, then the default; among equals the first in the file.
    pub(in crate::simulate) fn dialogue_for(
        &self,
        text: &str,
        card: Option<u64>,
    ) -> Option<&Dialogue> {
        let pressed = |triggers: &Triggers| {
            let label = triggers.button.as_deref();
            label.is_some_and(|label| words_of(label) == words_of(text))
        };
        let first = |wanted: &dyn Fn(&Triggers) -> bool| {
            self.dialogues
                .iter()
                .find(|dialogue| wanted(&dialogue.triggers))
        };
        first(&|triggers| card.is_some() && triggers.card == card && pressed(triggers))
            .or_else(|| first(&|triggers| triggers.card.is_none() && pressed(triggers)))
            .or_else(|| first(&|triggers| triggers.words_occur_in(text)))
            .or_else(|| first(&|triggers| triggers.default))
    }
}

impl Triggers {
    fn words_occur_in(&self, text: &str) -> bool {
        let text = words_of(text);
        self.words
            .iter()
            .map(|phrase| words_of(phrase))
            .any(|phrase| text.contains(&phrase))
    }
}

/// The words of `text` in lower case, each between two blanks, so that only whole words are found in it.
fn words_of(text: &str) -> String {
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric());
    let mut line = String::from(" ");
    for word in words.filter(|word| !word.is_empty()) {
        line.push_str(word);
        line.push(' ');
    }
    line
}
