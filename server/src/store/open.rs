//! Opening a database: lock it, check the library, bring the schema up to date.

use std::{
    fs::OpenOptions,
    io,
    path::{Path, PathBuf},
};

use parloir_migrations::{Migration, Migrator, MigratorTrait};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr, Statement,
    TransactionTrait,
};

use crate::keys::{KeySourceError, NotOpened};

use super::{
    connect::{Location, StoreSettings},
    fault::Fault,
    lock::Lock,
};

/// The first release without the fault by which several connections could damage a write-ahead log.
const OLDEST_LIBRARY: [u32; 3] = [3, 51, 3];

/// Taken by whoever brings a `PostgreSQL` database up to date. The number is this server's own; nobody else need know it.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_xact_lock(8097104117108)";

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(
        "database.url = {url:?}: must be sqlite: and the path of a file, for example sqlite:/var/lib/parloir.db, or the \
         URL of a PostgreSQL database, postgres://user@host/database"
    )]
    Url { url: String },
    #[error(
        "database.url is no URL of a PostgreSQL database: it must read postgres://user@host:5432/database?sslmode=verify-full"
    )]
    ServerUrl,
    #[error(
        "encryption.master_key must be set with PostgreSQL: every replica needs the same keys, so no file is made beside \
         a database that is elsewhere; `parloir new-master-key` draws one"
    )]
    NoMasterKey,
    #[error("the database at {server} cannot be reached: {source}")]
    Unreachable { server: String, source: DbErr },
    #[error("another server uses {}: stop it, or give this one a database of its own", path.display())]
    InUse { path: PathBuf },
    #[error("{} cannot be written: {source}; its folder must exist and belong to the server", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("{} is not there: start the server once, or run `parloir migrate`", path.display())]
    Missing { path: PathBuf },
    #[error(
        "the SQLite library is {found}, at least 3.51.3 is needed: earlier ones can damage the database"
    )]
    OldLibrary { found: String },
    #[error(
        "the database was made by a newer version of Parloir: run that one, or a newer one still"
    )]
    Newer,
    #[error("the database cannot be opened: {0}")]
    Database(#[from] DbErr),
    #[error("this is no database of this version: its {0} makes no sense")]
    Unreadable(&'static str),
    #[error("{0}")]
    Keys(KeySourceError),
    #[error(
        "the database is sealed under the master key {id}, and the keys cannot be read: {source}; without it nothing \
         can be read, so put it back, or name its place in encryption.master_key"
    )]
    KeyNotRead { id: String, source: KeySourceError },
    #[error(
        "the database is sealed under the master key {id}, which is not in {place}: add its line, below the one that \
         seals"
    )]
    MissingKey { id: String, place: String },
    #[error(
        "{place} holds another key under the id {id} than the one that the database is sealed under: put that one back"
    )]
    WrongKey { id: String, place: String },
    #[error("what is sealed in the database cannot be read: {0}")]
    Sealed(NotOpened),
}

impl From<Fault> for OpenError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Database(fault) => Self::Database(fault),
            Fault::Key(fault) => Self::Sealed(fault),
            Fault::Nonsense(what) => Self::Unreadable(what),
        }
    }
}

/// Makes the database if it is not there and brings it up to date. Answers the steps that it took, in order.
pub async fn migrate(settings: &StoreSettings) -> Result<Vec<String>, OpenError> {
    let _lock = Lock::of(&settings.location).await?;
    let (connection, steps) = up_to_date(settings).await?;
    connection.close().await?;
    Ok(steps)
}

/// The steps that an existing database lacks, in order. Changes nothing.
pub async fn pending_migrations(settings: &StoreSettings) -> Result<Vec<String>, OpenError> {
    if let Some(path) = settings.file().filter(|path| !path.exists()) {
        return Err(OpenError::Missing {
            path: path.to_owned(),
        });
    }
    let mut options = settings.readers();
    // Several at once may lock each other out of a file that is still empty.
    options.max_connections(1).min_connections(1);
    let connection = connected(&settings.location, options).await?;
    let pending = missing(&connection).await;
    connection.close().await?;
    Ok(names(&pending?))
}

/// A connection that writes, to a database of this version's schema, and the steps that this took.
pub(super) async fn up_to_date(
    settings: &StoreSettings,
) -> Result<(DatabaseConnection, Vec<String>), OpenError> {
    if let Some(path) = settings.file() {
        make_private(path)?;
    }
    let connection = connected(&settings.location, settings.writer()).await?;
    let pending = match &settings.location {
        Location::File(_) => {
            check_library(&connection).await?;
            let pending = missing(&connection).await?;
            if !pending.is_empty() {
                Migrator::up(&connection, None).await?;
            }
            pending
        }
        Location::Server(_) => migrate_together(&connection).await?,
    };
    Ok((connection, names(&pending)))
}

/// Replicas that start together: one of them takes the steps, the others wait for it and find them taken.
async fn migrate_together(connection: &DatabaseConnection) -> Result<Vec<Migration>, OpenError> {
    let tx = connection.begin().await?;
    // Here, and only here, a statement may take long: the wait for the other, or a step on a large table.
    for sql in [
        "SET LOCAL statement_timeout = 0",
        "SET LOCAL idle_in_transaction_session_timeout = 0",
        MIGRATION_LOCK,
    ] {
        tx.execute_unprepared(sql).await?;
    }
    let pending = match missing(&tx).await {
        // A newer version is being rolled out beside this one. Its steps only add, so this one goes on working.
        Err(OpenError::Newer) => {
            tracing::warn!("the database has steps of a newer version of Parloir");
            Vec::new()
        }
        pending => pending?,
    };
    if !pending.is_empty() {
        Migrator::up(&tx, None).await?;
    }
    tx.commit().await?;
    Ok(pending)
}

pub(super) async fn connected(
    location: &Location,
    options: ConnectOptions,
) -> Result<DatabaseConnection, OpenError> {
    let connection = Database::connect(options).await;
    connection.map_err(|source| match location {
        Location::File(_) => source.into(),
        Location::Server(server) => OpenError::Unreachable {
            server: server.to_string(),
            source,
        },
    })
}

/// Makes the file before the library does, readable by its owner only: it holds what visitors say. The files beside
/// it get the same rights.
fn make_private(path: &Path) -> Result<(), OpenError> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let made = options.open(path);
    made.map(drop).map_err(|source| OpenError::File {
        path: path.to_owned(),
        source,
    })
}

async fn missing<C: ConnectionTrait>(connection: &C) -> Result<Vec<Migration>, OpenError> {
    let pending = Migrator::get_pending_migrations_read_only(connection).await;
    pending.map_err(|fault| match fault {
        // The one thing that the migrator itself objects to: steps were taken that it does not know.
        DbErr::Custom(_) => OpenError::Newer,
        fault => fault.into(),
    })
}

async fn check_library(connection: &DatabaseConnection) -> Result<(), OpenError> {
    let backend = connection.get_database_backend();
    let query = Statement::from_string(backend, "SELECT sqlite_version()");
    let row = connection.query_one_raw(query).await?;
    let found: String = row.map_or(Ok(String::new()), |row| row.try_get_by_index(0))?;
    let version: Vec<u32> = found
        .split('.')
        .map_while(|part| part.parse().ok())
        .collect();
    if version.as_slice() < OLDEST_LIBRARY.as_slice() {
        return Err(OpenError::OldLibrary { found });
    }
    Ok(())
}

fn names(migrations: &[Migration]) -> Vec<String> {
    migrations
        .iter()
        .map(|step| step.name().to_owned())
        .collect()
}
