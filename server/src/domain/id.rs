//! Names that callers and operators give to things.

use std::{fmt, sync::Arc};

use super::error::{Error, Result};

/// The longest id, in bytes. Long enough for two UUIDs and a prefix, short enough for an index key.
pub const MAX_ID_BYTES: usize = 256;

/// The organisation of everything whose name tells no other.
pub const TENANT: &str = "default";

/// An id from outside: 1 to 256 bytes of UTF-8 without control characters. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(Arc<str>);

impl Id {
    /// Reads an id at the door; `field` is the path that an error names.
    pub fn parse(field: &str, text: &str) -> Result<Self> {
        if text.is_empty() {
            return Err(Error::invalid(field, "must not be empty"));
        }
        if text.len() > MAX_ID_BYTES {
            return Err(Error::invalid(
                field,
                format!("must be at most {MAX_ID_BYTES} bytes long"),
            ));
        }
        if text.chars().any(char::is_control) {
            return Err(Error::invalid(field, "must not contain control characters"));
        }
        Ok(Self(text.into()))
    }

    /// An id that is known to be good: from our own store, configuration or generator.
    pub fn trusted(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// A fresh, time-ordered id (`UUIDv7`).
    pub fn generate() -> Self {
        Self(uuid::Uuid::now_v7().to_string().into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl std::borrow::Borrow<str> for Id {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// What names one conversation everywhere inside: its tenant, its account and the caller's id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConversationKey {
    pub tenant: Id,
    pub account: Id,
    pub id: Id,
}

impl fmt::Display for ConversationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account, self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_one_to_256_bytes_without_control_characters() {
        assert!(Id::parse("account", "a").is_ok());
        assert!(Id::parse("account", &"é".repeat(128)).is_ok());
        for bad in ["", "a\0b", "a\nb", &"a".repeat(257), &"é".repeat(129)] {
            let error = Id::parse("account", bad).expect_err("refused");
            assert!(error.to_string().contains("account"), "{error}");
        }
    }
}
