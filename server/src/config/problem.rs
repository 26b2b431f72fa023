//! What is wrong with a configuration: everything at once, each thing with its key and a remedy.

use std::fmt;

/// One thing that is wrong, or that an operator should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key, for example `agents[0].send_timeout`; empty where the whole file is meant.
    pub key: String,
    /// Where the value came from; empty for a default.
    pub origin: String,
    /// What is wrong, and what to do. Never holds a secret.
    pub text: String,
}

/// All that is wrong with a configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// Notes a problem with a key.
    pub fn add(&mut self, key: impl Into<String>, text: impl Into<String>) {
        self.0.push(Problem {
            key: key.into(),
            origin: String::new(),
            text: text.into(),
        });
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `Err` with everything that was noted, unless nothing was.
    pub fn into_result(self) -> Result<(), Self> {
        if self.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.key.as_str(), self.origin.as_str()) {
            ("", "") => f.write_str(&self.text),
            ("", origin) => write!(f, "{origin}: {}", self.text),
            (key, "") => write!(f, "{key}: {}", self.text),
            (key, origin) => write!(f, "{key} ({origin}): {}", self.text),
        }
    }
}
