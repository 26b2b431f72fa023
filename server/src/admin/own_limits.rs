//! Limits of one caller, as an administrator gives them.

use serde_json::{Map, Value};

use crate::{
    access::OwnLimits,
    domain::{Error, Result, Violation},
};

/// The most calls and streams that a limit may be set to, as in the configuration.
const MOST: u32 = 1_000_000;
/// The largest request that may be allowed, as in the configuration.
const MOST_BYTES: u32 = 16 * 1024 * 1024;
/// The smallest: an administrator can always send what undoes it.
const LEAST_BYTES: u32 = 1024;

/// Everything that is wrong with them.
pub(super) fn check(limits: OwnLimits) -> Result<()> {
    let wrong = limits.each().into_iter().filter_map(|(name, limit)| {
        let limit = limit?;
        let (is_right, description) = if name == "message_bytes" {
            let is_right = limit == 0 || (LEAST_BYTES..=MOST_BYTES).contains(&limit);
            (
                is_right,
                format!("must be 0 or {LEAST_BYTES} to {MOST_BYTES}"),
            )
        } else {
            (limit <= MOST, format!("must be 0 to {MOST}"))
        };
        let field = format!("caller.limits.{name}");
        (!is_right).then_some(Violation { field, description })
    });
    let wrong: Vec<_> = wrong.collect();
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Error::Invalid(wrong))
}

/// Changes what `path` of a mask names: all of them, or one. Whether it names any.
pub(super) fn masked(changed: &mut OwnLimits, mut wanted: OwnLimits, path: &str) -> bool {
    if path == "limits" {
        *changed = wanted;
        return true;
    }
    let Some(name) = path.strip_prefix("limits.") else {
        return false;
    };
    match (changed.named(name), wanted.named(name)) {
        (Some(changed), Some(wanted)) => {
            *changed = *wanted;
            true
        }
        _ => false,
    }
}

pub(super) fn is_path(path: &str) -> bool {
    masked(&mut OwnLimits::default(), OwnLimits::default(), path)
}

/// As they are kept: those that are given.
pub(super) fn kept_form(limits: OwnLimits) -> Map<String, Value> {
    let each = limits.each().into_iter();
    let given = each.filter_map(|(name, limit)| Some((name.to_owned(), limit?.into())));
    given.collect()
}

/// As they were kept.
pub(super) fn read(settings: &Map<String, Value>) -> OwnLimits {
    let mut limits = OwnLimits::default();
    let kept = settings.get("limits").and_then(Value::as_object);
    for (name, value) in kept.into_iter().flatten() {
        if let Some(limit) = limits.named(name) {
            *limit = value.as_u64().and_then(|value| u32::try_from(value).ok());
        }
    }
    limits
}
