//! What is known of callers and their keys, wherever it is kept.

use super::{
    key::{Digest, KeyId},
    own_limits::OwnLimits,
};
use crate::domain::{Id, Scopes, Timestamp};

/// Somebody who calls: a backend, a tool, an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerRecord {
    /// What it belongs to; it sees nothing of any other tenant.
    pub tenant: Id,
    /// Unique within its tenant.
    pub name: Id,
    pub scopes: Scopes,
    /// What a client certificate must be made out to: one of its SAN URIs or DNS names, exactly.
    pub certificates: Vec<String>,
    /// None of its credentials counts.
    pub disabled: bool,
    pub limits: OwnLimits,
}

/// One key of a caller. Several may count at a time, so that a change of keys overlaps.
#[derive(Debug, Clone)]
pub struct KeyRecord {
    pub id: KeyId,
    pub digest: Digest,
    pub tenant: Id,
    /// The caller's name.
    pub caller: Id,
    /// Absent: it does not expire.
    pub expires_at: Option<Timestamp>,
    pub revoked: bool,
}
