//! Bad input of every call is refused with the paths of all fields that are wrong, and good input is read as it was
//! meant.

mod agents;
mod pages;
mod visitors;

use std::fmt::Debug;

use parloir_proto::v1;

use crate::domain::{Error, Result};

/// The fields that a refusal names.
pub(super) fn wrong<T: Debug>(result: Result<T>) -> Vec<String> {
    match result {
        Err(Error::Invalid(violations)) => violations.into_iter().map(|v| v.field).collect(),
        other => panic!("not refused for its fields: {other:?}"),
    }
}

pub(super) fn parameter(key: &str, value: &str) -> v1::Parameter {
    v1::Parameter {
        key: key.into(),
        value: value.into(),
        personal: false,
    }
}
