//! What can go wrong with a database, and what callers are told of it.

use std::borrow::Cow;

use sea_orm::{
    DbErr, RuntimeErr,
    sqlx::{self, error::DatabaseError, postgres::PgDatabaseError},
};

use super::patient::is_unanswered;
use crate::{domain::Error, keys::NotOpened, wire::Nonsense};

/// Why a statement did not do its work.
#[derive(Debug)]
pub(super) enum Fault {
    Database(DbErr),
    /// A row that this version cannot read. Names the column, never what stood in it.
    Nonsense(&'static str),
    /// What is sealed cannot be opened.
    Key(NotOpened),
}

/// Primary result codes of the library that are told apart.
mod code {
    pub(super) const ERROR: u32 = 1;
    pub(super) const BUSY: u32 = 5;
    pub(super) const CORRUPT: u32 = 11;
    pub(super) const FULL: u32 = 13;
    pub(super) const CONSTRAINT: u32 = 19;
    pub(super) const MISMATCH: u32 = 20;
    pub(super) const MISUSE: u32 = 21;
    pub(super) const RANGE: u32 = 25;
    pub(super) const NOT_A_DATABASE: u32 = 26;
}

impl Fault {
    /// Writes the details to the server's log; what comes back goes to callers.
    pub(super) fn report(&self) -> Error {
        let error = self.kind();
        match self {
            Self::Key(fault) => {
                tracing::error!(%fault, "what is sealed in the database cannot be read: put the key's line back");
            }
            Self::Nonsense(column) => tracing::error!(column, "a stored row makes no sense"),
            Self::Database(fault) if error == Error::Internal => {
                tracing::error!(%fault, "the database refused a statement");
            }
            Self::Database(fault) => tracing::warn!(%fault, "the database cannot do its work"),
        }
        error
    }

    /// After an error from COMMIT: it certainly changed nothing.
    pub(super) fn is_certain(&self) -> bool {
        match self.state() {
            // What a server answers to a commit is its last word, unless it is stopping, does not know, or somebody between
            // answers for it.
            Some(state) => {
                !state.starts_with(OPERATOR)
                    && !state.starts_with(CONNECTION)
                    && state != COMPLETION_UNKNOWN
            }
            // Both are raised before the commit's last frame is in the write-ahead log.
            None => matches!(self.code(), Some(code::FULL | code::BUSY)),
        }
    }

    /// The server has vanished without a word.
    pub(super) fn is_unanswered(&self) -> bool {
        matches!(self, Self::Database(fault) if is_unanswered(fault))
    }

    fn kind(&self) -> Error {
        if let Some(state) = self.state() {
            return of_state(&state);
        }
        match (self, self.code()) {
            (Self::Nonsense(_) | Self::Key(_), _) => Error::Internal,
            (_, Some(code::FULL)) => Error::StoreFull,
            (
                _,
                Some(
                    code::ERROR
                    | code::CORRUPT
                    | code::CONSTRAINT
                    | code::MISMATCH
                    | code::MISUSE
                    | code::RANGE
                    | code::NOT_A_DATABASE,
                ),
            )
            | (Self::Database(DbErr::Type(_)), _) => Error::Internal,
            (Self::Database(_), _) => Error::StoreUnavailable,
        }
    }

    /// The library's primary result code.
    fn code(&self) -> Option<u32> {
        let extended: u32 = self.database()?.code()?.parse().ok()?;
        // The primary code is the last byte of the extended one.
        Some(extended & 0xff)
    }

    /// `SQLSTATE`, as a server tells it.
    fn state(&self) -> Option<String> {
        let error = self.database()?;
        error.try_downcast_ref::<PgDatabaseError>()?;
        error.code().map(Cow::into_owned)
    }

    fn database(&self) -> Option<&dyn DatabaseError> {
        let Self::Database(
            DbErr::Exec(RuntimeErr::SqlxError(error))
            | DbErr::Query(RuntimeErr::SqlxError(error))
            | DbErr::Conn(RuntimeErr::SqlxError(error)),
        ) = self
        else {
            return None;
        };
        match error.as_ref() {
            sqlx::Error::Database(error) => Some(error.as_ref()),
            _ => None,
        }
    }
}

/// The class of what an operator does: shut down, cancel, refuse for now.
const OPERATOR: &str = "57";
/// The class of what goes wrong on the way.
const CONNECTION: &str = "08";
const COMPLETION_UNKNOWN: &str = "40003";

fn of_state(state: &str) -> Error {
    match (state, state.get(..2).unwrap_or_default()) {
        // Disk full, and out of memory for it.
        ("53100" | "53200", _) => Error::StoreFull,
        // Data, constraints, syntax and names: the statement is wrong, and would be again.
        (_, "22" | "23" | "42") => Error::Internal,
        _ => Error::StoreUnavailable,
    }
}

impl From<DbErr> for Fault {
    fn from(fault: DbErr) -> Self {
        Self::Database(fault)
    }
}

impl From<NotOpened> for Fault {
    fn from(fault: NotOpened) -> Self {
        Self::Key(fault)
    }
}

impl From<Nonsense> for Fault {
    fn from(Nonsense(what): Nonsense) -> Self {
        Self::Nonsense(what)
    }
}
