//! Loads settings: defaults, above them the file, above it the environment; then checks all of it at once.

use std::{collections::BTreeMap, env, ffi::OsString, fs, path::Path};

use super::{
    Config,
    check::{check, warnings},
    layers::Layers,
    problem::{Problem, Problems},
    read::{Read, read},
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
    let Read { config, unread } = read(&layers.settings, &mut problems);
    let mut doubts = Problems::default();
    check(&config, &mut doubts);
    // What could not be read has left its default behind, of which nothing need be said.
    let of_unread = |key: &str| unread.iter().any(|unread| key.starts_with(unread.as_str()));
    problems
        .0
        .extend(doubts.0.into_iter().filter(|doubt| !of_unread(&doubt.key)));
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
