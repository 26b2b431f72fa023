//! The one connection that writes.

use std::{
    fmt, mem,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use tokio::{sync::Mutex, time::Instant};

use super::{
    clock::StoreClock,
    fault::Fault,
    log::{self, Head},
    patient::{Patient, answer},
    table::{execute, first},
};

const EMPTY_JOURNAL: &str = "PRAGMA wal_checkpoint(TRUNCATE)";
/// What a destroyed key leaves in its table's file goes now, not when the server gets round to it.
const EMPTY_KEYS: &str = "VACUUM data_key";
const FATE: &str = "SELECT COALESCE(pg_xact_status($1::text::xid8), '')";

/// How long a commit whose end is unknown is asked after. A server that restarts takes a few seconds.
const ASKED_FOR: Duration = Duration::from_secs(30);
const ASKED_EVERY: Duration = Duration::from_millis(200);

/// A connection whose commit or rollback failed is not used again: what is left of the transaction in it cannot be
/// told, and closing it undoes that for certain.
pub(super) struct Writer {
    options: ConnectOptions,
    backend: DbBackend,
    patience: Option<Duration>,
    connection: Mutex<DatabaseConnection>,
    broken: AtomicBool,
}

/// A transaction that holds the head of the log, so that no other one writes.
pub(super) struct Begun {
    pub(super) db: Patient<DatabaseTransaction>,
    pub(super) head: Head,
    /// By which a `PostgreSQL` server can be asked what became of it.
    pub(super) number: Option<String>,
}

/// What became of a commit that was not answered.
pub(super) enum Fate {
    Committed,
    Undone,
    Unknown,
}

impl Writer {
    pub(super) fn new(
        options: ConnectOptions,
        patience: Option<Duration>,
        connection: DatabaseConnection,
    ) -> Self {
        Self {
            options,
            patience,
            backend: connection.get_database_backend(),
            connection: Mutex::new(connection),
            broken: AtomicBool::new(false),
        }
    }

    /// Takes the head of the log at once, so that transactions follow each other, of other replicas too: what one reads, no
    /// other changes before it has ended.
    pub(super) async fn begin(&self, clock: &StoreClock) -> Result<Begun, Fault> {
        let mut connection = self.connection.lock().await;
        if self.broken.load(Ordering::Acquire) {
            self.renew(&mut connection).await?;
        }
        let begun = match self.backend {
            DbBackend::Postgres => self.begin_shared(&connection, clock).await,
            _ => begin_alone(&connection).await,
        };
        // A server that has gone away leaves a connection that is of no use; it is not tried before each transaction.
        if begun.is_err() && self.backend == DbBackend::Postgres {
            self.give_up();
        }
        begun
    }

    /// The transaction that was begun last could not be brought to its end.
    pub(super) fn give_up(&self) {
        self.broken.store(true, Ordering::Release);
    }

    /// Asks what became of a transaction whose commit was not answered.
    pub(super) async fn fate(&self, number: &str) -> Fate {
        let until = Instant::now() + ASKED_FOR;
        while Instant::now() < until {
            match self.ask(number).await.as_deref() {
                Ok("committed") => return Fate::Committed,
                Ok("aborted") => return Fate::Undone,
                // Its connection has not been missed yet by the server.
                Ok("in progress") => {}
                Ok(_) => return Fate::Unknown,
                Err(fault) => {
                    fault.report();
                }
            }
            tokio::time::sleep(ASKED_EVERY).await;
        }
        Fate::Unknown
    }

    async fn ask(&self, number: &str) -> Result<String, Fault> {
        let mut connection = self.connection.lock().await;
        self.renew(&mut connection).await?;
        let patient = self.patient(&connection);
        let found = first(&patient, FATE, [number.into()], |row| Ok(row.text()?));
        Ok(found.await?.unwrap_or_default())
    }

    /// Leaves nothing in the files of what was erased before. False: a reader needs it still.
    pub(super) async fn empty_journal(&self) -> Result<bool, Fault> {
        let connection = self.connection.lock().await;
        if self.backend == DbBackend::Postgres {
            execute(&self.patient(&connection), EMPTY_KEYS, []).await?;
            return Ok(true);
        }
        let busy = first(&*connection, EMPTY_JOURNAL, [], |row| {
            row.number::<i64>("wal_checkpoint.busy")
        });
        Ok(busy.await? == Some(0))
    }

    pub(super) async fn close(&self) -> Result<(), DbErr> {
        self.connection.lock().await.close_by_ref().await
    }

    async fn begin_shared(
        &self,
        connection: &DatabaseConnection,
        clock: &StoreClock,
    ) -> Result<Begun, Fault> {
        let db = Patient {
            connection: answer(self.patience, connection.begin()).await?,
            patience: self.patience,
        };
        let (head, number, time) = log::take_head(&db).await?;
        clock.told(time);
        Ok(Begun {
            db,
            head,
            number: Some(number),
        })
    }

    fn patient(&self, connection: &DatabaseConnection) -> Patient<DatabaseConnection> {
        Patient {
            connection: connection.clone(),
            patience: self.patience,
        }
    }

    async fn renew(&self, connection: &mut DatabaseConnection) -> Result<(), DbErr> {
        let fresh = Database::connect(self.options.clone()).await?;
        let old = mem::replace(connection, fresh);
        self.broken.store(false, Ordering::Release);
        if self.backend == DbBackend::Postgres {
            // It may wait for a peer that is gone.
            tokio::spawn(async move { old.close().await });
            return Ok(());
        }
        old.close().await
    }
}

async fn begin_alone(connection: &DatabaseConnection) -> Result<Begun, Fault> {
    let options = TransactionOptions {
        // A transaction that turned into a writer later could be refused in its middle.
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let db = connection.begin_with_options(options).await?;
    let head = log::head(&db).await?;
    Ok(Begun {
        db: Patient {
            connection: db,
            patience: None,
        },
        head,
        number: None,
    })
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}
