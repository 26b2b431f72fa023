//! The checks of Messenger's contract, under its limits.

use super::*;

const MESSENGER: Capabilities = Capabilities {
    text_chars: 2000,
    offers: &[
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
            cuts_labels: true,
            repeats_labels: true,
            text_chars: 2000,
            links: false,
        },
    ],
    cards: Some(CardLimits {
        max_cards: 10,
        max_buttons: 3,
        title_chars: 80,
        description_chars: 80,
        label_chars: 20,
    }),
    hands_over: true,
    hands_over_with_text: false,
    reads_owner: true,
    reads_back: true,
    agent_window: None,
    human_window: None,
};

fn labels(count: usize) -> Vec<String> {
    (1..=count)
        .map(|number| format!("Choice {number}"))
        .collect()
}

fn asks_of(count: usize) -> AgentMessage {
    let labels = labels(count);
    asks(
        "Which?",
        &labels.iter().map(String::as_str).collect::<Vec<_>>(),
    )
}

#[test]
fn fb_26_fourteen_choices_are_numbered_text_and_thirteen_are_quick_replies() {
    let (items, numbered) = draw(&asks_of(13), &MESSENGER);
    assert_eq!(items.len(), 1);
    assert!(items[0].starts_with("QuickReplies Which? [Choice 1 p:7:0]"));
    assert!(items[0].ends_with("[Choice 13 p:7:12]"), "{items:?}");
    assert!(!numbered);
    let (items, numbered) = draw(&asks_of(14), &MESSENGER);
    assert_eq!(items.len(), 1);
    assert!(items[0].starts_with("Which?\n1. Choice 1\n2. Choice 2\n"));
    assert!(items[0].ends_with("\n14. Choice 14"), "{items:?}");
    assert!(numbered);
}

#[test]
fn fb_27_four_buttons_are_quick_replies_and_three_are_a_button_template() {
    let (items, _) = draw(&asks_of(3), &MESSENGER);
    assert_eq!(
        items,
        ["Buttons Which? [Choice 1 p:7:0][Choice 2 p:7:1][Choice 3 p:7:2]"]
    );
    let (items, _) = draw(&asks_of(4), &MESSENGER);
    assert_eq!(
        items,
        ["QuickReplies Which? [Choice 1 p:7:0][Choice 2 p:7:1][Choice 3 p:7:2][Choice 4 p:7:3]"]
    );
}

#[test]
fn fb_28_text_that_is_too_long_for_buttons_goes_before_them_but_for_its_end() {
    let question = "What would you like to do now?";
    let before = "word ".repeat(122) + ". ";
    let mut message = asks(&format!("{before}{question}"), &["Track", "Cancel"]);
    assert_eq!(message.text.chars().count(), 642);
    let (items, _) = draw(&message, &MESSENGER);
    assert_eq!(
        items,
        [
            before.trim(),
            &format!("Buttons {question} [Track p:7:0][Cancel p:7:1]")
        ]
    );
    message.text = "x".repeat(641);
    let items = render_agent_message(&message, 7, &MESSENGER).items;
    assert_eq!(lengths(&items), [1, 640]);
    message.text = "x".repeat(640);
    let items = render_agent_message(&message, 7, &MESSENGER).items;
    assert_eq!(lengths(&items), [640], "it fits");
}

#[test]
fn fb_29_eleven_cards_are_ten_and_one() {
    let cards = (1..=11).map(|number| card(&format!("Mug{number}"), vec![reply("Choose")]));
    let message = with_cards("Our mugs", cards.collect());
    let (items, numbered) = draw(&message, &MESSENGER);
    assert_eq!(items.len(), 3);
    assert_eq!(items[0], "Our mugs");
    assert_eq!(items[1].matches("[Choose").count(), 10);
    assert!(
        items[1].starts_with(
            "<Mug1|About Mug1|https://img.example/Mug1 [Choose p:7:0]><Mug2|About Mug2|"
        )
    );
    assert_eq!(
        items[2],
        "<Mug11|About Mug11|https://img.example/Mug11 [Choose p:7:10]>"
    );
    assert!(!numbered);
}

