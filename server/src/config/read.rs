//! Reads merged settings into their types, each key by itself, so that one wrong value does not hide the next.

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::{Config, problem::Problems};

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
    let config = Config {
        grpc: reader.section("grpc"),
        webhooks: reader.section("webhooks"),
        ops: reader.section("ops"),
        database: reader.section("database"),
        stream: reader.section("stream"),
        log: reader.section("log"),
        delivery: reader.section("delivery"),
        shutdown: reader.section("shutdown"),
        logging: reader.section("logging"),
        agents: reader.list("agents"),
        sources: reader.list("sources"),
        accounts: reader.list("accounts"),
    };
    Read {
        config,
        unread: reader.unread,
    }
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
            let alone = Table::from_iter([(name.clone(), value.clone())]);
            match Value::Table(alone).try_into::<T>() {
                Ok(_) => drop(readable.insert(name.clone(), value.clone())),
                Err(error) => self.leave(&format!("{key}.{name}"), error.message().trim()),
            }
        }
        Value::Table(readable).try_into().unwrap_or_default()
    }

    fn leave(&mut self, key: &str, why: &str) {
        self.unread.push(key.to_owned());
        // The search for unknown keys has reported these already, with the nearest name.
        if !why.starts_with("unknown field") {
            self.problems.add(key, why);
        }
    }
}
