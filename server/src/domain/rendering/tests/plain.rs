//! Messages on a source that shows nothing but text, and the words of humans.

use std::time::Duration;

use super::*;

fn human(kind: HumanMessageKind, text: &str) -> HumanMessage {
    HumanMessage {
        message_id: String::new(),
        kind,
        text: text.to_owned(),
        name: "Lee".to_owned(),
        avatar_url: "https://a.example/lee".to_owned(),
        queue_position: Some(2),
        waiting_time: Some(Duration::from_mins(1)),
        from_source: false,
        raw: String::new(),
    }
}

#[test]
fn choices_are_numbered_in_one_order_through_buttons_and_cards() {
    let mut message = asks("Which mug?", &["None", "More"]);
    message
        .buttons
        .insert(1, link("Terms", "https://a.example/t"));
    message.cards = vec![
        card(
            "Red",
            vec![reply("Choose"), link("Look", "https://a.example/r")],
        ),
        card("Blue", vec![reply("Choose")]),
    ];
    let (items, numbered) = draw(&message, &plain(1000));
    assert_eq!(
        items,
        [
            "Which mug?\n1. None\nTerms: https://a.example/t\n2. More",
            "Red\nAbout Red\nhttps://img.example/Red\n3. Choose\nLook: https://a.example/r",
            "Blue\nAbout Blue\nhttps://img.example/Blue\n4. Choose"
        ]
    );
    assert!(numbered);
    let options = options_of(&message);
    let on: Vec<_> = options.iter().map(|option| option.card_index).collect();
    assert_eq!(on, [None, None, Some(0), Some(1)]);
}

#[test]
fn a_choice_is_one_that_the_message_accepts() {
    let mut message = asks("Which?", &["  None ", ""]);
    message.cards = vec![
        Card {
            title: String::new(),
            description: String::new(),
            image_url: String::new(),
            buttons: vec![reply(" ")],
        },
        card("Red", vec![reply("Choose")]),
    ];
    let first = choice_of(&message, "e-1", 0).expect("the message's own");
    assert_eq!((first.label.as_str(), first.card_index), ("  None ", None));
    assert_eq!(first.event_id, "e-1");
    let second = choice_of(&message, "e-1", 1).expect("the card's");
    assert_eq!(
        (second.label.as_str(), second.card_index),
        ("Choose", Some(1)),
        "an empty card keeps its place"
    );
    for choice in [first, second] {
        assert!(message.check_choice(&choice).is_ok());
    }
    assert!(choice_of(&message, "e-1", 2).is_none());
    assert!(choice_of(&message, "e-1", usize::MAX).is_none());
}

#[test]
fn choices_that_are_numbers_stand_without_numbers() {
    let (items, numbered) = draw(&asks("How likely?", &["0", "1", "2"]), &plain(1000));
    assert_eq!(items, ["How likely?\n0\n1\n2"]);
    assert!(numbered, "what is typed is still a choice");
    let (items, _) = draw(&asks("Which?", &["2", "2"]), &plain(1000));
    assert_eq!(items, ["Which?\n1. 2\n2. 2"]);
}

#[test]
fn a_label_of_several_lines_stands_on_one() {
    let (items, _) = draw(&asks("Which?", &["Track\n it "]), &plain(1000));
    assert_eq!(items, ["Which?\n1. Track it"]);
}

#[test]
fn a_message_without_content_is_no_item() {
    let mut message = asks(" \n", &[" "]);
    message.buttons.push(link("", " "));
    message.unknown_type = "video".to_owned();
    let (items, numbered) = draw(&message, &plain(1000));
    assert_eq!(items, [""; 0]);
    assert!(!numbered);
}

#[test]
fn any_content_is_an_item() {
    let only_link = AgentMessage {
        buttons: vec![link("", "https://a.example/t")],
        ..AgentMessage::default()
    };
    let (items, numbered) = draw(&only_link, &plain(1000));
    assert_eq!(items, ["https://a.example/t"]);
    assert!(!numbered, "there is nothing to choose");
    let image = Card {
        title: String::new(),
        description: String::new(),
        ..card("Mug", vec![])
    };
    let (items, _) = draw(&with_cards("", vec![image]), &plain(1000));
    assert_eq!(items, ["https://img.example/Mug"]);
    let (items, numbered) = draw(&asks("", &["Yes"]), &plain(1000));
    assert_eq!(items, ["1. Yes"]);
    assert!(numbered);
}

#[test]
fn a_humans_words_carry_the_humans_name() {
    let items = render_human_message(
        &human(HumanMessageKind::Text, "Lee here. Hello."),
        &plain(12),
    );
    let drawn: Vec<_> = items.iter().map(drawn).collect();
    assert_eq!(drawn, ["Lee here.", "Hello."]);
    let lee = Author::Human {
        name: "Lee".to_owned(),
        avatar_url: "https://a.example/lee".to_owned(),
    };
    assert!(items.iter().all(|item| item.author == lee));
}

#[test]
fn signs_of_the_human_side_and_what_the_source_brought_are_not_shown() {
    for kind in [
        HumanMessageKind::Joined,
        HumanMessageKind::Queue,
        HumanMessageKind::Left,
        HumanMessageKind::Failed,
    ] {
        assert!(render_human_message(&human(kind, "words"), &plain(1000)).is_empty());
    }
    let mut theirs = human(HumanMessageKind::Text, "words");
    assert_eq!(render_human_message(&theirs, &plain(1000)).len(), 1);
    theirs.from_source = true;
    assert!(render_human_message(&theirs, &plain(1000)).is_empty());
}
