//! Settings on their way: TOML in files, `google.protobuf.Struct` in calls, JSON for programs.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use prost_types::{ListValue, Struct, Value as ProtoValue, value::Kind};
use serde_json::{Value as Json, json};
use toml::{Table, Value as Toml};

/// Above it a double, all that a Struct has for numbers, leaves whole numbers out.
const EXACT: i64 = 1 << 53;

/// A table as a Struct.
///
/// # Errors
///
/// A date, which settings never are; a number that would not arrive as it was written.
pub(super) fn to_struct(table: &Table) -> Result<Struct> {
    fields(table, "")
}

fn fields(table: &Table, at: &str) -> Result<Struct> {
    let field = |(name, value): (&String, &Toml)| {
        let path = join(at, name);
        Ok((name.clone(), to_value(value, &path)?))
    };
    let fields: Result<BTreeMap<_, _>> = table.iter().map(field).collect();
    Ok(Struct { fields: fields? })
}

fn to_value(value: &Toml, at: &str) -> Result<ProtoValue> {
    let kind = match value {
        Toml::String(text) => Kind::StringValue(text.clone()),
        Toml::Integer(number) => Kind::NumberValue(exact(*number, at)?),
        Toml::Float(number) => Kind::NumberValue(*number),
        Toml::Boolean(truth) => Kind::BoolValue(*truth),
        Toml::Datetime(_) => {
            bail!("{at} is a date: settings are texts, numbers and durations such as \"10s\"")
        }
        Toml::Array(values) => {
            let numbered = values.iter().enumerate();
            let values = numbered.map(|(index, value)| to_value(value, &format!("{at}[{index}]")));
            Kind::ListValue(ListValue {
                values: values.collect::<Result<_>>()?,
            })
        }
        Toml::Table(table) => Kind::StructValue(fields(table, at)?),
    };
    Ok(ProtoValue { kind: Some(kind) })
}

#[expect(clippy::cast_precision_loss, reason = "checked to lose none")]
fn exact(number: i64, at: &str) -> Result<f64> {
    if number.unsigned_abs() > EXACT.unsigned_abs() {
        bail!("{at} is larger than {EXACT}, the largest whole number that can be sent");
    }
    Ok(number as f64)
}

/// A Struct as a table. What TOML has no word for, null, is left out, as an unset setting is.
pub(super) fn to_table(settings: &Struct) -> Table {
    let fields = settings.fields.iter();
    fields
        .filter_map(|(name, value)| Some((name.clone(), to_toml(value)?)))
        .collect()
}

fn to_toml(value: &ProtoValue) -> Option<Toml> {
    Some(match value.kind.as_ref()? {
        Kind::NullValue(_) => return None,
        Kind::StringValue(text) => Toml::String(text.clone()),
        Kind::NumberValue(number) => whole(*number).map_or(Toml::Float(*number), Toml::Integer),
        Kind::BoolValue(truth) => Toml::Boolean(*truth),
        Kind::ListValue(list) => Toml::Array(list.values.iter().filter_map(to_toml).collect()),
        Kind::StructValue(fields) => Toml::Table(to_table(fields)),
    })
}

/// A Struct as JSON.
pub(super) fn to_json(settings: &Struct) -> Json {
    let fields = settings.fields.iter();
    fields
        .map(|(name, value)| (name.clone(), value_to_json(value)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn value_to_json(value: &ProtoValue) -> Json {
    match &value.kind {
        None | Some(Kind::NullValue(_)) => Json::Null,
        Some(Kind::StringValue(text)) => json!(text),
        Some(Kind::NumberValue(number)) => {
            whole(*number).map_or_else(|| json!(number), |whole| json!(whole))
        }
        Some(Kind::BoolValue(truth)) => json!(truth),
        Some(Kind::ListValue(list)) => list.values.iter().map(value_to_json).collect(),
        Some(Kind::StructValue(fields)) => to_json(fields),
    }
}

/// The whole number that a double stands for, if it is one and surely the one that was meant.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "within the range in which both are exact"
)]
fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() <= EXACT as f64).then_some(number as i64)
}

/// The path of a setting within another.
pub(super) fn join(at: &str, name: &str) -> String {
    if at.is_empty() {
        name.to_owned()
    } else {
        format!("{at}.{name}")
    }
}