#[test]
fn fb_31_a_title_of_81_characters_is_cut_to_80() {
    let mut long = card("", vec![reply("A label of twenty-one")]);
    long.title = "é".repeat(81);
    long.description = "ü".repeat(80);
    let rendered = render_agent_message(&with_cards("", vec![long]), 7, &MESSENGER);
    let ItemBody::Cards(cards) = &rendered.items[0].body else {
        panic!("not as cards");
    };
    assert_eq!(cards[0].title, "é".repeat(79) + "…");
    assert_eq!(cards[0].description, "ü".repeat(80), "it fits");
    assert_eq!(cards[0].options[0].label, "A label of twenty-o…");
}

#[test]
fn fb_32_a_text_of_4500_characters_is_three_in_order() {
    let sentence = "This is a sentence that says something about the parcel. ";
    let text = sentence.repeat(90)[..4500].to_owned();
    let items = render_text(&text, &Author::Agent, &MESSENGER);
    assert_eq!(items.len(), 3);
    assert!(lengths(&items).iter().all(|length| *length <= 2000));
    let drawn: Vec<_> = items.iter().map(drawn).collect();
    assert!(drawn[0].ends_with("parcel.") && drawn[1].ends_with("parcel."));
    assert_eq!(drawn.join(" "), text.trim(), "nothing is lost");
    let unbroken = "é".repeat(4500);
    let items = render_text(&unbroken, &Author::Agent, &MESSENGER);
    assert_eq!(lengths(&items), [2000, 2000, 500]);
}

#[test]
fn links_stand_among_buttons_and_are_written_out_above_quick_replies() {
    let mut message = asks("Which?", &["Track"]);
    message.buttons.push(link("Terms", "https://a.example/t"));
    let (items, _) = draw(&message, &MESSENGER);
    assert_eq!(
        items,
        ["Buttons Which? [Track p:7:0][Terms https://a.example/t]"]
    );
    message.buttons[1].link = String::new();
    let (items, _) = draw(&message, &MESSENGER);
    assert_eq!(
        items,
        ["Buttons Which?\nTerms [Track p:7:0]"],
        "it leads nowhere"
    );
    let mut message = asks_of(4);
    message
        .buttons
        .insert(0, link("Terms", "https://a.example/t"));
    let (items, _) = draw(&message, &MESSENGER);
    assert!(
        items[0].starts_with("QuickReplies Which?\nTerms: https://a.example/t [Choice 1 p:7:0]"),
        "{items:?}"
    );
    message.buttons.truncate(1);
    let (items, numbered) = draw(&message, &MESSENGER);
    assert_eq!(items, ["Buttons Which? [Terms https://a.example/t]"]);
    assert!(!numbered);
}

#[test]
fn buttons_without_words_get_some() {
    let (items, _) = draw(&asks(" ", &["Yes"]), &MESSENGER);
    assert_eq!(items, ["Buttons … [Yes p:7:0]"]);
    let bare = Card {
        title: String::new(),
        ..card("Mug", vec![reply("Choose")])
    };
    let (items, _) = draw(&with_cards("", vec![bare]), &MESSENGER);
    assert_eq!(
        items,
        ["<…|About Mug|https://img.example/Mug [Choose p:7:0]>"]
    );
}

#[test]
fn quick_replies_are_not_followed_by_cards() {
    let mut message = asks_of(4);
    message.cards = vec![card("Mug", vec![reply("Choose")])];
    let (items, numbered) = draw(&message, &MESSENGER);
    assert_eq!(
        items,
        [
            "Which?\n1. Choice 1\n2. Choice 2\n3. Choice 3\n4. Choice 4",
            "<Mug|About Mug|https://img.example/Mug [Choose p:7:4]>"
        ]
    );
    assert!(numbered);
}

#[test]
fn cards_that_do_not_fit_are_all_text() {
    let four = ["a", "b", "c", "d"].map(reply).to_vec();
    let alike = vec![
        reply("The same twenty letters, red"),
        reply("The same twenty letters, blue"),
    ];
    let dead = vec![link("Terms", "")];
    for buttons in [four, alike, dead] {
        let cards = vec![card("Fine", vec![]), card("Not", buttons)];
        let (items, _) = draw(&with_cards("", cards), &MESSENGER);
        assert_eq!(items.len(), 2);
        assert_eq!(items[0], "Fine\nAbout Fine\nhttps://img.example/Fine");
    }
}
