//! Loads settings: defaults, above them the file, above it the environment; then checks all of it at once.

use std::{collections::BTreeMap, env, ffi::OsString, fs, path::Path};

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::{
    Config,
    check::{check, warnings},
    layers::Layers,
    problem::{Problem, Problems},
    unknown::Schema,
};

/// A configuration that holds together.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings in force.
    pub config: Config,
    /// Where those came from that are not defaults.
    pub origins: Origins,
    /// What an operator should know, although it is allowed.
    pub warnings: Vec<Problem>,
}

/// For each key that is not a default, the file or the environment variable it came from.
pub type Origins = BTreeMap<String, String>;

/// Loads the settings from a file, if one is given, and the environment.
///
/// # Errors
///
/// Everything that is wrong, at once.
pub fn load(
    file: Option<&Path>,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Loaded, Problems> {
    let (mut layers, mut problems, schema) =
        (Layers::default(), Problems::default(), Schema::new());
    if let Some(path) = file {
        let name = path.display().to_string();
        match fs::read_to_string(path) {
            Ok(text) => layers.add_file(&name, &text, &mut problems),
            Err(error) => problems.add("", format!("{name}: cannot be read: {error}")),
        }
    }
    let mut variables: Vec<_> = environment.collect();
    variables.sort_by_key(|(name, _)| (name.len(), name.clone()));
    for (name, value) in &variables {
        layers.add_variable(name, value, &schema, &mut problems);
    }
    schema.find_unknown(&layers.settings, &mut problems);
    let config = read(&layers.settings, &mut problems);
    // What a value means is asked only once every value is one: a wrong one has left its default behind.
    if problems.is_empty() {
        check(&config, &mut problems);
    }
    for problem in &mut problems.0 {
        if problem.origin.is_empty() {
            problem.origin = layers.origin(&problem.key).to_owned();
        }
    }
    problems.into_result()?;
    Ok(Loaded {
        warnings: warnings(&config),
        origins: layers.origins,
        config,
    })
}

/// The environment's variables, as far as they are text.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    let text = |(name, value): (OsString, OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    env::vars_os().filter_map(text)
}

fn read(settings: &Table, problems: &mut Problems) -> Config {
    Config {
        grpc: section(settings, "grpc", problems),
        webhooks: section(settings, "webhooks", problems),
        ops: section(settings, "ops", problems),
        database: section(settings, "database", problems),
        stream: section(settings, "stream", problems),
        log: section(settings, "log", problems),
        delivery: section(settings, "delivery", problems),
        shutdown: section(settings, "shutdown", problems),
        logging: section(settings, "logging", problems),
        agents: list(settings, "agents", problems),
        accounts: list(settings, "accounts", problems),
    }
}

fn section<T: DeserializeOwned + Default>(
    settings: &Table,
    name: &str,
    problems: &mut Problems,
) -> T {
    settings
        .get(name)
        .map(|value| item(value, name, problems))
        .unwrap_or_default()
}

fn list<T: DeserializeOwned + Default>(
    settings: &Table,
    name: &str,
    problems: &mut Problems,
) -> Vec<T> {
    match settings.get(name) {
        None => Vec::new(),
        Some(Value::Array(values)) => {
            let named = values
                .iter()
                .enumerate()
                .map(|(index, value)| (format!("{name}[{index}]"), value));
            named
                .map(|(key, value)| item(value, &key, problems))
                .collect()
        }
        Some(_) => {
            problems.add(name, format!("is a list: write [[{name}]]"));
            Vec::new()
        }
    }
}

/// Reads each key of a table by itself, so that one wrong value does not hide the next.
fn item<T: DeserializeOwned + Default>(value: &Value, key: &str, problems: &mut Problems) -> T {
    let Value::Table(table) = value else {
        problems.add(key, "is a table of settings");
        return T::default();
    };
    let before = problems.0.len();
    for (name, value) in table {
        let alone = Table::from_iter([(name.clone(), value.clone())]);
        if let Err(error) = Value::Table(alone).try_into::<T>() {
            note(&error, key, name, problems);
        }
    }
    if problems.0.len() > before {
        T::default()
    } else {
        value.clone().try_into().unwrap_or_default()
    }
}

fn note(error: &toml::de::Error, key: &str, name: &str, problems: &mut Problems) {
    let text = error.message().trim();
    // The search for unknown keys has reported these already, with the nearest name.
    if !text.starts_with("unknown field") {
        problems.add(format!("{key}.{name}"), text);
    }
}
