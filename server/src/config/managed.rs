//! Settings of one agent or source that an administrator gives while the server runs: read as those of the file are, but
//! with the secrets beside them, and without what leads into the server's own files, environment or network.

use std::collections::BTreeMap;

use secrecy::SecretString;
use toml::{Table, Value};

use super::{
    AgentConfig, Config, SourceConfig,
    problem::Problems,
    read::{Read, read},
    section::Kind,
    unknown::Schema,
};
use crate::{outgoing, secret};

/// The setting that lets a client reach private networks, wherever it stands.
const PRIVATE: &str = "allow_private_addresses";

/// What kind of object the settings are of: the name of its list in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    Agents,
    Sources,
}

/// Settings as an administrator gave them.
#[derive(Debug)]
pub struct Given<'a> {
    pub listed: Listed,
    pub name: &'a str,
    pub settings: &'a Table,
    /// By the path of their setting, in the order of a list, each with an id of its own.
    pub secrets: Vec<(&'a str, &'a str, &'a SecretString)>,
    /// Whether it may reach this machine and private networks.
    pub allow_private_addresses: bool,
}

/// What a path holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    Secret,
    Secrets,
    Other,
}

impl Listed {
    fn list(self) -> &'static str {
        match self {
            Self::Agents => "agents",
            Self::Sources => "sources",
        }
    }

    /// The list of secrets in which `path` names a place, such as `secrets[0]`.
    pub fn list_of(self, path: &str) -> Option<&str> {
        let (list, _) = path.strip_suffix(']')?.rsplit_once('[')?;
        // What stands in brackets before that may be any text.
        let is_list = !list.contains('[') && self.holds(list) == Some(Holds::Secrets);
        is_list.then_some(list)
    }

    /// What stands at `path`; absent where there is no such setting.
    pub fn holds(self, path: &str) -> Option<Holds> {
        let kind = Schema::new().kind(&format!("{}[].{path}", self.list()))?;
        Some(match kind {
            Kind::Secret => Holds::Secret,
            Kind::Secrets => Holds::Secrets,
            _ => Holds::Other,
        })
    }

    /// What is wrong with naming a setting that there is not.
    pub fn advice(self, path: &str) -> String {
        if let Some(list) = self.list_of(path) {
            return format!("names a place in a list: give the list itself, {list}");
        }
        let (at, name) = path.rsplit_once('.').unwrap_or(("", path));
        let at = format!("{}[].{at}", self.list());
        Schema::new().advice(at.trim_end_matches('.'), name)
    }
}

/// Reads an agent.
///
/// # Errors
///
/// Everything that is wrong, each with the path of its setting; of a secret with `secrets[PATH]`.
pub fn read_agent(given: &Given<'_>) -> Result<AgentConfig, Problems> {
    let mut config = read_given(given)?;
    Ok(config.agents.pop().unwrap_or_default())
}

/// Reads a source.
///
/// # Errors
///
/// As [`read_agent`].
pub fn read_source(given: &Given<'_>) -> Result<SourceConfig, Problems> {
    let mut config = read_given(given)?;
    Ok(config.sources.pop().unwrap_or_default())
}

fn read_given(given: &Given<'_>) -> Result<Config, Problems> {
    let (schema, mut problems) = (Schema::new(), Problems::default());
    let mut object = given.settings.clone();
    if object.contains_key("name") {
        problems.add("name", "is no setting here: the object itself has a name");
    }
    object.insert("name".to_owned(), Value::String(given.name.to_owned()));
    let list = given.listed.list();
    let listed = |object| Table::from_iter([(list.to_owned(), Value::Array(vec![object]))]);
    schema.find_unknown(&listed(Value::Table(object.clone())), &mut problems);
    let mut forbidden = Forbidden {
        schema: &schema,
        is_private_allowed: given.allow_private_addresses,
        problems: &mut problems,
    };
    forbidden.search(&Value::Table(object.clone()), &format!("{list}[0]"));
    for (path, id, _) in &given.secrets {
        if let Err(why) = put(&mut object, path, id, given.listed) {
            problems.add(format!("{list}[0].{path}"), why);
        }
    }
    let held: BTreeMap<_, _> = given
        .secrets
        .iter()
        .map(|(_, id, value)| ((*id).to_owned(), (*value).clone()))
        .collect();
    let settings = listed(Value::Table(object));
    let Read { config, .. } = secret::holding(held, || read(&settings, &mut problems));
    if problems.is_empty() {
        // The rest would report what is missing because it could not be read.
        problems.0.extend(super::check::check_bounds_of(&config).0);
    }
    let too_short = super::check_secrets(&config).err().unwrap_or_default();
    for problem in too_short.0 {
        if problems.0.iter().all(|known| known.key != problem.key) {
            problems.0.push(problem);
        }
    }
    for problem in &mut problems.0 {
        problem.key = shorter(given.listed, &problem.key);
    }
    problems.into_result()?;
    Ok(config)
}

