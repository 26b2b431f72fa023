//! Reads merged settings into their types, each key by itself, so that one wrong value does not hide the next.

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::{Config, problem::Problems};
use crate::{agents::PlatformConfig, sources::SystemConfig};

/// What could be read, and the keys of what could not: those have their defaults.
pub(super) struct Read {
    pub(super) config: Config,
    pub(super) unread: Vec<String>,
}

/// Reads everything, and reports each value that is not of its kind.
pub(super) fn read(settings: &Table, problems: &mut Problems) -> Read {
    let mut reader = Reader {
        settings,
        problems,
        unread: Vec::new(),
    };
    reader.is_named("agents", "platform", PlatformConfig::KINDS);
    reader.is_named("sources", "system", SystemConfig::KINDS);
    let config = Config {
        grpc: reader.section("grpc"),
        webhooks: reader.section("webhooks"),
        ops: reader.section("ops"),
        database: reader.section("database"),
        nats: reader.section("nats"),
        encryption: reader.section("encryption"),
        stream: reader.section("stream"),
        subscriptions: reader.section("subscriptions"),
        log: reader.section("log"),
        delivery: reader.section("delivery"),
        erasure: reader.section("erasure"),
        admin: reader.section("admin"),
        shutdown: reader.section("shutdown"),
        logging: reader.section("logging"),
        limits: reader.section("limits"),
        tenants: reader.list("tenants"),
        callers: reader.list("callers"),
        agents: reader.list("agents"),
        sources: reader.list("sources"),
        accounts: reader.list("accounts"),
        sinks: reader.list("sinks"),
    };
    Read {
        config,
        unread: reader.unread,
    }
}

/// How the reader of TOML says that not exactly one kind is named.
const NOT_ONE: &str = "wanted exactly 1 element";

/// Whether there is a table of settings, or of kinds, where an empty one was put: its parts can be read one by one.
fn holds_settings<T>(empty: Result<T, toml::de::Error>) -> bool {
    empty
        .err()
        .is_none_or(|error| error.message().trim().starts_with(NOT_ONE))
}

/// `invalid type: string "...", expected a list` without what stands in the quotes: it may be a secret that was written
/// where the name of its place belongs.
pub(super) fn without_value(why: &str) -> String {
    let told = ["invalid type: ", "invalid value: "]
        .into_iter()
        .find_map(|start| Some((start, why.strip_prefix(start)?)));
    let (Some((start, value)), Some(expected)) = (told, why.rfind(", expected ")) else {
        return why.to_owned();
    };
    let kind = value.split(['"', '`', ',']).next().unwrap_or_default();
    format!("{start}{}{}", kind.trim(), &why[expected..])
}

struct Reader<'a> {
    settings: &'a Table,
    problems: &'a mut Problems,
    unread: Vec<String>,
}

impl Reader<'_> {
    fn section<T: DeserializeOwned + Default>(&mut self, name: &str) -> T {
        let value = self.settings.get(name);
        value
            .map(|value| self.item(value, name))
            .unwrap_or_default()
    }

    fn list<T: DeserializeOwned + Default>(&mut self, name: &str) -> Vec<T> {
        match self.settings.get(name) {
            None => Vec::new(),
            Some(Value::Array(values)) => {
                let numbered = values.iter().enumerate();
                numbered
                    .map(|(index, value)| self.item(value, &format!("{name}[{index}]")))
                    .collect()
            }
            Some(_) => {
                self.leave(name, &format!("is a list: write [[{name}]]"));
                Vec::new()
            }
        }
    }

    fn item<T: DeserializeOwned + Default>(&mut self, value: &Value, key: &str) -> T {
        let Value::Table(table) = value else {
            self.leave(key, "is a table of settings");
            return T::default();
        };
        let mut readable = Table::new();
        for (name, value) in table {
            let within = |value| Value::Table(Table::from_iter([(name.clone(), value)]));
            if let Some(value) = self.readable::<T>(value, &format!("{key}.{name}"), &within) {
                readable.insert(name.clone(), value);
            }
        }
        Value::Table(readable).try_into().unwrap_or_default()
    }

    /// What can be read of the value at `key`, if anything. `within` puts it where it stands in a `T`.
    fn readable<T: DeserializeOwned>(
        &mut self,
        value: &Value,
        key: &str,
        within: &dyn Fn(Value) -> Value,
    ) -> Option<Value> {
        let Err(error) = within(value.clone()).try_into::<T>() else {
            return Some(value.clone());
        };
        let known = self.unread.len();
        if let Value::Table(table) = value
            && holds_settings(within(Value::Table(Table::new())).try_into::<T>())
        {
            let mut readable = Table::new();
            for (name, value) in table {
                let deeper =
                    |value| within(Value::Table(Table::from_iter([(name.clone(), value)])));
                if let Some(value) = self.readable::<T>(value, &format!("{key}.{name}"), &deeper) {
                    readable.insert(name.clone(), value);
                }
            }
            let rest = Value::Table(readable);
            if self.unread.len() > known {
                let is_readable = within(rest.clone()).try_into::<T>().is_ok();
                if !is_readable {
                    self.unread.push(key.to_owned());
                }
                return is_readable.then_some(rest);
            }
        }
        match error.message().trim() {
            // A table of an unknown kind is an unknown key, too.
            why if value.is_table() && why.starts_with("unknown variant") => {
                self.unread.push(key.to_owned());
            }
            why => self.leave(key, &without_value(why)),
        }
        None
    }

    /// Each table of the list names one kind with `key`: there is none to fall back on.
    fn is_named(&mut self, list: &str, key: &str, kinds: &[&str]) {
        let Some(Value::Array(values)) = self.settings.get(list) else {
            return;
        };
        let tables: Vec<_> = kinds
            .iter()
            .map(|kind| format!("[{list}.{key}.{kind}]"))
            .collect();
        for (index, value) in values.iter().enumerate() {
            let named = match value.get(key) {
                None => 0,
                Some(Value::Table(named)) => named.len(),
                Some(_) => continue,
            };
            let why = match named {
                1 => continue,
                0 => "is missing",
                _ => "names more than one",
            };
            let why = format!("{why}: write one table of {}", tables.join(", "));
            self.leave(&format!("{list}[{index}].{key}"), &why);
        }
    }

    fn leave(&mut self, key: &str, why: &str) {
        if self.unread.iter().any(|unread| unread == key) {
            return;
        }
        self.unread.push(key.to_owned());
        // The search for unknown keys has reported these already, with the nearest name.
        if why.starts_with("unknown field") {
            return;
        }
        let why = if why.ends_with("expected a duration") {
            "is no duration: write a number with its unit, such as \"5s\""
        } else {
            why
        };
        self.problems.add(key, why);
    }
}
