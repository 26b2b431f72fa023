//! Session parameters: data that an agent may use.

use super::error::{Error, Result, Violation};

/// The longest key, in bytes.
pub const MAX_KEY_BYTES: usize = 128;
/// The longest value, in bytes. No platform states a limit; this one keeps an event small.
pub const MAX_VALUE_BYTES: usize = 8 * 1024;
/// The most parameters in one call.
pub const MAX_PARAMETERS: usize = 100;

/// One session parameter.
#[derive(Clone, PartialEq, Eq)]
pub struct Parameter {
    pub key: String,
    pub value: String,
    /// Personal data: kept out of the platform's logs and of ours.
    pub personal: bool,
}

impl Parameter {
    /// Checks one parameter and tells all that is wrong; `field` is the path that an error names.
    pub fn check(&self, field: &str) -> Result<()> {
        let mut wrong = Vec::new();
        let mut note = |part: &str, description: String| {
            let field = format!("{field}.{part}");
            wrong.push(Violation { field, description });
        };
        if !is_name(&self.key) {
            let what = "letters, digits and underscores, not beginning with a digit";
            note("key", format!("must be 1 to {MAX_KEY_BYTES} {what}"));
        }
        if self.value.len() > MAX_VALUE_BYTES {
            note(
                "value",
                format!("must be at most {MAX_VALUE_BYTES} bytes long"),
            );
        }
        if self.value.contains('\0') {
            note("value", "must not contain NUL".to_owned());
        }
        Error::none_of(wrong)
    }
}

/// Values may be personal whether flagged or not, so none is ever printed.
impl std::fmt::Debug for Parameter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parameter")
            .field("key", &self.key)
            .field("personal", &self.personal)
            .finish_non_exhaustive()
    }
}

/// Sets `changes` in `parameters`: an existing key keeps its place, of two entries with one key the last counts.
pub fn merge(parameters: &mut Vec<Parameter>, changes: &[Parameter]) {
    for change in changes {
        match parameters.iter_mut().find(|known| known.key == change.key) {
            Some(known) => known.clone_from(change),
            None => parameters.push(change.clone()),
        }
    }
}

fn is_name(key: &str) -> bool {
    key.len() <= MAX_KEY_BYTES
        && key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(key: &str, value: &str) -> Parameter {
        Parameter {
            key: key.into(),
            value: value.into(),
            personal: false,
        }
    }

    #[test]
    fn of_two_entries_with_one_key_the_last_counts() {
        let mut known = vec![parameter("tier", "gold"), parameter("order", "1")];
        merge(
            &mut known,
            &[parameter("tier", "silver"), parameter("tier", "lead")],
        );
        assert_eq!(known, [parameter("tier", "lead"), parameter("order", "1")]);
    }

    #[test]
    fn a_key_is_a_name_and_a_value_has_no_nul() {
        assert!(parameter("_tier2", "gold").check("p").is_ok());
        for bad in ["", "2nd", "a-b", "a b", "é", &"k".repeat(129)] {
            assert!(parameter(bad, "v").check("p").is_err(), "{bad}");
        }
        assert!(parameter("k", "a\0b").check("p").is_err());
        assert!(
            parameter("k", &"v".repeat(MAX_VALUE_BYTES + 1))
                .check("p")
                .is_err()
        );
    }

    #[test]
    fn a_value_is_never_printed() {
        assert!(!format!("{:?}", parameter("k", "secret")).contains("secret"));
    }
}
