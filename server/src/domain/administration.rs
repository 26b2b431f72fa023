//! What administrators make and do: the objects that are kept in the database, the keys of callers, and the record of
//! every act.

use async_trait::async_trait;
use secrecy::SecretString;

use super::{error::Result, id::Id, time::Timestamp};

/// What kind of object it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceKind {
    Agent,
    Account,
    Source,
    Caller,
}

impl ResourceKind {
    pub const ALL: [Self; 4] = [Self::Agent, Self::Account, Self::Source, Self::Caller];

    /// As it stands in the database and in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Account => "account",
            Self::Source => "source",
            Self::Caller => "caller",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What an act is done to, for example `agents/support`.
    pub fn target(self, name: &str) -> String {
        format!("{}s/{name}", self.name())
    }
}

/// What names one object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceKey {
    pub tenant: Id,
    pub kind: ResourceKind,
    pub name: Id,
}

/// One object as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    pub key: ResourceKey,
    /// Grows with every change.
    pub revision: u64,
    /// JSON, without secrets.
    pub settings: String,
    /// An agent that is paused, a caller that is disabled.
    pub off: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// One secret of an object.
#[derive(Debug, Clone)]
pub struct StoredSecret {
    pub id: Id,
    pub owner: ResourceKey,
    /// The setting that holds it, for example `platform.zendesk.api_key`; of a list without a place.
    pub path: String,
    pub value: SecretString,
    pub created_at: Timestamp,
    /// When it stops to count; absent: it goes on.
    pub expires_at: Option<Timestamp>,
}

/// A key of a caller as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerKey {
    pub id: Id,
    pub tenant: Id,
    pub caller: Id,
    /// A keyed hash of the key's text.
    pub digest: Vec<u8>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
}

/// An act to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    pub tenant: Id,
    pub caller: Id,
    pub credential: Id,
    /// The call, for example `CreateAgent`.
    pub action: String,
    /// For example `agents/support`.
    pub target: String,
    /// JSON, without secrets.
    pub detail: String,
    /// Why it was refused; absent: it was done.
    pub refused: Option<&'static str>,
}

/// An act as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    pub tenant: Id,
    /// In the tenant's log, from 1, without holes.
    pub number: u64,
    pub at: Timestamp,
    pub caller: String,
    pub credential: String,
    pub action: String,
    pub target: String,
    pub detail: String,
    /// Why it was refused; empty: it was done.
    pub reason: String,
    /// The keyed hash of the entry before; empty for the first.
    pub previous: Vec<u8>,
    /// The keyed hash of all of the above.
    pub hash: Vec<u8>,
}

/// Which entries to read, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditQuery {
    pub tenant: String,
    pub from: Option<Timestamp>,
    pub before: Option<Timestamp>,
    /// Empty: all.
    pub target: String,
    pub caller: String,
    pub action: String,
    /// Whether it was refused; absent: all.
    pub refused: Option<bool>,
    /// Only entries below this number.
    pub below: Option<u64>,
    pub limit: usize,
}

/// Whether a tenant's audit log is as it was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditCheck {
    pub entries: u64,
    /// The number of the first entry that is changed or missing.
    pub first_broken: Option<u64>,
    pub newest_hash: Vec<u8>,
}

/// Everything that administrators have made, of all tenants.
#[derive(Debug, Clone, Default)]
pub struct Administered {
    pub resources: Vec<Resource>,
    pub secrets: Vec<StoredSecret>,
    pub keys: Vec<CallerKey>,
}

/// One row to be written or removed.
#[derive(Debug, Clone)]
pub enum Change {
    /// `expected` is the revision that must still be there, 0 for none.
    Save {
        resource: Resource,
        expected: u64,
    },
    /// With its secrets and keys.
    Delete {
        key: ResourceKey,
        expected: u64,
    },
    SaveSecret(StoredSecret),
    DeleteSecret(Id),
    SaveKey(CallerKey),
    /// The latest use of a key, if that is later than what is known.
    KeyUsed {
        id: Id,
        at: Timestamp,
    },
}

/// What a unit of work can do of it.
#[async_trait]
pub trait AdministrationWrite: Send {
    /// False, and nothing is written: the object is not at the revision that was expected.
    async fn change(&mut self, change: &Change) -> Result<bool>;
    /// Adds to the tenant's record of acts. Nothing can change it afterwards.
    async fn record_act(&mut self, record: &AuditRecord) -> Result<AuditEntry>;
}

/// What can be read of it.
#[async_trait]
pub trait AdministrationRead: Send + Sync + std::fmt::Debug {
    async fn administered(&self) -> Result<Administered>;
    /// Whether a key of a caller was ever made, also if it is gone.
    async fn had_keys(&self) -> Result<bool>;
    /// A number that changes with every act of any tenant, at whichever replica.
    async fn newest_act(&self) -> Result<u64>;
    async fn acts(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>>;
    /// Reads the whole record of a tenant's acts, page by page.
    async fn verify_acts(&self, tenant: &Id) -> Result<AuditCheck>;
}

/// Why an act of an administrator is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActRefused {
    #[error("{kind} {name:?} is declared in the server's configuration: change it there", kind = kind.name())]
    DeclaredInConfiguration { kind: ResourceKind, name: String },
    #[error("{what} is used by {by}: take it out there first")]
    InUse { what: String, by: String },
    #[error("there is {kind} {name:?} already: choose another name", kind = kind.name())]
    NameTaken { kind: ResourceKind, name: String },
    #[error("{what} was changed since it was read: read it again and decide anew")]
    EtagMismatch { what: String },
    #[error(
        "the first caller, and the first with a key or a certificate, must have the scope admin: from then on nobody gets in without credentials"
    )]
    FirstCallerNotAdmin,
    #[error(
        "nobody of the tenant could administrate it any more: give another caller the scope admin, and a key, first"
    )]
    LastAdmin,
    #[error("the caller has admin.max_keys = {limit} keys that count: revoke one first")]
    TooManyKeys { limit: usize },
    #[error("the tenant has admin.max_objects = {limit} {kind}s", kind = kind.name())]
    TooManyObjects { kind: ResourceKind, limit: usize },
}

impl ActRefused {
    /// The stable word by which programs tell them apart.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::DeclaredInConfiguration { .. } => "DECLARED_IN_CONFIGURATION",
            Self::InUse { .. } => "IN_USE",
            Self::NameTaken { .. } => "NAME_TAKEN",
            Self::EtagMismatch { .. } => "ETAG_MISMATCH",
            Self::FirstCallerNotAdmin => "FIRST_CALLER_NOT_ADMIN",
            Self::LastAdmin => "LAST_ADMIN",
            Self::TooManyKeys { .. } => "TOO_MANY_KEYS",
            Self::TooManyObjects { .. } => "TOO_MANY_OBJECTS",
        }
    }

    /// The field or setting that it is about.
    pub fn setting(&self) -> &'static str {
        match self {
            Self::EtagMismatch { .. } => "etag",
            Self::FirstCallerNotAdmin => "caller.scopes",
            Self::TooManyKeys { .. } => "admin.max_keys",
            Self::TooManyObjects { .. } => "admin.max_objects",
            Self::DeclaredInConfiguration { .. }
            | Self::InUse { .. }
            | Self::NameTaken { .. }
            | Self::LastAdmin => "",
        }
    }
}
