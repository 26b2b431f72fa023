//! Settings as JSON, in which they are kept and travel, and as TOML, in which they are read; and masks that name some of
//! them.

use serde_json::{Map, Value};

/// Settings as they are read.
///
/// # Errors
///
/// The path of a value that no setting can have.
pub(super) fn to_toml(settings: &Map<String, Value>) -> Result<toml::Table, String> {
    let mut table = toml::Table::new();
    for (name, value) in settings {
        let value = toml_value(value).map_err(|inner| {
            if inner.is_empty() || inner.starts_with('[') {
                format!("{name}{inner}")
            } else {
                format!("{name}.{inner}")
            }
        })?;
        table.insert(name.clone(), value);
    }
    Ok(table)
}

fn toml_value(value: &Value) -> Result<toml::Value, String> {
    Ok(match value {
        Value::Null => return Err(String::new()),
        Value::Bool(flag) => toml::Value::Boolean(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => toml::Value::Integer(whole),
            None => toml::Value::Float(number.as_f64().ok_or_else(String::new)?),
        },
        Value::String(text) => toml::Value::String(text.clone()),
        Value::Array(values) => {
            let each = values.iter().enumerate().map(|(index, value)| {
                toml_value(value).map_err(|inner| {
                    let dot = if inner.is_empty() || inner.starts_with('[') {
                        ""
                    } else {
                        "."
                    };
                    format!("[{index}]{dot}{inner}")
                })
            });
            toml::Value::Array(each.collect::<Result<_, _>>()?)
        }
        Value::Object(inner) => toml::Value::Table(to_toml(inner)?),
    })
}

/// Settings as they travel.
pub(super) fn to_json(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text.clone()),
        toml::Value::Integer(whole) => Value::from(*whole),
        toml::Value::Float(number) => Value::from(*number),
        toml::Value::Boolean(flag) => Value::Bool(*flag),
        toml::Value::Datetime(time) => Value::String(time.to_string()),
        toml::Value::Array(values) => Value::Array(values.iter().map(to_json).collect()),
        toml::Value::Table(table) => Value::Object(
            table
                .iter()
                .map(|(name, value)| (name.clone(), to_json(value)))
                .collect(),
        ),
    }
}

/// As they are kept. What does not parse was tampered with, and has no settings.
pub(super) fn read(kept: &str) -> Map<String, Value> {
    serde_json::from_str(kept).unwrap_or_default()
}

/// Takes the setting at `path` over from `given`, or takes it away where `given` lacks it.
pub(super) fn take_over(settings: &mut Map<String, Value>, given: &Map<String, Value>, path: &str) {
    let value = find(given, path).cloned();
    let mut steps: Vec<&str> = path.split('.').collect();
    let last = steps.pop().unwrap_or_default();
    let mut table = settings;
    for step in steps {
        let next = table
            .entry(step)
            .or_insert_with(|| Value::Object(Map::new()));
        if !next.is_object() {
            *next = Value::Object(Map::new());
        }
        let Some(inner) = next.as_object_mut() else {
            return;
        };
        table = inner;
    }
    match value {
        Some(value) => table.insert(last.to_owned(), value),
        None => table.remove(last),
    };
}

/// Whether there is a table in which a setting with this path could stand.
pub(super) fn has_table_of(settings: &Map<String, Value>, path: &str) -> bool {
    match path.rsplit_once('.') {
        None => true,
        Some((table, _)) => find(settings, table).is_some_and(Value::is_object),
    }
}

fn find<'a>(settings: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let mut steps = path.split('.');
    let mut value = settings.get(steps.next()?)?;
    for step in steps {
        value = value.as_object()?.get(step)?;
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(map) => map,
            other => panic!("no object: {other}"),
        }
    }

    #[test]
    fn whole_numbers_stay_whole_and_null_is_named() {
        let table = to_toml(&map(json!({"a": 3, "b": {"c": ["x", 1.5]}}))).expect("settings");
        assert_eq!(table["a"].as_integer(), Some(3));
        assert_eq!(
            to_json(&toml::Value::Table(table)),
            json!({"a": 3, "b": {"c": ["x", 1.5]}})
        );
        for (given, path) in [
            (json!({"a": null}), "a"),
            (json!({"b": {"c": null}}), "b.c"),
            (json!({"b": [1, {"c": null}]}), "b[1].c"),
            (json!({"b": [[null]]}), "b[0][0]"),
        ] {
            assert_eq!(to_toml(&map(given)).expect_err("null"), path);
        }
    }

    #[test]
    fn a_mask_changes_what_it_names_and_nothing_else() {
        let mut settings = map(json!({"a": 1, "p": {"z": {"x": 1, "y": 2}}}));
        let given = map(json!({"a": 9, "p": {"z": {"x": 7}}, "q": {"r": 1}}));
        take_over(&mut settings, &given, "p.z.x");
        take_over(&mut settings, &given, "p.z.y");
        take_over(&mut settings, &given, "q.r");
        let expected = json!({"a": 1, "p": {"z": {"x": 7}}, "q": {"r": 1}});
        assert_eq!(Value::Object(settings), expected);
    }

    #[test]
    fn a_setting_has_a_table_while_its_parent_is_one() {
        let settings = map(json!({"p": {"z": {"webhook": "none"}}}));
        assert!(has_table_of(&settings, "p.z.api_key"));
        assert!(!has_table_of(&settings, "p.z.webhook.hmac.secrets"));
        assert!(!has_table_of(&settings, "p.z.webhook.secrets"));
    }
}
