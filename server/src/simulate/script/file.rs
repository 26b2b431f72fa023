//! A script as it stands in its file: what TOML can check by itself.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use crate::simulate::faults::FaultWords;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScriptFile {
    pub(super) welcome: Option<String>,
    #[serde(default)]
    pub(super) parameters: BTreeMap<String, String>,
    pub(super) inactivity: Option<InactivityFile>,
    #[serde(default, rename = "dialogue")]
    pub(super) dialogues: Vec<DialogueFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InactivityFile {
    #[serde(with = "humantime_serde")]
    pub(super) after: Duration,
    pub(super) text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DialogueFile {
    pub(super) name: String,
    #[serde(default)]
    pub(super) words: Vec<String>,
    pub(super) button: Option<String>,
    pub(super) card: Option<u64>,
    #[serde(default)]
    pub(super) default: bool,
    pub(super) fault: Option<FaultWords>,
    #[serde(default, rename = "step")]
    pub(super) steps: Vec<StepFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StepFile {
    pub(super) reply: Option<String>,
    pub(super) buttons: Option<Vec<ButtonFile>>,
    pub(super) confidence: Option<f64>,
    pub(super) replies: Option<Vec<String>>,
    pub(super) carousel: Option<Vec<CardFile>>,
    pub(super) action: Option<String>,
    pub(super) parameters: Option<Vec<ParameterFile>>,
    pub(super) on_failure: Option<String>,
    pub(super) availability: Option<String>,
    pub(super) open: Option<Vec<StepFile>>,
    pub(super) closed: Option<Vec<StepFile>>,
    pub(super) escalate: Option<String>,
    pub(super) fallback: Option<String>,
    pub(super) end: Option<bool>,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a button is its label in quotes, or { text = \"its label\", link = \"https://...\" }"
)]
pub(super) enum ButtonFile {
    Label(String),
    Table(ButtonTable),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ButtonTable {
    pub(super) text: String,
    pub(super) link: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CardFile {
    pub(super) title: String,
    pub(super) description: Option<String>,
    pub(super) image_url: Option<String>,
    #[serde(default)]
    pub(super) buttons: Vec<ButtonFile>,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a parameter is its key in quotes, or { key = \"its key\", save_as = \"another name\", sanitize = true }"
)]
pub(super) enum ParameterFile {
    Key(String),
    Table(ParameterTable),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ParameterTable {
    pub(super) key: String,
    pub(super) save_as: Option<String>,
    #[serde(default)]
    pub(super) sanitize: bool,
}
