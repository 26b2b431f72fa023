//! Settings as they are written in a file, in the form of an `[[agents]]` or `[[sources]]` entry of the configuration:
//! what goes to the server as settings, and which secrets the entry names by their place.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result, bail};
use toml::{Table, Value};

use super::structs::join;
use crate::{
    config::{Kind, setting_kind},
    secret::Secret,
};

/// Of what the settings are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    Agents,
    Sources,
}

impl List {
    /// Its key in the configuration.
    fn key(self) -> &'static str {
        match self {
            Self::Agents => "agents",
            Self::Sources => "sources",
        }
    }

    /// What kind of setting stands at a path such as `platform.zendesk.api_key`, as far as this version knows.
    pub(super) fn kind(self, path: &str) -> Option<Kind> {
        setting_kind(&format!("{}[].{path}", self.key()))
    }

    /// Whether the setting at a path holds a secret, or is the place of one.
    pub(super) fn is_secret(self, path: &str) -> bool {
        let holds = |path| matches!(self.kind(path), Some(Kind::Secret | Kind::Secrets));
        let place = path
            .strip_suffix(".env")
            .or_else(|| path.strip_suffix(".file"));
        holds(path) || place.is_some_and(holds)
    }
}

/// One object's settings.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// Its name, if the file tells it.
    pub(super) name: Option<String>,
    /// Without the name and the secrets.
    pub(super) settings: Table,
    /// Where its secrets stand on this machine, by the path of their setting.
    pub(super) secrets: BTreeMap<String, Secret>,
}

impl Document {
    /// Reads a file that holds one entry's settings, or a configuration with the entry in it. `name` says which entry,
    /// where there are several.
    pub(super) fn load(file: &Path, list: List, name: Option<&str>) -> Result<Self> {
        let text = fs::read_to_string(file)
            .with_context(|| format!("the file {} cannot be read", file.display()))?;
        Self::parse(&text, list, name).with_context(|| format!("the file {}", file.display()))
    }

    pub(super) fn parse(text: &str, list: List, name: Option<&str>) -> Result<Self> {
        // Without the line itself: what was mistyped may be a secret.
        let table = text.parse::<Table>().map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.map_or(1, |before| before.matches('\n').count() + 1);
            anyhow::anyhow!("is not TOML: line {line}: {}", error.message())
        })?;
        let mut settings = entry(table, list, name)?;
        let own = match settings.remove("name") {
            None => None,
            Some(Value::String(name)) => Some(name),
            Some(_) => bail!("name is a text"),
        };
        if let (Some(asked), Some(own)) = (name, &own)
            && asked != own
        {
            bail!("it holds the settings of {own:?}, not of {asked:?}");
        }
        let mut secrets = BTreeMap::new();
        take_secrets(list, &mut settings, "", &mut secrets)?;
        Ok(Self {
            name: own,
            settings,
            secrets,
        })
    }
}

/// The entry of that name, or the only one; the whole table where it holds no list of entries.
fn entry(mut table: Table, list: List, name: Option<&str>) -> Result<Table> {
    let key = list.key();
    let entries = match table.remove(key) {
        None => return Ok(table),
        Some(Value::Array(entries)) => entries,
        Some(_) => bail!("{key} is a list: write [[{key}]]"),
    };
    let named = |entry: &Table| {
        let own = entry.get("name").and_then(Value::as_str);
        name.is_none_or(|name| own == Some(name))
    };
    let tables = entries.into_iter().filter_map(|entry| match entry {
        Value::Table(table) => Some(table),
        _ => None,
    });
    let mut found = tables.filter(named);
    match (found.next(), found.next()) {
        (Some(entry), None) => Ok(entry),
        (Some(_), Some(_)) => bail!("it holds several [[{key}]]: give the name of one"),
        (None, _) => bail!(
            "it holds no [[{key}]] of the name {:?}",
            name.unwrap_or_default()
        ),
    }
}

/// Takes every reference to a secret out of the settings.
fn take_secrets(
    list: List,
    table: &mut Table,
    at: &str,
    found: &mut BTreeMap<String, Secret>,
) -> Result<()> {
    let names: Vec<String> = table.keys().cloned().collect();
    for name in names {
        let path = join(at, &name);
        let kind = list.kind(&path);
        // Its keys are free: what stands there is text, whatever it looks like.
        if kind == Some(Kind::Map) {
            continue;
        }
        let Some(value) = table.get_mut(&name) else {
            continue;
        };
        if let Some(secrets) = references(value) {
            let many = value.is_array();
            for (place, secret) in secrets.into_iter().enumerate() {
                let path = if many {
                    format!("{path}[{place}]")
                } else {
                    path.clone()
                };
                found.insert(path, secret);
            }
            table.remove(&name);
        } else if matches!(kind, Some(Kind::Secret | Kind::Secrets)) {
            bail!(
                "{path}: a secret is never written down here: name its place on this machine, {{ env = \"NAME\" }} or \
                 {{ file = \"/path\" }}, or leave it out and give --secret"
            );
        } else {
            take_inner(list, value, &path, found)?;
        }
    }
    Ok(())
}

fn take_inner(
    list: List,
    value: &mut Value,
    path: &str,
    found: &mut BTreeMap<String, Secret>,
) -> Result<()> {
    match value {
        Value::Table(table) => take_secrets(list, table, path, found),
        Value::Array(values) => {
            for (place, value) in values.iter_mut().enumerate() {
                take_inner(list, value, &format!("{path}[{place}]"), found)?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The secret that a value names, or the secrets that all parts of a list name.
fn references(value: &Value) -> Option<Vec<Secret>> {
    match value {
        Value::Table(table) => {
            let alone = table.len() == 1;
            let place = table.get("env").or_else(|| table.get("file"));
            place
                .filter(|place| alone && place.is_str())
                .and_then(|_| value.clone().try_into().ok())
                .map(|secret| vec![secret])
        }
        Value::Array(values) if !values.is_empty() => {
            let each = values.iter().filter(|value| value.is_table());
            let each: Vec<Secret> = each.filter_map(references).flatten().collect();
            (each.len() == values.len()).then_some(each)
        }
        _ => None,
    }
}
