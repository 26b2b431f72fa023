//! The one connection that writes.

use std::{
    fmt, mem,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
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
    replica,
    table::{execute, first},
};
use crate::domain::Id;

const EMPTY_JOURNAL: &str = "PRAGMA wal_checkpoint(TRUNCATE)";
/// What a destroyed key leaves in its table's file goes now, not when the server gets round to it.
const EMPTY_KEYS: &str = "VACUUM data_key";

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
    /// Under which a `PostgreSQL` server knows this process, and the number of its newest transaction.
    replica: Id,
    begun: AtomicU64,
}

/// A transaction that holds the head of the log, so that no other one writes.
pub(super) struct Begun {
    pub(super) db: Patient<DatabaseTransaction>,
    pub(super) head: Head,
    /// By which a `PostgreSQL` server can be asked what became of it.
    pub(super) number: Option<u64>,
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
        replica: Id,
    ) -> Self {
        Self {
            replica,
            begun: AtomicU64::new(0),
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

    /// Asks what became of the last transaction, whose commit was not answered.
    pub(super) async fn fate(&self, number: u64) -> Fate {
        let until = Instant::now() + ASKED_FOR;
        while Instant::now() < until {
            match self.last_committed().await {
                Ok(Some(last)) if last == number => return Fate::Committed,
                Ok(Some(last)) if last < number => return Fate::Undone,
                // Not the database that it was.
                Ok(_) => return Fate::Unknown,
                // Its connection may not have been missed yet by the server.
                Err(fault) => {
                    fault.report();
                }
            }
            tokio::time::sleep(ASKED_EVERY).await;
        }
        Fate::Unknown
    }

    async fn last_committed(&self) -> Result<Option<u64>, Fault> {
        let mut connection = self.connection.lock().await;
        self.renew(&mut connection).await?;
        replica::last_committed(&self.patient(&connection), &self.replica).await
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
        let number = self.begun.fetch_add(1, Ordering::Relaxed) + 1;
        let (head, time) = replica::take_head(&db, &self.replica, number).await?;
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
