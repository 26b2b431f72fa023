//! A session: what the bot remembers, until it ends or nobody says anything for too long.

use std::collections::BTreeMap;
use std::time::Duration;

use super::new_id;
use crate::simulate::clock::Moment;

/// A session parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::simulate) struct Value {
    pub(in crate::simulate) text: String,
    /// Personal data.
    pub(in crate::simulate) sanitize: bool,
}

#[derive(Debug)]
pub(super) struct Session {
    /// The platform's own id of this conversation.
    pub(super) internal_id: String,
    pub(super) parameters: BTreeMap<String, Value>,
    /// When the inactivity prompt is due.
    pub(super) prompt_at: Option<Moment>,
    /// When either side last said something.
    last_message: Moment,
}

impl Session {
    pub(super) fn new(at: Moment, parameters: &BTreeMap<String, String>) -> Self {
        let value = |text: &String| Value {
            text: text.clone(),
            sanitize: false,
        };
        let pairs = parameters.iter();
        Self {
            internal_id: new_id(),
            parameters: pairs
                .map(|(key, text)| (key.clone(), value(text)))
                .collect(),
            prompt_at: None,
            last_message: at,
        }
    }

    /// Somebody said something at `at`.
    pub(super) fn touch(&mut self, at: Moment) {
        self.last_message = self.last_message.max(at);
    }

    pub(super) fn is_over(&self, now: Moment, duration: Duration) -> bool {
        now.saturating_sub(self.last_message) > duration
    }

    /// `text` with each `{{name}}` replaced; names that are not set stay, so that one sees them.
    pub(super) fn fill_in(&self, text: &str) -> String {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((name, after)) = after.split_once("}}") else {
                break;
            };
            filled.push_str(before);
            match self.parameters.get(name.trim()) {
                Some(value) => filled.push_str(&value.text),
                None => filled.extend(["{{", name, "}}"]),
            }
            rest = after;
        }
        filled.push_str(rest);
        filled
    }

    pub(super) fn texts(&self) -> BTreeMap<String, String> {
        let pairs = self.parameters.iter();
        pairs
            .map(|(key, value)| (key.clone(), value.text.clone()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(pairs: &[(&str, &str)]) -> Session {
        let owned = |(key, text): &(&str, &str)| ((*key).to_owned(), (*text).to_owned());
        Session::new(Duration::ZERO, &pairs.iter().map(owned).collect())
    }

    #[test]
    fn names_are_replaced_by_their_values_and_unknown_ones_stay() {
        let session = session(&[("a", "1"), ("b", "{{a}}")]);
        let filled = session.fill_in("{{a}} and {{ b }}, {{c}} and {{open");
        assert_eq!(filled, "1 and {{a}}, {{c}} and {{open");
    }

    #[test]
    fn a_session_is_over_only_after_its_whole_duration() {
        let mut session = session(&[]);
        let hour = Duration::from_hours(1);
        assert!(!session.is_over(hour, hour));
        assert!(session.is_over(hour + Duration::from_nanos(1), hour));
        session.touch(hour);
        assert!(!session.is_over(2 * hour, hour));
    }
}
