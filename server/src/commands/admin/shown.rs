//! An agent or a source with all its settings: as TOML that `--file` takes, with what cannot be set in remarks above.

use std::fmt::Write;

use parloir_proto::v1::SecretInfo;
use prost_types::{Struct, Timestamp};
use toml::Value;

use super::{structs::to_table, times};
use crate::commands::terminal;

/// The most that the server puts on one page: fewer calls for the same list.
pub(super) const PAGE: i32 = 500;

/// What is shown of one.
pub(super) struct Shown<'a> {
    /// What it is beside all that others are, too.
    pub(super) remarks: &'a [(&'a str, &'a str)],
    pub(super) name: &'a str,
    pub(super) etag: &'a str,
    pub(super) declared_by: &'a str,
    pub(super) changed: Option<&'a Timestamp>,
    pub(super) secrets: &'a [SecretInfo],
    pub(super) settings: Option<&'a Struct>,
}

/// The text of a file from which it could be made again, its secrets aside.
pub(super) fn whole(shown: &Shown<'_>) -> String {
    let mut text = String::new();
    let mut remark = |name: &str, value: &str| {
        // Writing to a string cannot fail. A line break would begin a setting.
        let _ = writeln!(text, "# {name}: {}", terminal::one_line(value));
    };
    remark("declared by", shown.declared_by);
    if shown.changed.is_some() {
        remark("changed", &times::shown(shown.changed, ""));
    }
    for (name, value) in shown.remarks {
        remark(name, value);
    }
    remark("etag", shown.etag);
    for secret in shown.secrets {
        remark("secret", &self::secret(secret));
    }
    let settings = shown.settings.map(to_table).unwrap_or_default();
    let name = Value::String(shown.name.to_owned());
    let _ = writeln!(text, "name = {name}");
    text.push_str(&toml::to_string(&settings).unwrap_or_default());
    text
}

/// That there is a secret, since when, and until when.
pub(super) fn secret(secret: &SecretInfo) -> String {
    let mut text = secret.path.clone();
    if let Some(given) = &secret.create_time {
        let _ = write!(text, ", given {}", terminal::second(given.seconds));
    }
    if let Some(ends) = &secret.expire_time {
        let _ = write!(text, ", counts until {}", terminal::second(ends.seconds));
    }
    text
}
