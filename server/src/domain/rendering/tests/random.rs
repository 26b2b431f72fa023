//! Any message on any source: it fits, nothing is lost, and every choice can be made.

use std::collections::BTreeMap;

use proptest::{prelude::*, sample::select};

use super::*;
use crate::domain::source::Offered;

fn words(most: usize) -> impl Strategy<Value = String> {
    let word = select(vec![
        "parcel",
        "mug",
        "où",
        "été.",
        "done!",
        "why?",
        "📦",
        "一二三。",
        "a",
        "antidisestablishment",
        "\n",
        "« oui. »",
    ]);
    prop::collection::vec(word, 0..most).prop_map(|words| words.join(" "))
}

fn label() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => words(6),
        2 => select(vec!["Choose".to_owned(), "choose".to_owned(), "Yes".to_owned(), String::new()]),
        1 => (0..12_u8).prop_map(|mark| mark.to_string()),
    ]
}

/// A message as it can be printed: whether a button answers, its label, its link.
type Drawn = (bool, String, &'static str);

#[derive(Debug, Clone)]
struct Draft {
    text: String,
    buttons: Vec<Drawn>,
    /// Title, description, image, buttons.
    cards: Vec<(String, String, &'static str, Vec<Drawn>)>,
}

impl Draft {
    fn message(&self) -> AgentMessage {
        let cards = self.cards.iter();
        let cards = cards.map(|(title, description, image_url, buttons)| Card {
            title: title.clone(),
            description: description.clone(),
            image_url: (*image_url).to_owned(),
            buttons: buttons.iter().map(built).collect(),
        });
        AgentMessage {
            text: self.text.clone(),
            buttons: self.buttons.iter().map(built).collect(),
            cards: cards.collect(),
            ..AgentMessage::default()
        }
    }
}

fn built((answers, label, to): &Drawn) -> Button {
    if *answers {
        reply(label)
    } else {
        link(label, to)
    }
}

fn buttons() -> impl Strategy<Value = Vec<Drawn>> {
    let to = select(vec!["", "https://a.example/t", "https://b.example/u"]);
    prop::collection::vec((any::<bool>(), label(), to), 0..5)
}

fn draft() -> impl Strategy<Value = Draft> {
    let image = select(vec!["", "https://img.example/i"]);
    let card = (words(8), words(20), image, buttons());
    let cards = prop::collection::vec(card, 0..5);
    (words(60), buttons(), cards).prop_map(|(text, buttons, cards)| Draft {
        text,
        buttons,
        cards,
    })
}

prop_compose! {
    fn form()(
        kind in select(vec![OfferKind::Buttons, OfferKind::QuickReplies, OfferKind::List]),
        max_options in 0..8_usize,
        label_chars in 0..30_usize,
        (cuts_labels, repeats_labels, links) in any::<(bool, bool, bool)>(),
        text_chars in 1..80_usize,
    ) -> OfferLimits {
        OfferLimits { kind, max_options, label_chars, cuts_labels, repeats_labels, text_chars, links }
    }
}

prop_compose! {
    fn card_limits()(
        max_cards in 0..4_usize,
        max_buttons in 0..4_usize,
        title_chars in 0..30_usize,
        description_chars in 0..30_usize,
        label_chars in 0..30_usize,
    ) -> CardLimits {
        CardLimits { max_cards, max_buttons, title_chars, description_chars, label_chars }
    }
}

prop_compose! {
    fn source()(
        text_chars in 1..200_usize,
        offers in prop::collection::vec(form(), 0..4),
        cards in prop::option::of(card_limits()),
    ) -> Capabilities {
        // A few hundred small leaks: capabilities are constants everywhere else.
        Capabilities { offers: offers.leak(), cards, ..plain(text_chars) }
    }
}

/// Long enough for every line of choices, and above an offer for every word, that these messages have.
fn roomy(capabilities: &Capabilities) -> Capabilities {
    let offers = capabilities.offers.iter().map(|limits| OfferLimits {
        text_chars: limits.text_chars + 30,
        ..*limits
    });
    Capabilities {
        text_chars: capabilities.text_chars + 300,
        offers: offers.collect::<Vec<_>>().leak(),
        ..*capabilities
    }
}

proptest! {
    #[test]
    fn every_item_fits(draft in draft(), capabilities in source()) {
        let message = draft.message();
        let rendered = render_agent_message(&message, u64::MAX, &capabilities);
        for item in &rendered.items {
            prop_assert!(fits(&item.body, &capabilities), "{}", drawn(item));
        }
    }

    #[test]
    fn every_choice_can_be_made_once(draft in draft(), capabilities in source()) {
        let message = draft.message();
        let capabilities = roomy(&capabilities);
        let rendered = render_agent_message(&message, 7, &capabilities);
        let labels: Vec<_> = options_of(&message).into_iter().map(|option| option.label).collect();
        let mut ways = vec![0; labels.len()];
        for option in rendered.items.iter().flat_map(pressable) {
            if let OfferedAction::Choose { payload } = &option.action {
                let (sequence, number) = parse_payload(payload).expect("a payload of ours");
                prop_assert_eq!(sequence, 7);
                ways[number] += 1;
                prop_assert!(begins_alike(&option.label, &labels[number]), "{}", option.label);
            }
        }
        let pressed = ways.clone();
        let lines = count_lines(&rendered.items);
        for (number, label) in labels.iter().enumerate() {
            let label = split::on_one_line(label);
            let numbered = format!("{}. {label}", number + 1);
            let bare = answer::speak_for_themselves(&labels);
            let line = if bare { &label } else { &numbered };
            if pressed[number] == 0 {
                prop_assert!(rendered.numbered);
                prop_assert!(lines.contains_key(line), "{line} is not shown");
                prop_assert_eq!(understood(line, &labels), Some(number), "{}", line);
                ways[number] += 1;
            } else if !bare {
                prop_assert!(!lines.contains_key(line), "{line} is shown twice");
            }
        }
        prop_assert!(ways.iter().all(|ways| *ways == 1), "{ways:?}");
        prop_assert_eq!(rendered.numbered, pressed.contains(&0));
    }

    #[test]
    fn no_word_is_lost_and_all_stand_in_order(draft in draft(), capabilities in source()) {
        let message = draft.message();
        let capabilities = Capabilities { cards: None, ..roomy(&capabilities) };
        let rendered = render_agent_message(&message, 7, &capabilities);
        let mut said = vec![&message.text];
        for card in &message.cards {
            said.extend([&card.title, &card.description, &card.image_url]);
        }
        let shown: Vec<_> = rendered.items.iter().map(text_of).collect();
        let shown = shown.join(" ");
        let mut shown = shown.split_whitespace();
        for word in said.iter().flat_map(|text| text.split_whitespace()) {
            prop_assert!(shown.any(|other| other == word), "{word} is lost or out of place");
        }
    }

    #[test]
    fn no_character_of_a_text_is_lost(text in words(80), max in 0..40_usize) {
        let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        let items = render_text(&text, &Author::Agent, &plain(max));
        prop_assert_eq!(letters(&items.iter().map(text_of).collect::<String>()), letters(&text));
        prop_assert!(lengths(&items).iter().all(|length| (1..=max.max(1)).contains(length)));
    }

    #[test]
    fn the_same_message_is_shown_alike(draft in draft(), capabilities in source()) {
        let message = draft.message();
        let once = render_agent_message(&message, 7, &capabilities);
        prop_assert_eq!(&once, &render_agent_message(&message, 7, &capabilities));
        let content = !message.text.trim().is_empty() || !options_of(&message).is_empty();
        prop_assert!(!content || !once.items.is_empty());
    }

    #[test]
    fn a_number_means_that_option_and_no_other(number in 1..40_usize, count in 0..40_usize) {
        let expected = (number <= count).then(|| number - 1);
        prop_assert_eq!(number_in(&format!(" {number}) "), count), expected);
    }

    #[test]
    fn whatever_is_typed_means_an_option_or_none(said in ".{0,12}", labels in prop::collection::vec(label(), 0..5)) {
        if let Some(number) = understood(&said, &labels) {
            prop_assert!(number < labels.len());
        }
    }
}

fn fits(body: &ItemBody, capabilities: &Capabilities) -> bool {
    let within = |text: &str, max| (1..=max).contains(&text.chars().count());
    match body {
        ItemBody::Text(text) => within(text, capabilities.text_chars) && !text.trim().is_empty(),
        ItemBody::Offer {
            kind,
            text,
            options,
        } => capabilities.offers.iter().any(|limits| {
            limits.kind == *kind
                && within(text, limits.text_chars)
                && (1..=limits.max_options).contains(&options.len())
                && options
                    .iter()
                    .all(|option| within(&option.label, limits.label_chars))
                && (limits.repeats_labels || offer::all_differ(options))
                && (limits.links || !options.iter().any(is_link))
        }),
        ItemBody::Cards(cards) => capabilities.cards.is_some_and(|limits| {
            let card_fits = |card: &crate::domain::source::OfferedCard| {
                within(&card.title, limits.title_chars)
                    && card.description.chars().count() <= limits.description_chars
                    && card.options.len() <= limits.max_buttons
                    && card
                        .options
                        .iter()
                        .all(|option| within(&option.label, limits.label_chars))
            };
            (1..=limits.max_cards).contains(&cards.len()) && cards.iter().all(card_fits)
        }),
    }
}

fn is_link(option: &Offered) -> bool {
    matches!(option.action, OfferedAction::Open { .. })
}

fn pressable(item: &Item) -> Vec<&Offered> {
    match &item.body {
        ItemBody::Text(_) => Vec::new(),
        ItemBody::Offer { options, .. } => options.iter().collect(),
        ItemBody::Cards(cards) => cards.iter().flat_map(|card| &card.options).collect(),
    }
}

fn text_of(item: &Item) -> String {
    match &item.body {
        ItemBody::Text(text) | ItemBody::Offer { text, .. } => text.clone(),
        ItemBody::Cards(_) => String::new(),
    }
}

fn count_lines(items: &[Item]) -> BTreeMap<String, usize> {
    let mut lines = BTreeMap::new();
    for text in items.iter().map(text_of) {
        for line in text.lines() {
            *lines.entry(line.to_owned()).or_default() += 1;
        }
    }
    lines
}

fn begins_alike(shown: &str, label: &str) -> bool {
    let label = split::on_one_line(label);
    shown == label
        || shown
            .strip_suffix('…')
            .is_some_and(|start| label.starts_with(start))
}
