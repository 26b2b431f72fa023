//! The platform's JSON: parameters as both sides write them, fields read as leniently as the platform's examples differ.

use std::cell::Cell;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::domain::Parameter;

/// A session parameter, in requests and in an action's results.
#[derive(Serialize)]
pub(super) struct SessionParameter<'a> {
    key: &'a str,
    value: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    sanitize: bool,
}

pub(super) fn session_parameters(parameters: &[Parameter]) -> Vec<SessionParameter<'_>> {
    parameters
        .iter()
        .map(|parameter| SessionParameter {
            key: &parameter.key,
            value: &parameter.value,
            sanitize: parameter.personal,
        })
        .collect()
}

/// The fields of an object from the platform, taken out one by one. `inexact` is set as soon as something is left
/// over, dropped or read as what it is not, so that the caller keeps what came.
pub(super) struct Fields<'p> {
    map: Map<String, Value>,
    inexact: &'p Cell<bool>,
}

impl<'p> Fields<'p> {
    pub(super) fn new(map: Map<String, Value>, inexact: &'p Cell<bool>) -> Self {
        Self { map, inexact }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.map.get(name).is_some_and(|value| !value.is_null())
    }

    pub(super) fn holds_text(&self, name: &str) -> bool {
        self.map.get(name).is_some_and(Value::is_string)
    }

    pub(super) fn holds_list(&self, name: &str) -> bool {
        self.map.get(name).is_some_and(Value::is_array)
    }

    /// A look into an object without taking it out.
    pub(super) fn inner_has(&self, name: &str, inner: &str) -> bool {
        self.map
            .get(name)
            .and_then(|value| value.get(inner))
            .is_some_and(|value| !value.is_null())
    }

    /// Absent when missing, null, or nothing that can be told as text.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        match self.map.remove(name)? {
            Value::Null => None,
            Value::String(text) => Some(text),
            value @ (Value::Number(_) | Value::Bool(_)) => {
                self.note_inexact();
                Some(value.to_string())
            }
            Value::Array(_) | Value::Object(_) => {
                self.note_inexact();
                None
            }
        }
    }

    /// A share from 0 to 1; anything else is dropped.
    pub(super) fn share(&mut self, name: &str) -> Option<f64> {
        let number = match self.map.remove(name)? {
            Value::Null => return None,
            Value::Number(number) => number.as_f64(),
            Value::String(text) => {
                self.note_inexact();
                text.trim().parse().ok()
            }
            _ => None,
        };
        let share = number.filter(|number| (0.0..=1.0).contains(number));
        if share.is_none() {
            self.note_inexact();
        }
        share
    }

    /// False when missing.
    pub(super) fn flag(&mut self, name: &str) -> bool {
        match self.map.remove(name) {
            None | Some(Value::Null) => false,
            Some(Value::Bool(flag)) => flag,
            Some(value) => {
                self.note_inexact();
                value == "true" || value == 1
            }
        }
    }

    /// Empty when missing or null. What is no list counts as a list of itself.
    pub(super) fn list(&mut self, name: &str) -> Vec<Value> {
        match self.map.remove(name) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(list)) => list,
            Some(value) => {
                self.note_inexact();
                vec![value]
            }
        }
    }

    /// As it is; absent when missing or null.
    pub(super) fn any(&mut self, name: &str) -> Option<Value> {
        self.map.remove(name).filter(|value| !value.is_null())
    }

    /// The fields of an object within this one.
    pub(super) fn object(&mut self, name: &str) -> Option<Self> {
        match self.map.remove(name)? {
            Value::Object(map) => Some(Self::new(map, self.inexact)),
            value => {
                self.map.insert(name.to_owned(), value);
                None
            }
        }
    }

    /// The text of a field without taking it out.
    pub(super) fn look(&self, name: &str) -> Option<&str> {
        self.map.get(name)?.as_str()
    }

    /// As [`Self::look`], inside of an object.
    pub(super) fn look_inside(&self, name: &str, inner: &str) -> Option<&str> {
        self.map.get(name)?.get(inner)?.as_str()
    }

    /// Fields of an object that was found within this one.
    pub(super) fn nested(&self, map: Map<String, Value>) -> Self {
        Self::new(map, self.inexact)
    }

    pub(super) fn note_inexact(&self) {
        self.inexact.set(true);
    }

    /// Whatever was not taken out is not known.
    pub(super) fn finish(self) {
        let says_something = |value: &Value| match value {
            Value::Null => false,
            Value::Array(list) => !list.is_empty(),
            _ => true,
        };
        if self.map.values().any(says_something) {
            self.note_inexact();
        }
    }
}
