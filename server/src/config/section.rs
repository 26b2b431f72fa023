//! The form of a section: one macro turns a list of settings into the type that the code uses, its defaults, the
//! check of its bounds and its part of the configuration reference, so that none of them can disagree.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

use super::problem::Problems;
use crate::secret::Secret;

/// Declares one section: `name: Type = default, "lowest" to "highest";`. Without a default the key is required.
macro_rules! section {
    (
        $(#[doc = $about:literal])*
        $name:ident {
            $(
                $(#[doc = $doc:literal])*
                $(#[serde($($serde:tt)*)])?
                $field:ident: $ty:ty $(= $default:expr)? $(, $low:literal to $high:literal)?;
            )*
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $( $(#[doc = $doc])* $(#[serde($($serde)*)])? pub $field: $ty, )*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $( $field: $crate::config::section::first!($($default,)? Default::default()), )* }
            }
        }

        impl $crate::config::section::Section for $name {
            fn entries() -> Vec<$crate::config::section::Entry> {
                vec![$( $crate::config::section::Entry {
                    name: stringify!($field),
                    text: concat!($($doc, "\n"),*),
                    kind: <$ty as $crate::config::section::Setting>::KIND,
                    required: $crate::config::section::first!($({ let _ = stringify!($default); false },)? true),
                    bounds: $crate::config::section::first!($(Some(($low, $high)),)? None),
                }, )*]
            }

            fn check(&self, at: &str, problems: &mut $crate::config::problem::Problems) {
                let mut entries = Self::entries().into_iter();
                $( if let Some(entry) = entries.next() {
                    entry.check(&self.$field, at, problems);
                } )*
            }
        }
    };
}

/// The first of several expressions: a default that may be left out.
macro_rules! first {
    ($first:expr $(, $rest:expr)* $(,)?) => {
        $first
    };
}

pub(crate) use {first, section};

/// A list of settings under one heading.
pub trait Section: Default + serde::Serialize {
    /// What the reference says of each setting, in the order of declaration.
    fn entries() -> Vec<Entry>;

    /// Reports what is missing or out of bounds. `at` is the section's own key, for example `agents[0]`.
    fn check(&self, at: &str, problems: &mut Problems);
}

/// What is known of one setting beside its value.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The key within its section.
    pub name: &'static str,
    /// The doc comment.
    pub text: &'static str,
    /// What kind of value it takes.
    pub kind: Kind,
    /// There is no default.
    pub required: bool,
    /// Lowest and highest value.
    pub bounds: Option<(&'static str, &'static str)>,
}

impl Entry {
    pub(crate) fn check<T: Setting>(&self, value: &T, at: &str, problems: &mut Problems) {
        let key = format!("{at}.{}", self.name);
        if self.required && value.is_missing() {
            problems.add(key, "is missing, and there is no default");
        } else if let Some((low, high)) = self
            .bounds
            .filter(|(low, high)| !value.is_within(low, high))
        {
            problems.add(key, format!("must be between {low} and {high}"));
        }
    }
}

/// What kind of value a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A list of texts.
    Texts,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// A length of time with its unit, for example `"1m 30s"`.
    Duration,
    /// IP address and port.
    Address,
    /// A file of the machine that the server runs on.
    Path,
    /// A reference to a secret.
    Secret,
    /// A list of references to secrets.
    Secrets,
    /// Where the master keys stand.
    MasterKey,
    /// One of a few words.
    Choice(&'static [&'static str]),
    /// A table of its own, described under its own keys.
    Table,
    /// A list of tables, described under their own keys.
    List,
    /// A table whose keys are free.
    Map,
}

/// A type that a setting may have.
pub trait Setting {
    /// How the reference calls it, and how text from the environment is read.
    const KIND: Kind;

    /// Whether the value lies within bounds written as in a configuration file.
    fn is_within(&self, _low: &str, _high: &str) -> bool {
        true
    }

    /// Whether the value is what a missing key leaves.
    fn is_missing(&self) -> bool {
        false
    }
}

macro_rules! integers {
    ($($ty:ty),*) => {$(
        impl Setting for $ty {
            const KIND: Kind = Kind::Integer;

            fn is_within(&self, low: &str, high: &str) -> bool {
                low.parse().is_ok_and(|low: Self| *self >= low) && high.parse().is_ok_and(|high: Self| *self <= high)
            }
        }
    )*};
}

integers!(u32, u64, usize);

impl Setting for Duration {
    const KIND: Kind = Kind::Duration;

    fn is_within(&self, low: &str, high: &str) -> bool {
        let bound = humantime::parse_duration;
        bound(low).is_ok_and(|low| *self >= low) && bound(high).is_ok_and(|high| *self <= high)
    }
}

impl Setting for String {
    const KIND: Kind = Kind::Text;

    fn is_missing(&self) -> bool {
        self.is_empty()
    }
}

impl Setting for Vec<String> {
    const KIND: Kind = Kind::Texts;

    fn is_missing(&self) -> bool {
        self.is_empty()
    }
}

impl Setting for Secret {
    const KIND: Kind = Kind::Secret;

    fn is_missing(&self) -> bool {
        !self.is_configured()
    }
}

impl<T: Setting> Setting for Option<T> {
    const KIND: Kind = T::KIND;

    fn is_within(&self, low: &str, high: &str) -> bool {
        self.as_ref().is_none_or(|value| value.is_within(low, high))
    }

    fn is_missing(&self) -> bool {
        self.is_none()
    }
}

impl Setting for Vec<Secret> {
    const KIND: Kind = Kind::Secrets;

    fn is_missing(&self) -> bool {
        !self.iter().any(Secret::is_configured)
    }
}

impl Setting for bool {
    const KIND: Kind = Kind::Boolean;
}

impl Setting for SocketAddr {
    const KIND: Kind = Kind::Address;
}

impl Setting for PathBuf {
    // A kind of its own: administrators of a tenant may name texts, but none of the server's files.
    const KIND: Kind = Kind::Path;
}

impl Setting for BTreeMap<String, String> {
    const KIND: Kind = Kind::Map;
}

/// The reference of one section: what is known of its settings, with their defaults.
#[derive(Debug, Clone)]
pub struct Part {
    /// The section's key, for example `agents[].platform.zendesk`.
    pub at: String,
    /// Its settings with their defaults as in a configuration file; `None` is unset.
    pub settings: Vec<(Entry, Option<toml::Value>)>,
}

impl Part {
    /// The reference of `S`, standing at `at`.
    pub fn of<S: Section>(at: impl Into<String>) -> Self {
        let defaults = toml::Table::try_from(S::default()).unwrap_or_default();
        let with_default = |entry: Entry| {
            (
                entry,
                defaults
                    .get(entry.name)
                    .cloned()
                    .filter(|_| !entry.required),
            )
        };
        Self {
            at: at.into(),
            settings: S::entries().into_iter().map(with_default).collect(),
        }
    }
}
