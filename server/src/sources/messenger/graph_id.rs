//! Ids of pages and apps: the platform writes them as numbers and as text, and means the same.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::config::section::{Kind, Setting};

/// An id of a page or an app. Empty when none was given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct GraphId(String);

impl GraphId {
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// Absent when it is neither text nor a whole number, or empty.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let id = match value {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) if number.is_u64() => number.to_string(),
            _ => return None,
        };
        (!id.is_empty()).then_some(Self(id))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn is_digits(&self) -> bool {
        self.0.bytes().all(|c| c.is_ascii_digit())
    }
}

impl fmt::Display for GraphId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for GraphId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// As it is written.
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "an id: digits, as text or as a number")]
        enum Written {
            Number(u64),
            Text(String),
        }
        Ok(match Written::deserialize(deserializer)? {
            Written::Number(number) => Self(number.to_string()),
            Written::Text(text) => Self(text),
        })
    }
}

impl Setting for GraphId {
    const KIND: Kind = Kind::Text;

    fn is_missing(&self) -> bool {
        self.0.is_empty()
    }
}