/// `agents[0].send_timeout` as `send_timeout`, and that of a secret as `secrets[PATH]`.
fn shorter(listed: Listed, key: &str) -> String {
    let within = key
        .strip_prefix(listed.list())
        .and_then(|rest| rest.strip_prefix("[0]."))
        .unwrap_or(key);
    match listed.holds(without_place(within)) {
        Some(Holds::Secret | Holds::Secrets) => format!("secrets[{within}]"),
        _ => within.to_owned(),
    }
}

/// `secrets[0]` as `secrets`.
pub fn without_place(path: &str) -> &str {
    match path.rsplit_once('[') {
        Some((list, place))
            if place
                .strip_suffix(']')
                .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit())) =>
        {
            list
        }
        _ => path,
    }
}

/// Puts a reference to what is held in the place of a secret.
fn put(object: &mut Table, path: &str, id: &str, listed: Listed) -> Result<(), String> {
    let Some(holds) = listed.holds(path) else {
        return Err(listed.advice(path));
    };
    let mut steps: Vec<&str> = path.split('.').collect();
    let setting = steps.pop().unwrap_or_default();
    let mut table = object;
    for step in steps {
        let next = table.get_mut(step).and_then(Value::as_table_mut);
        table = next.ok_or_else(|| {
            format!(
                "there is no table {step} among the settings that it belongs to: set that first"
            )
        })?;
    }
    let held = Value::Table(Table::from_iter([(
        "held".to_owned(),
        Value::String(id.to_owned()),
    )]));
    match holds {
        Holds::Secret => {
            table.insert(setting.to_owned(), held);
        }
        Holds::Secrets => {
            let list = table
                .entry(setting)
                .or_insert_with(|| Value::Array(Vec::new()));
            list.as_array_mut()
                .ok_or_else(|| "is not a list".to_owned())?
                .push(held);
        }
        Holds::Other => return Err("holds no secret".to_owned()),
    }
    Ok(())
}

/// What an administrator may not set.
struct Forbidden<'a> {
    schema: &'a Schema,
    is_private_allowed: bool,
    problems: &'a mut Problems,
}

impl Forbidden<'_> {
    fn search(&mut self, value: &Value, key: &str) {
        if matches!(self.schema.kind(key), Some(Kind::Secret | Kind::Secrets)) {
            self.problems.add(
                key,
                "is a secret: give its value beside the settings, in `secrets`; the server's own files, environment and \
                 programs cannot be named here",
            );
            return;
        }
        if self.schema.kind(key) == Some(Kind::Path) {
            self.problems.add(
                key,
                "names a file of the server, which is no tenant's: leave it out, or have whoever runs the server declare \
                 this in the configuration",
            );
            return;
        }
        match value {
            Value::Table(table) => {
                for (name, value) in table {
                    self.search(value, &format!("{key}.{name}"));
                }
            }
            Value::Array(values) => {
                for (index, value) in values.iter().enumerate() {
                    self.search(value, &format!("{key}[{index}]"));
                }
            }
            Value::Boolean(true) if key.ends_with(PRIVATE) && !self.is_private_allowed => {
                self.problems.add(
                    key,
                    "cannot be set here: the server's own network is no tenant's; whoever runs the server can allow it, \
                     with admin.allow_private_addresses",
                );
            }
            Value::String(text) if !self.is_private_allowed && outgoing::is_private_place(text) => {
                self.problems.add(
                    key,
                    "leads to this machine or a private network, which is no tenant's; whoever runs the server can allow \
                     it, with admin.allow_private_addresses",
                );
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
