//! The layers that settings come from: the file, and above it the environment. Remembers for each key which.

use std::{collections::BTreeMap, fmt::Write};

use toml::{Table, Value};

use super::{
    problem::{Problem, Problems},
    read::without_value,
    section::Kind,
    unknown::Schema,
};

/// What environment variables that hold settings begin with.
pub(super) const PREFIX: &str = "PARLOIR__";

/// Settings merged, and where each key came from.
#[derive(Default)]
pub(super) struct Layers {
    pub(super) settings: Table,
    pub(super) origins: BTreeMap<String, String>,
}

impl Layers {
    /// Puts a file's settings in.
    pub(super) fn add_file(&mut self, name: &str, text: &str, problems: &mut Problems) {
        match text.parse::<Table>() {
            Ok(settings) => {
                self.note(&Value::Table(settings.clone()), "", name);
                self.settings = settings;
            }
            Err(error) => problems.0.push(Problem {
                key: String::new(),
                origin: name.to_owned(),
                text: not_toml(text, &error),
            }),
        }
    }

    /// Puts one environment variable in, if it is a setting. Its value is read as the kind of its key demands.
    pub(super) fn add_variable(
        &mut self,
        name: &str,
        value: &str,
        schema: &Schema,
        problems: &mut Problems,
    ) {
        let Some(path) = name.strip_prefix(PREFIX) else {
            return;
        };
        let steps: Vec<String> = path.split("__").map(str::to_lowercase).collect();
        let key = display_key(&steps);
        if let Err(text) = insert(&mut self.settings, &steps, typed(value, schema.kind(&key))) {
            problems.0.push(Problem {
                key,
                origin: name.to_owned(),
                text,
            });
        } else {
            self.origins.insert(key, name.to_owned());
        }
    }

    /// Where a key, or the table it stands in, came from; empty where nobody set it.
    pub(super) fn origin(&self, key: &str) -> &str {
        let inside = |other: &str| {
            other
                .strip_prefix(key)
                .is_some_and(|rest| rest.starts_with(['.', '[']))
        };
        self.origins
            .get(key)
            .or_else(|| {
                self.origins
                    .iter()
                    .find(|(other, _)| inside(other))
                    .map(|(_, origin)| origin)
            })
            .map_or("", String::as_str)
    }

    fn note(&mut self, value: &Value, key: &str, origin: &str) {
        match value {
            Value::Table(table) => {
                for (name, value) in table {
                    let inner = if key.is_empty() {
                        name.clone()
                    } else {
                        format!("{key}.{name}")
                    };
                    self.note(value, &inner, origin);
                }
            }
            Value::Array(values) => {
                for (index, value) in values.iter().enumerate() {
                    self.note(value, &format!("{key}[{index}]"), origin);
                }
            }
            _ => {
                self.origins.insert(key.to_owned(), origin.to_owned());
            }
        }
    }
}

/// Where and why, without the line itself: what was mistyped may be a secret.
fn not_toml(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map_or(1, |before| before.matches('\n').count() + 1);
    format!(
        "is not TOML: line {line}: {}",
        without_value(error.message())
    )
}

/// `["agents", "0", "name"]` as `agents[0].name`.
fn display_key(steps: &[String]) -> String {
    let mut key = String::new();
    for step in steps {
        if is_index(step) {
            let _ = write!(key, "[{step}]");
        } else {
            key.push_str(if key.is_empty() { "" } else { "." });
            key.push_str(step);
        }
    }
    key
}

fn is_index(step: &str) -> bool {
    !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit())
}

fn typed(value: &str, kind: Option<Kind>) -> Value {
    let text = || Value::String(value.to_owned());
    match kind {
        Some(Kind::Integer) => value.parse().map_or_else(|_| text(), Value::Integer),
        Some(Kind::Boolean) => value.parse().map_or_else(|_| text(), Value::Boolean),
        _ => text(),
    }
}

fn insert(table: &mut Table, steps: &[String], value: Value) -> Result<(), String> {
    let Some((first, rest)) = steps.split_first() else {
        return Ok(());
    };
    if rest.is_empty() {
        table.insert(first.clone(), value);
        return Ok(());
    }
    let list_follows = rest.first().is_some_and(|step| is_index(step));
    let inner = table.entry(first.clone()).or_insert_with(|| {
        if list_follows {
            Value::Array(Vec::new())
        } else {
            Value::Table(Table::new())
        }
    });
    match inner {
        Value::Array(values) if list_follows => insert_item(values, rest, value),
        Value::Table(table) if !list_follows => insert(table, rest, value),
        _ if list_follows => Err(format!("{first} is not a list")),
        Value::Array(_) => Err(format!(
            "{first} is a list: name the place in it, {}__0__...",
            first.to_uppercase()
        )),
        other => {
            // A table in the environment takes the place of a plain value in the file: `webhook = "none"`.
            *other = Value::Table(Table::new());
            insert(table, steps, value)
        }
    }
}

fn insert_item(values: &mut Vec<Value>, steps: &[String], value: Value) -> Result<(), String> {
    let index: usize = steps
        .first()
        .and_then(|step| step.parse().ok())
        .unwrap_or(usize::MAX);
    if index > values.len() {
        return Err(format!(
            "there are {} before it: numbers begin at 0 and leave none out",
            values.len()
        ));
    }
    if index == values.len() {
        values.push(Value::Table(Table::new()));
    }
    match (&mut values[index], steps.get(1..).unwrap_or_default()) {
        (item, []) => *item = value,
        (Value::Table(table), rest) => return insert(table, rest, value),
        (_, _) => return Err("is not a table".to_owned()),
    }
    Ok(())
}
