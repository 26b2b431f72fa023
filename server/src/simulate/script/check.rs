//! From the file to a script that can be played: what TOML cannot check, each error with its place.

mod message;
mod step;

use std::collections::BTreeSet;

use super::file::{DialogueFile, InactivityFile, ScriptFile};
use super::{Dialogue, Inactivity, Script, ScriptError, Triggers};

pub(super) fn script(file: ScriptFile) -> Result<Script, ScriptError> {
    let dialogues: Result<Vec<_>, _> = file.dialogues.into_iter().map(dialogue).collect();
    let dialogues = dialogues?;
    check_names(&dialogues)?;
    Ok(Script {
        welcome: file.welcome,
        parameters: file.parameters,
        inactivity: file.inactivity.map(inactivity).transpose()?,
        dialogues,
    })
}

fn inactivity(file: InactivityFile) -> Result<Inactivity, ScriptError> {
    let place = || "[inactivity]".to_owned();
    if file.after.is_zero() {
        return Err(invalid(
            place(),
            "after = \"0s\" would never wait; give a time such as \"10m\"",
        ));
    }
    require_text(&file.text, "text", place)?;
    Ok(Inactivity {
        after: file.after,
        text: file.text,
    })
}

fn dialogue(file: DialogueFile) -> Result<Dialogue, ScriptError> {
    let place = || format!("dialogue {:?}", file.name);
    if file.words.is_empty() && file.button.is_none() && !file.default {
        return Err(invalid(
            place(),
            "nothing triggers it; add words = [\"...\"], button = \"...\" or default = true",
        ));
    }
    if file.card.is_some() && file.button.is_none() {
        return Err(invalid(
            place(),
            "card needs the button that is on it; add button = \"...\"",
        ));
    }
    for trigger in file.words.iter().chain(&file.button) {
        if !trigger.contains(char::is_alphanumeric) {
            return Err(invalid(
                place(),
                "words and button need at least one letter or digit each; fill or remove the empty one",
            ));
        }
    }
    let fault = file.fault.map(|words| {
        let remedy = |remedy| invalid(format!("{}, fault", place()), remedy);
        words.read().map_err(remedy)
    });
    Ok(Dialogue {
        triggers: Triggers {
            words: file.words,
            button: file.button,
            card: file.card,
            default: file.default,
        },
        steps: step::steps(file.steps, &format!("dialogue {:?}", file.name))?,
        fault: fault.transpose()?,
        name: file.name,
    })
}

fn check_names(dialogues: &[Dialogue]) -> Result<(), ScriptError> {
    let mut names = BTreeSet::new();
    let mut default: Option<&str> = None;
    for dialogue in dialogues {
        let place = || format!("dialogue {:?}", dialogue.name);
        if !names.insert(&dialogue.name) {
            return Err(invalid(
                place(),
                "this name occurs twice; give each dialogue its own",
            ));
        }
        if dialogue.triggers.default
            && let Some(first) = default.replace(&dialogue.name)
        {
            let remedy = format!("{first:?} is the default already; remove default from one");
            return Err(invalid(place(), remedy));
        }
    }
    Ok(())
}

fn require_text(text: &str, key: &str, place: impl Fn() -> String) -> Result<(), ScriptError> {
    if text.trim().is_empty() {
        return Err(invalid(
            place(),
            format!("{key} is empty; write what it should say"),
        ));
    }
    Ok(())
}

fn invalid(place: impl Into<String>, remedy: impl Into<String>) -> ScriptError {
    ScriptError::Invalid {
        place: place.into(),
        remedy: remedy.into(),
    }
}
