//! Scripts are checked, and an error says where and what to do.

use super::*;

fn name_for(text: &str, card: Option<u64>) -> String {
    let shop = Script::shop();
    shop.dialogue_for(text, card).unwrap().name.clone()
}

#[test]
fn the_closest_match_wins() {
    assert_eq!(name_for("Choose", Some(1)), "red mug");
    assert_eq!(name_for("  TRACK my parcel!", None), "track");
    assert_eq!(name_for("Where is my parcel?", None), "track");
    assert_eq!(name_for("Show mugs", Some(7)), "mugs");
    assert_eq!(name_for("Choose", Some(7)), "otherwise");
    assert_eq!(name_for("Choose", None), "otherwise");
}

#[test]
fn only_whole_words_match() {
    assert_eq!(name_for("Is anyone there, please?", None), "team");
    assert_eq!(name_for("steam", None), "otherwise");
    assert_eq!(name_for("my best order", None), "otherwise");
}

#[test]
fn the_shop_uses_every_kind_of_step() {
    let shop = Script::shop();
    let steps: Vec<_> = shop.dialogues.iter().flat_map(|d| &d.steps).collect();
    let has = |wanted: fn(&Step) -> bool| steps.iter().any(|step| wanted(step));
    assert!(has(
        |step| matches!(step, Step::Say(say) if !say.cards.is_empty())
    ));
    assert!(has(
        |step| matches!(step, Step::Say(say) if !say.buttons.is_empty())
    ));
    assert!(has(|step| matches!(step, Step::Action(_))));
    assert!(has(|step| matches!(step, Step::Availability(_))));
    assert!(has(|step| matches!(step, Step::Escalate(_))));
    assert!(has(|step| matches!(step, Step::End)));
    assert!(shop.welcome.is_some() && shop.inactivity.is_some());
}

/// The error of a script that has one dialogue, with `keys` and one step.
fn dialogue_error(keys: &str, step: &str) -> String {
    let text = format!("[[dialogue]]\nname = \"d\"\n{keys}\n[[dialogue.step]]\n{step}\n");
    Script::parse(&text).unwrap_err().to_string()
}

#[test]
fn a_step_that_is_wrong_is_named_with_its_remedy() {
    let wrong = [
        ("", "a step is exactly one of reply, replies"),
        ("reply = \"a\"\nend = true", "a step is exactly one of"),
        (
            "reply = \"a\"\nfallback = \"b\"",
            "fallback does not belong to reply; remove it",
        ),
        ("reply = \" \"", "the text is empty; write"),
        ("end = false", "end is empty; fill it or remove the step"),
        ("action = \"\"", "action is empty; fill it"),
        ("carousel = []", "a carousel has 1 to 10 cards; add"),
        (
            "reply = \"a\"\nconfidence = 2",
            "confidence lies between 0 and 1",
        ),
        (
            "reply = \"a\"\nbuttons = [{ text = \"b\", link = \"ftp://c\" }]",
            "must start with https://",
        ),
        ("replies = [\"a\", \"\"]", "the text is empty"),
    ];
    for (step, remedy) in wrong {
        let error = dialogue_error("default = true", step);
        assert!(error.starts_with("dialogue \"d\", step 1: "), "{error}");
        assert!(error.contains(remedy), "{error}");
    }
}

#[test]
fn a_branch_names_its_place_from_the_dialogue_down() {
    let step = "availability = \"t\"\nopen = [{ reply = \"a\" }, { end = true }, { reply = \"b\" }]\nclosed = [{ reply = \"c\" }]";
    let error = dialogue_error("default = true", step);
    let expected = "dialogue \"d\", step 1, open, step 2: nothing after it is ever played; make it the last step";
    assert_eq!(error, expected);
    let error = dialogue_error(
        "default = true",
        "availability = \"t\"\nopen = [{ end = true }]",
    );
    assert!(
        error.starts_with("dialogue \"d\", step 1, closed: it has no step"),
        "{error}"
    );
}

