//! Checks of a request's fields that collect everything that is wrong, so that a caller mends it in one go.

mod fields;
mod lists;
mod subscriptions;
#[cfg(test)]
mod tests;

use crate::domain::{Error, Result, Violation};

/// What was found wrong so far. Each check answers the parsed value, or nothing after noting why not.
#[derive(Debug, Default)]
pub(super) struct Checks {
    violations: Vec<Violation>,
}

impl Checks {
    /// The built value if nothing was wrong, else everything that was.
    pub fn finish<T>(self, build: impl FnOnce() -> Option<T>) -> Result<T> {
        if !self.violations.is_empty() {
            return Err(Error::Invalid(self.violations));
        }
        // A check that answers nothing has noted why.
        build().ok_or(Error::Internal)
    }

    /// Notes that a field is wrong.
    pub fn wrong(&mut self, field: impl Into<String>, description: impl Into<String>) {
        self.violations.push(Violation {
            field: field.into(),
            description: description.into(),
        });
    }

    /// Takes over what a rule of the domain found.
    pub fn rule<T>(&mut self, result: Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(Error::Invalid(violations)) => {
                self.violations.extend(violations);
                None
            }
            Err(error) => {
                self.wrong("", error.to_string());
                None
            }
        }
    }
}
