//! Which keys there are, and for one that there is not, the nearest that there is.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::{problem::Problems, reference::parts, section::Kind};

/// What kind of value the setting at a key such as `agents[0].name` takes; `None` where there is no such key.
pub fn setting_kind(key: &str) -> Option<Kind> {
    Schema::new().kind(key)
}

/// All keys, with `[]` where a list's number stands.
pub(super) struct Schema(BTreeMap<String, Kind>);

impl Schema {
    pub(super) fn new() -> Self {
        let mut keys = BTreeMap::new();
        for part in parts() {
            for (end, _) in part
                .at
                .match_indices(['.', '['])
                .chain([(part.at.len(), "")])
            {
                keys.entry(part.at[..end].to_owned()).or_insert(Kind::Table);
            }
            for (entry, _) in part.settings {
                let key = format!("{}.{}", part.at, entry.name);
                let places = match entry.kind {
                    Kind::Secret => vec![format!("{key}.env"), format!("{key}.file")],
                    Kind::MasterKey => ["env", "file", "command"]
                        .map(|place| format!("{key}.{place}"))
                        .to_vec(),
                    Kind::Secrets => vec![format!("{key}[].env"), format!("{key}[].file")],
                    _ => vec![],
                };
                keys.extend(places.into_iter().map(|place| (place, Kind::Text)));
                keys.insert(key, entry.kind);
            }
        }
        Self(keys)
    }

    /// The kind of a key such as `agents[0].name`; `None` where there is no such key.
    pub(super) fn kind(&self, key: &str) -> Option<Kind> {
        self.0.get(&pattern(key)).copied()
    }

    /// Reports every key that does not exist.
    pub(super) fn find_unknown(&self, settings: &Table, problems: &mut Problems) {
        self.search(settings, "", problems);
    }

    fn search(&self, table: &Table, at: &str, problems: &mut Problems) {
        for (name, value) in table {
            let key = if at.is_empty() {
                name.clone()
            } else {
                format!("{at}.{name}")
            };
            match self.kind(&key) {
                None => problems.add(key.clone(), self.advice(at, name)),
                Some(Kind::Map) => {}
                Some(_) => self.search_value(value, &key, problems),
            }
        }
    }

    fn search_value(&self, value: &Value, key: &str, problems: &mut Problems) {
        match value {
            Value::Table(table) => self.search(table, key, problems),
            Value::Array(values) => {
                for (index, value) in values.iter().enumerate() {
                    self.search_value(value, &format!("{key}[{index}]"), problems);
                }
            }
            _ => {}
        }
    }

    pub(super) fn advice(&self, at: &str, name: &str) -> String {
        let at = pattern(at);
        let sibling = |key: &str| {
            let rest = if at.is_empty() {
                key
            } else {
                key.strip_prefix(at.as_str())?.strip_prefix('.')?
            };
            (!rest.is_empty() && !rest.contains(['.', '['])).then(|| rest.to_owned())
        };
        let siblings: Vec<String> = self.0.keys().filter_map(|key| sibling(key)).collect();
        let nearest = siblings
            .iter()
            .map(|sibling| (strsim::jaro_winkler(sibling, name), sibling))
            .max_by(|one, other| one.0.total_cmp(&other.0));
        match nearest {
            Some((likeness, sibling)) if likeness > 0.7 => {
                format!("is unknown; did you mean {sibling}?")
            }
            _ => format!("is unknown; there is {}", siblings.join(", ")),
        }
    }
}

/// `agents[0].name` as `agents[].name`.
fn pattern(key: &str) -> String {
    let mut inside = false;
    key.chars()
        .filter(|c| {
            inside = (inside || *c == '[') && *c != ']';
            !inside || *c == '['
        })
        .collect()
}