#[test]
fn a_dialogue_that_is_wrong_is_named_with_its_remedy() {
    let wrong = [
        ("", "nothing triggers it; add words"),
        (
            "words = [\"a\"]\ncard = 1",
            "card needs the button that is on it",
        ),
        ("words = [\"...\"]", "need at least one letter or digit"),
        (
            "default = true\nfault = { status = 200 }",
            "status 200 is no error",
        ),
        (
            "default = true\nfault = { retry_after = \"1s\" }",
            "retry_after needs a status",
        ),
        (
            "default = true\nfault = { webhooks = \"late\" }",
            "need a webhook_delay",
        ),
        (
            "default = true\nfault = { webhooks = \"never\", webhook_delay = \"1s\" }",
            "with webhooks \"late\" only",
        ),
        (
            "default = true\nfault = { status = 503, answer = \"never\" }",
            "only one of status, answer and redirect",
        ),
    ];
    for (keys, remedy) in wrong {
        let error = dialogue_error(keys, "reply = \"a\"");
        assert!(error.starts_with("dialogue \"d\""), "{error}");
        assert!(error.contains(remedy), "{error}");
    }
}

#[test]
fn names_and_the_default_are_given_once() {
    let dialogue = |name: &str| {
        format!(
            "[[dialogue]]\nname = \"{name}\"\ndefault = true\n[[dialogue.step]]\nreply = \"a\"\n"
        )
    };
    let error = |second| {
        Script::parse(&(dialogue("d") + &dialogue(second)))
            .unwrap_err()
            .to_string()
    };
    assert!(error("d").contains("this name occurs twice"));
    assert!(error("e").contains("\"d\" is the default already"));
}

#[test]
fn an_unknown_key_is_refused_at_its_line() {
    let wrong = [
        ("greeting = \"a\"", "greeting"),
        (
            "[inactivity]\nafter = \"1m\"\ntext = \"a\"\nagain = true",
            "again",
        ),
        ("[[dialogue]]\nname = \"d\"\nword = \"a\"", "word"),
        ("[[dialogue]]\nname = \"d\"\nfault = { code = 5 }", "code"),
        (
            "[[dialogue]]\nname = \"d\"\n[[dialogue.step]]\nsay = \"a\"",
            "say",
        ),
    ];
    for (text, key) in wrong {
        let error = Script::parse(text).unwrap_err().to_string();
        assert!(error.contains(&format!("unknown field `{key}`")), "{error}");
        assert!(error.contains("line"), "{error}");
    }
}

#[test]
fn a_button_or_a_parameter_in_no_known_form_is_explained() {
    let error = dialogue_error(
        "default = true",
        "reply = \"a\"\nbuttons = [{ label = \"b\" }]",
    );
    assert!(error.contains("a button is its label in quotes"), "{error}");
    let error = dialogue_error("default = true", "action = \"a\"\nparameters = [5]");
    assert!(
        error.contains("a parameter is its key in quotes"),
        "{error}"
    );
}

#[test]
fn a_script_that_is_not_there_is_named() {
    let error = Script::load(Path::new("/nowhere/script.toml")).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("cannot read the script /nowhere/script.toml:")
    );
}

#[test]
fn an_empty_script_is_a_bot_that_understands_nothing() {
    let script = Script::parse("").unwrap();
    assert_eq!(script, Script::default());
    assert_eq!(script.dialogue_for("hello", None), None);
}

#[test]
fn the_script_in_the_documentation_can_be_played() {
    let documentation = include_str!("../mod.rs");
    let (_, example) = documentation.split_once("//! ```toml\n").unwrap();
    let (example, _) = example.split_once("//! ```\n").unwrap();
    let lines = example.lines().map(|line| line.trim_start_matches("//!"));
    let script = Script::parse(&lines.collect::<Vec<_>>().join("\n")).unwrap();
    assert_eq!(script.dialogues[0].steps.len(), 7);
}
