//! Between `google.protobuf.Struct` and JSON, and what all objects have in common.

use std::collections::{BTreeMap, HashMap};

use parloir_proto::v1;
use prost_types::{ListValue, Struct, value::Kind};
use secrecy::SecretString;
use serde_json::{Map, Value};

use crate::{
    admin::{Origin, SecretView},
    wire::time::timestamp,
};

/// Numbers above this are not whole in a double.
const LARGEST_WHOLE: f64 = 9_007_199_254_740_992.0;

pub(super) fn read_settings(settings: Option<Struct>) -> Map<String, Value> {
    let fields = settings.unwrap_or_default().fields;
    let each = fields.into_iter();
    each.map(|(name, value)| (name, read(value))).collect()
}

fn read(value: prost_types::Value) -> Value {
    match value.kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::BoolValue(flag)) => Value::Bool(flag),
        Some(Kind::NumberValue(number)) => read_number(number),
        Some(Kind::StringValue(text)) => Value::String(text),
        Some(Kind::ListValue(list)) => Value::Array(list.values.into_iter().map(read).collect()),
        Some(Kind::StructValue(inner)) => Value::Object(read_settings(Some(inner))),
    }
}

/// The contract knows doubles alone, and settings are whole numbers.
fn read_number(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() <= LARGEST_WHOLE {
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and fits")]
        return Value::from(number as i64);
    }
    Value::from(number)
}

pub(super) fn settings(settings: Map<String, Value>) -> Struct {
    let fields = settings.into_iter();
    Struct {
        fields: fields.map(|(name, one)| (name, value(one))).collect(),
    }
}

fn value(one: Value) -> prost_types::Value {
    let kind = match one {
        Value::Null => Kind::NullValue(0),
        Value::Bool(flag) => Kind::BoolValue(flag),
        Value::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or_default()),
        Value::String(text) => Kind::StringValue(text),
        Value::Array(values) => Kind::ListValue(ListValue {
            values: values.into_iter().map(value).collect(),
        }),
        Value::Object(inner) => Kind::StructValue(settings(inner)),
    };
    prost_types::Value { kind: Some(kind) }
}

pub(super) fn read_secrets(secrets: HashMap<String, String>) -> BTreeMap<String, SecretString> {
    let each = secrets.into_iter();
    each.map(|(path, value)| (path, value.into())).collect()
}

pub(super) fn secrets(secrets: &[SecretView]) -> Vec<v1::SecretInfo> {
    let each = secrets.iter().map(|secret| v1::SecretInfo {
        path: secret.path.clone(),
        create_time: secret.created_at.map(timestamp),
        expire_time: secret.expires_at.map(timestamp),
    });
    each.collect()
}

pub(super) fn origin(origin: Origin) -> i32 {
    match origin {
        Origin::Configuration => v1::Origin::Configuration,
        Origin::Admin => v1::Origin::Admin,
    }
    .into()
}

pub(super) fn paths(mask: Option<prost_types::FieldMask>) -> Vec<String> {
    mask.unwrap_or_default().paths
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_come_back_as_they_were_and_whole_numbers_stay_whole() {
        let Value::Object(given) = json!({
            "a": 3, "b": -1.5, "c": [true, "x", {"d": {}}], "e": null
        }) else {
            unreachable!("an object")
        };
        let there = settings(given.clone());
        assert_eq!(read_settings(Some(there)), given);
        assert!(read_number(1e300).as_i64().is_none());
    }
}
