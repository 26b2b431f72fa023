//! `--limit NAME=NUMBER`: what one caller may ask of the server.

use std::str::FromStr;

use clap::Args;
use parloir_proto::v1::CallerLimits;

#[derive(Debug, Args)]
pub(super) struct LimitOptions {
    /// What it may ask of the server in place of the server's own limit: `calls_per_second`, `call_burst`,
    /// `calls_in_flight`, `streams` or `message_bytes`. 0 is without a limit; `default` takes it back to
    /// the server's. May be repeated.
    #[arg(long = "limit", value_name = "NAME=NUMBER")]
    limits: Vec<Limit>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Limit {
    name: &'static str,
    /// Absent: the server's.
    value: Option<u32>,
}

impl LimitOptions {
    /// Those that are given, one by one, as the mask of an update names them.
    pub fn paths(&self) -> impl Iterator<Item = String> {
        self.limits
            .iter()
            .map(|limit| format!("limits.{}", limit.name))
    }

    pub fn given(&self) -> Option<CallerLimits> {
        let mut given = CallerLimits::default();
        for limit in &self.limits {
            if let Some((_, place)) = places(&mut given)
                .into_iter()
                .find(|(name, _)| *name == limit.name)
            {
                *place = limit.value;
            }
        }
        (!self.limits.is_empty()).then_some(given)
    }
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut limits = CallerLimits::default();
        let names = places(&mut limits).map(|(name, _)| name);
        let (given, value) = text.split_once('=').unwrap_or((text, ""));
        let Some(name) = names.iter().find(|name| **name == given) else {
            return Err(format!("there are the limits {}", names.join(", ")));
        };
        let value = match value {
            "default" => None,
            number => Some(
                number
                    .parse()
                    .map_err(|_| format!("{name}= needs a whole number, or `default`"))?,
            ),
        };
        Ok(Self { name, value })
    }
}

/// Those of a caller that are its own, in words; empty for none.
pub(super) fn shown(limits: &CallerLimits) -> String {
    let mut limits = *limits;
    let own = places(&mut limits).into_iter();
    let own = own.filter_map(|(name, value)| Some(format!("\n  limit {name} {}", (*value)?)));
    own.collect()
}

fn places(limits: &mut CallerLimits) -> [(&'static str, &mut Option<u32>); 5] {
    let CallerLimits {
        calls_per_second,
        call_burst,
        calls_in_flight,
        streams,
        message_bytes,
    } = limits;
    [
        ("calls_per_second", calls_per_second),
        ("call_burst", call_burst),
        ("calls_in_flight", calls_in_flight),
        ("streams", streams),
        ("message_bytes", message_bytes),
    ]
}
