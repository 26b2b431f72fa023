//! Chooses the form in which the buttons of a message are offered.

use crate::domain::source::{ItemBody, OfferKind, OfferLimits, Offered};

use super::{NO_WORDS, Page, option::Entry, split};

impl Page<'_> {
    /// The message's words and its own buttons. `last`: nothing follows them.
    pub(super) fn offer(&mut self, text: &str, buttons: &[Entry<'_>], last: bool) {
        let form = self.capabilities.offers.iter().find_map(|limits| {
            // Quick replies stand at the foot of the conversation and go when the next message comes.
            let stays = last || limits.kind != OfferKind::QuickReplies;
            let options = stays.then(|| options(limits, buttons, self.sequence))?;
            Some((limits, options?))
        });
        let Some((limits, options)) = form else {
            return self.write_out(text, &[], buttons);
        };
        let beside = buttons.iter().filter(|button| !stands_in(limits, button));
        let mut words = vec![text.trim().to_owned()];
        words.extend(beside.map(|button| button.line(false)));
        let words = words.join("\n");
        let (before, above) = split::end_apart(&words, limits.text_chars);
        self.write_out(before, &[], &[]);
        let above = Some(above).filter(|above| !above.is_empty());
        self.push(ItemBody::Offer {
            kind: limits.kind,
            text: above.unwrap_or(NO_WORDS).to_owned(),
            options,
        });
    }
}

/// The buttons in that form, if it can hold them.
fn options(limits: &OfferLimits, buttons: &[Entry<'_>], sequence: u64) -> Option<Vec<Offered>> {
    let inside: Vec<_> = buttons
        .iter()
        .filter(|button| stands_in(limits, button))
        .collect();
    let labels_fit = limits.label_chars > 0
        && (limits.cuts_labels
            || inside
                .iter()
                .all(|button| button.label_fits(limits.label_chars)));
    let options: Vec<_> = inside
        .iter()
        .map(|button| button.offered(sequence, limits.label_chars))
        .collect();
    let fits = !options.is_empty()
        && options.len() <= limits.max_options
        && labels_fit
        && (limits.repeats_labels || all_differ(&options));
    fits.then_some(options)
}

fn stands_in(limits: &OfferLimits, button: &Entry<'_>) -> bool {
    button.is_reply() || (limits.links && button.is_open_link())
}

/// No two look alike.
pub(super) fn all_differ(options: &[Offered]) -> bool {
    let mut labels: Vec<_> = options.iter().map(|option| &option.label).collect();
    labels.sort_unstable();
    labels.windows(2).all(|pair| pair[0] != pair[1])
}
