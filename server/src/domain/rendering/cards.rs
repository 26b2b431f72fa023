//! Cards as cards where the source has them, as text where it has none or these do not fit.

use crate::domain::source::{CardLimits, ItemBody, OfferedCard};

use super::{
    NO_WORDS, Page,
    offer::all_differ,
    option::{CardEntries, Entry},
    split,
};

impl Page<'_> {
    /// The cards of a message: all as cards, or all as text, so that they look alike.
    pub(super) fn cards(&mut self, cards: &[CardEntries<'_>]) {
        let limits = self
            .capabilities
            .cards
            .filter(|limits| cards.iter().all(|card| fits(card, limits)));
        match limits {
            Some(limits) => {
                for some in cards.chunks(limits.max_cards.max(1)) {
                    let cards = some.iter().map(|card| self.card(card, &limits));
                    self.push(ItemBody::Cards(cards.collect()));
                }
            }
            None => {
                for card in cards {
                    self.card_as_text(card);
                }
            }
        }
    }

    fn card(&self, of: &CardEntries<'_>, limits: &CardLimits) -> OfferedCard {
        let title = split::cut(&of.card.title, limits.title_chars);
        let options = of.entries.iter();
        OfferedCard {
            title: Some(title)
                .filter(|title| !title.is_empty())
                .unwrap_or_else(|| NO_WORDS.to_owned()),
            description: split::cut(&of.card.description, limits.description_chars),
            image_url: of.card.image_url.trim().to_owned(),
            options: options
                .map(|entry| entry.offered(self.sequence, limits.label_chars))
                .collect(),
        }
    }

    fn card_as_text(&mut self, of: &CardEntries<'_>) {
        let words = format!("{}\n{}", of.card.title.trim(), of.card.description.trim());
        let image = of.card.image_url.trim().to_owned();
        let image: Vec<_> = Some(image)
            .filter(|url| !url.is_empty())
            .into_iter()
            .collect();
        self.write_out(&words, &image, &of.entries);
    }
}

/// Titles, descriptions and labels may be cut; nothing may be left out, and no two buttons may look alike.
fn fits(of: &CardEntries<'_>, limits: &CardLimits) -> bool {
    let described = of.card.description.trim().is_empty() || limits.description_chars > 0;
    let pressable = |entry: &Entry<'_>| entry.is_reply() || entry.is_open_link();
    let options: Vec<_> = of
        .entries
        .iter()
        .map(|entry| entry.offered(0, limits.label_chars))
        .collect();
    limits.max_cards > 0
        && limits.title_chars > 0
        && described
        && options.len() <= limits.max_buttons
        && (options.is_empty() || limits.label_chars > 0)
        && of.entries.iter().all(pressable)
        && all_differ(&options)
}
