//! The checks of the contract of `WhatsApp`, under its limits.

use super::*;

const WHATSAPP: Capabilities = Capabilities {
    text_chars: 4096,
    offers: &[
        OfferLimits {
            kind: OfferKind::Buttons,
            max_options: 3,
            label_chars: 20,
            cuts_labels: false,
            repeats_labels: false,
            text_chars: 1024,
            links: false,
        },
        OfferLimits {
            kind: OfferKind::List,
            max_options: 10,
            label_chars: 24,
            cuts_labels: true,
            repeats_labels: false,
            text_chars: 4096,
            links: false,
        },
    ],
    cards: None,
    hands_over: false,
    hands_over_with_text: false,
    reads_owner: false,
    reads_back: false,
    agent_window: None,
    human_window: None,
};

const LETTERS: [&str; 11] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"];

#[test]
fn wa_08_four_options_are_a_list_and_three_are_buttons() {
    let (items, numbered) = draw(&asks("Which?", &LETTERS[..3]), &WHATSAPP);
    assert_eq!(items, ["Buttons Which? [a p:7:0][b p:7:1][c p:7:2]"]);
    assert!(!numbered);
    let (items, numbered) = draw(&asks("Which?", &LETTERS[..4]), &WHATSAPP);
    assert_eq!(items, ["List Which? [a p:7:0][b p:7:1][c p:7:2][d p:7:3]"]);
    assert!(!numbered);
}

#[test]
fn wa_09_eleven_options_are_numbered_text_and_ten_are_a_list() {
    let (items, numbered) = draw(&asks("Which?", &LETTERS[..10]), &WHATSAPP);
    assert!(items[0].starts_with("List Which? [a p:7:0]"), "{items:?}");
    assert!(!numbered);
    let (items, numbered) = draw(&asks("Which?", &LETTERS), &WHATSAPP);
    assert_eq!(
        items,
        ["Which?\n1. a\n2. b\n3. c\n4. d\n5. e\n6. f\n7. g\n8. h\n9. i\n10. j\n11. k"]
    );
    assert!(numbered);
    assert_eq!(understood("11", &LETTERS), Some(10));
}

#[test]
fn wa_10_two_buttons_with_one_title_are_told_apart_by_numbers() {
    let (items, numbered) = draw(&asks("Which?", &["Yes", "Yes"]), &WHATSAPP);
    assert_eq!(items, ["Which?\n1. Yes\n2. Yes"]);
    assert!(numbered);
    let alike = ["The same twenty-four letters", "The same twenty-four legs"];
    let (items, _) = draw(&asks("Which?", &alike), &WHATSAPP);
    assert_eq!(
        items,
        ["Which?\n1. The same twenty-four letters\n2. The same twenty-four legs"],
        "once cut they would be the same"
    );
}

#[test]
fn wa_11_a_label_of_25_characters_is_a_row_of_a_list_cut_to_24() {
    let label = "Parler à un conseiller ok";
    assert_eq!(label.chars().count(), 25);
    let message = asks("Which?", &[label, "Non"]);
    let (items, _) = draw(&message, &WHATSAPP);
    assert_eq!(
        items,
        ["List Which? [Parler à un conseiller… p:7:0][Non p:7:1]"]
    );
    let choice = choice_of(&message, "e-1", 0).expect("the first");
    assert_eq!(choice.label, label, "the agent is told all of it");
}

#[test]
fn links_are_written_above_the_options() {
    let mut message = asks("Which?", &["a"]);
    message.buttons.push(link("Terms", "https://a.example/t"));
    let (items, _) = draw(&message, &WHATSAPP);
    assert_eq!(
        items,
        ["Buttons Which?\nTerms: https://a.example/t [a p:7:0]"]
    );
}

#[test]
fn a_text_that_is_too_long_for_buttons_ends_above_them() {
    let text = format!("{}. Which?", "word ".repeat(210).trim());
    let (items, _) = draw(&asks(&text, &["a"]), &WHATSAPP);
    assert_eq!(items.len(), 2);
    assert_eq!(items[1], "Buttons Which? [a p:7:0]");
}
