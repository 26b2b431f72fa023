//! What a bot says: dialogues, what triggers each, and the steps they take.

mod check;
mod file;
mod matching;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::faults::Fault;

/// The script that is played when none is given: a small shop that uses every feature.
const SHOP: &str = include_str!("shop.toml");

/// A whole script. The file format is described at the [module](super) above.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script {
    /// Sent when a session starts.
    pub welcome: Option<String>,
    /// What every session holds from its start.
    pub parameters: BTreeMap<String, String>,
    pub inactivity: Option<Inactivity>,
    pub dialogues: Vec<Dialogue>,
}

/// Said once when the visitor has been silent for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inactivity {
    /// The silence, from the visitor's last message.
    pub after: Duration,
    pub text: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dialogue {
    pub name: String,
    pub triggers: Triggers,
    pub steps: Vec<Step>,
    /// What goes wrong with a request that plays this dialogue.
    pub fault: Option<Fault>,
}

/// What plays a dialogue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Triggers {
    /// Words or phrases in the visitor's text, whole words, without regard to case.
    pub words: Vec<String>,
    /// A button's label, which is then the visitor's whole text.
    pub button: Option<String>,
    /// The card, from 0, that the button stood on.
    pub card: Option<u64>,
    /// Nothing else matched.
    pub default: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Say(Message),
    Action(Action),
    Availability(Availability),
    /// Always the last of its list.
    Escalate(Escalation),
    /// The bot ends the session. Always the last of its list.
    End,
}

/// One message of the bot; with cards it is a carousel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message {
    pub text: String,
    pub buttons: Vec<Button>,
    pub cards: Vec<Card>,
    /// From 0 to 1. Absent: by what triggered the dialogue.
    pub confidence: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    pub text: String,
    /// Where a link button leads. Absent: the label is what the visitor sends.
    pub link: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    pub title: String,
    pub description: Option<String>,
    pub image_url: Option<String>,
    pub buttons: Vec<Button>,
}

/// A call to the action webhook; what it answers is saved in the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    pub name: String,
    pub parameters: Vec<Parameter>,
    /// Said when it fails; the dialogue stops there.
    pub on_failure: String,
}

/// A session parameter that an action is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    pub key: String,
    /// Another name under which the value is saved in the session.
    pub save_as: Option<String>,
    /// Personal data.
    pub sanitize: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Availability {
    /// Absent: the question names no team.
    pub team: Option<String>,
    pub open: Vec<Step>,
    pub closed: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escalation {
    /// Absent: the webhook names no target.
    pub target: Option<String>,
    /// Said when the escalation fails.
    pub fallback: String,
}

/// Why a script cannot be played: where, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    #[error("cannot read the script {path}: {source}")]
    Unreadable {
        path: String,
        source: std::io::Error,
    },
    #[error("{0}")]
    Syntax(#[from] toml::de::Error),
    #[error("{place}: {remedy}")]
    Invalid { place: String, remedy: String },
}

impl Script {
    /// The shop assistant that `parloir demo` plays.
    pub fn shop() -> Self {
        Self::parse(SHOP).expect("the embedded script is parsed by a test of this module")
    }

    /// The text of [`Script::shop`], to start one's own from.
    pub fn shop_text() -> &'static str {
        SHOP
    }

    pub fn load(path: &Path) -> Result<Self, ScriptError> {
        let text = std::fs::read_to_string(path).map_err(|source| ScriptError::Unreadable {
            path: path.display().to_string(),
            source,
        })?;
        Self::parse(&text)
    }

    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        check::script(toml::from_str(text)?)
    }
}

#[cfg(test)]
mod tests;
