//! Steps: each is exactly one kind of thing, with the keys that belong to it.

use super::super::file::{ParameterFile, StepFile};
use super::super::{Action, Availability, Escalation, Parameter, ScriptError, Step};
use super::message::{carousel, say};
use super::{invalid, require_text};

/// Each kind's own key, and the keys that may stand beside it.
const KINDS: [(&str, &[&str]); 7] = [
    ("reply", &["buttons", "confidence"]),
    ("replies", &["confidence"]),
    ("carousel", &["confidence"]),
    ("action", &["parameters", "on_failure"]),
    ("availability", &["open", "closed"]),
    ("escalate", &["fallback"]),
    ("end", &[]),
];

pub(super) fn steps(files: Vec<StepFile>, place: &str) -> Result<Vec<Step>, ScriptError> {
    if files.is_empty() {
        return Err(invalid(
            place,
            "it has no step; add at least one, such as reply = \"...\"",
        ));
    }
    let count = files.len();
    let mut steps = Vec::with_capacity(count);
    for (number, file) in (1..).zip(files) {
        let place = format!("{place}, step {number}");
        steps.extend(step(file, &place)?);
        if number < count && matches!(steps.last(), Some(Step::Escalate(_) | Step::End)) {
            let remedy = "nothing after it is ever played; make it the last step";
            return Err(invalid(place, remedy));
        }
    }
    Ok(steps)
}

fn step(file: StepFile, place: &str) -> Result<Vec<Step>, ScriptError> {
    let kind = kind_of(&file, place)?;
    let (text, team) = (file.reply.unwrap_or_default(), |name: Option<String>| {
        name.filter(|name| !name.is_empty())
    });
    Ok(vec![match kind {
        "reply" => {
            let buttons = file.buttons.unwrap_or_default();
            Step::Say(say(text, buttons, file.confidence, place)?)
        }
        "replies" => {
            let texts = file.replies.unwrap_or_default();
            let say = |text| say(text, Vec::new(), file.confidence, place).map(Step::Say);
            return texts.into_iter().map(say).collect();
        }
        "carousel" => Step::Say(carousel(
            file.carousel.unwrap_or_default(),
            file.confidence,
            place,
        )?),
        "action" => Step::Action(Action {
            name: file.action.unwrap_or_default(),
            parameters: parameters(file.parameters.unwrap_or_default(), place)?,
            on_failure: file
                .on_failure
                .unwrap_or_else(|| "Sorry, that did not work.".to_owned()),
        }),
        "availability" => Step::Availability(Availability {
            team: team(file.availability),
            open: steps(file.open.unwrap_or_default(), &format!("{place}, open"))?,
            closed: steps(file.closed.unwrap_or_default(), &format!("{place}, closed"))?,
        }),
        "escalate" => Step::Escalate(Escalation {
            target: team(file.escalate),
            fallback: file
                .fallback
                .unwrap_or_else(|| "Sorry, nobody is free right now.".to_owned()),
        }),
        _ => Step::End,
    }])
}

/// The one kind that `file` is, once nothing stands in it that belongs to another.
fn kind_of(file: &StepFile, place: &str) -> Result<&'static str, ScriptError> {
    let present = present_keys(file);
    let kinds: Vec<_> = KINDS
        .iter()
        .filter(|(kind, _)| present.contains(kind))
        .collect();
    let [(kind, beside)] = kinds[..] else {
        let all: Vec<_> = KINDS.iter().map(|(kind, _)| *kind).collect();
        let remedy = format!(
            "a step is exactly one of {}; split it or add one",
            all.join(", ")
        );
        return Err(invalid(place, remedy));
    };
    if let Some(stray) = present
        .iter()
        .find(|key| *key != kind && !beside.contains(key))
    {
        let remedy = format!("{stray} does not belong to {kind}; remove it");
        return Err(invalid(place, remedy));
    }
    if file.end == Some(false) || file.action.as_deref() == Some("") {
        return Err(invalid(
            place,
            format!("{kind} is empty; fill it or remove the step"),
        ));
    }
    Ok(kind)
}

fn present_keys(file: &StepFile) -> Vec<&'static str> {
    let keys = [
        ("reply", file.reply.is_some()),
        ("buttons", file.buttons.is_some()),
        ("confidence", file.confidence.is_some()),
        ("replies", file.replies.is_some()),
        ("carousel", file.carousel.is_some()),
        ("action", file.action.is_some()),
        ("parameters", file.parameters.is_some()),
        ("on_failure", file.on_failure.is_some()),
        ("availability", file.availability.is_some()),
        ("open", file.open.is_some()),
        ("closed", file.closed.is_some()),
        ("escalate", file.escalate.is_some()),
        ("fallback", file.fallback.is_some()),
        ("end", file.end.is_some()),
    ];
    let present = keys.into_iter().filter(|(_, present)| *present);
    present.map(|(key, _)| key).collect()
}

fn parameters(files: Vec<ParameterFile>, place: &str) -> Result<Vec<Parameter>, ScriptError> {
    let parameter = |file| {
        let parameter = match file {
            ParameterFile::Key(key) => Parameter {
                key,
                save_as: None,
                sanitize: false,
            },
            ParameterFile::Table(table) => Parameter {
                key: table.key,
                save_as: table.save_as,
                sanitize: table.sanitize,
            },
        };
        require_text(&parameter.key, "a parameter's key", || place.to_owned())?;
        Ok(parameter)
    };
    files.into_iter().map(parameter).collect()
}
