//! What Messenger can show and do.

use std::time::Duration;

use super::{MessengerConfig, send};
use crate::domain::source::{Capabilities, CardLimits, OfferKind, OfferLimits};

/// How long after a visitor's last word anything may be sent.
const WINDOW: Duration = Duration::from_hours(24);
/// The same for a human, with the platform's leave; and the longest that control can be kept.
pub(super) const WEEK: Duration = Duration::from_hours(7 * 24);

const OFFERS: &[OfferLimits] = &[
    OfferLimits {
        kind: OfferKind::Buttons,
        max_options: 3,
        label_chars: 20,
        cuts_labels: false,
        repeats_labels: true,
        text_chars: 640,
        links: true,
    },
    OfferLimits {
        kind: OfferKind::QuickReplies,
        max_options: 13,
        label_chars: 20,
        cuts_labels: false,
        repeats_labels: true,
        text_chars: send::TEXT_CHARS,
        links: false,
    },
];

const CARDS: CardLimits = CardLimits {
    max_cards: 10,
    max_buttons: 3,
    title_chars: 80,
    description_chars: 80,
    label_chars: 20,
};

pub(super) fn capabilities(config: &MessengerConfig) -> Capabilities {
    Capabilities {
        text_chars: send::TEXT_CHARS,
        offers: OFFERS,
        cards: Some(CARDS),
        // Without an application to hand over to, callers are the only humans there are.
        hands_over: config.handover_app_id.is_some(),
        hands_over_with_text: true,
        reads_owner: true,
        reads_back: false,
        agent_window: Some(WINDOW),
        human_window: Some(if config.human_agent_tag { WEEK } else { WINDOW }),
    }
}
