//! Session parameters in a request: three names and three shapes, because the platform's own pages
//! disagree. All are read, and each use is counted.

use serde_json::{Map, Value as Json};

use super::conversation::{Parameters, Value};

const NAMES: [&str; 3] = ["metaData", "metadata", "meta_data"];

/// Names that the platform keeps for itself.
const RESERVED: [&str; 8] = [
    "lastDetectedLanguage",
    "active_language",
    "chatTranscript",
    "lastVisitorMessage",
    "integrationId",
    "confidence_score",
    "lastResolution",
    "platformConversationId",
];

/// The parameters in a request.
#[derive(Debug, Default)]
pub(super) struct Metadata {
    pub(super) parameters: Parameters,
    /// Each name and shape that was used, as in `metaData/array`.
    pub(super) variants: Vec<String>,
}

/// Reads all parameters of `body`; an error says what is wrong with which.
pub(super) fn read(body: &Map<String, Json>) -> Result<Metadata, String> {
    let mut metadata = Metadata::default();
    for name in NAMES {
        let shape = match body.get(name) {
            None | Some(Json::Null) => continue,
            Some(Json::Array(entries)) => {
                for entry in entries {
                    let entry = entry.as_object();
                    let entry =
                        entry.ok_or_else(|| format!("{name} has an entry that is no object"))?;
                    metadata.parameters.push(entry_of(name, entry)?);
                }
                "array"
            }
            Some(Json::Object(entry))
                if entry.contains_key("key") && entry.contains_key("value") =>
            {
                metadata.parameters.push(entry_of(name, entry)?);
                "object"
            }
            Some(Json::Object(map)) => {
                for (key, value) in map {
                    let value = value_of(name, key, Some(value), false)?;
                    metadata.parameters.push(value);
                }
                "map"
            }
            Some(_) => return Err(format!("{name} must be an array of {{key, value}}")),
        };
        metadata.variants.push(format!("{name}/{shape}"));
    }
    Ok(metadata)
}

fn entry_of(name: &str, entry: &Map<String, Json>) -> Result<(String, Value), String> {
    let key = entry.get("key").and_then(Json::as_str).unwrap_or_default();
    let sanitize = match entry.get("sanitize") {
        None | Some(Json::Null) => false,
        Some(Json::Bool(sanitize)) => *sanitize,
        Some(_) => return Err(format!("{name}: sanitize must be true or false")),
    };
    value_of(name, key, entry.get("value"), sanitize)
}

fn value_of(
    name: &str,
    key: &str,
    value: Option<&Json>,
    sanitize: bool,
) -> Result<(String, Value), String> {
    if key.is_empty() {
        return Err(format!("{name} has an entry without a key"));
    }
    if RESERVED.contains(&key) {
        return Err(format!("{name}: the key {key} is reserved"));
    }
    let Some(Json::String(text)) = value else {
        return Err(format!("{name}: the value of {key} must be a string"));
    };
    let text = text.clone();
    Ok((key.to_owned(), Value { text, sanitize }))
}
