//! Objects as they are shown: the declared ones and those of administrators alike.

use serde_json::{Map, Value};

use crate::{
    access::OwnLimits,
    domain::{
        Scopes, Timestamp,
        administration::{CallerKey, Resource},
    },
};

/// Who declares an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    Configuration,
    Admin,
}

/// What all objects have.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    pub origin: Origin,
    /// Empty for what is declared.
    pub etag: String,
    pub created_at: Option<Timestamp>,
    pub updated_at: Option<Timestamp>,
}

impl Standing {
    pub(super) const DECLARED: Self = Self {
        origin: Origin::Configuration,
        etag: String::new(),
        created_at: None,
        updated_at: None,
    };

    pub(super) fn of(resource: &Resource) -> Self {
        Self {
            origin: Origin::Admin,
            etag: etag(resource),
            created_at: Some(resource.created_at),
            updated_at: Some(resource.updated_at),
        }
    }
}

/// An agent or a source.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectView {
    pub name: String,
    /// The platform's or the system's name.
    pub built_on: String,
    pub settings: Map<String, Value>,
    pub secrets: Vec<SecretView>,
    pub paused: bool,
    pub standing: Standing,
}

/// That there is a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretView {
    pub path: String,
    pub created_at: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
}

/// An account.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountView {
    pub name: String,
    pub agent: String,
    pub source: String,
    pub upstream_prefix: String,
    pub standing: Standing,
}

/// A caller.
#[derive(Debug, Clone, PartialEq)]
pub struct CallerView {
    pub name: String,
    pub scopes: Scopes,
    pub certificates: Vec<String>,
    pub disabled: bool,
    pub limits: OwnLimits,
    pub keys: Vec<KeyView>,
    pub standing: Standing,
}

/// A key of a caller; its digest is nobody's business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyView {
    pub id: String,
    pub caller: String,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

impl KeyView {
    pub(super) fn of(key: &CallerKey) -> Self {
        Self {
            id: key.id.to_string(),
            caller: key.caller.to_string(),
            created_at: key.created_at,
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
            revoked_at: key.revoked_at,
        }
    }
}

/// Differs also between two objects of one name, of which the first was deleted.
pub(super) fn etag(resource: &Resource) -> String {
    format!("{}-{:x}", resource.revision, resource.updated_at.0)
}
