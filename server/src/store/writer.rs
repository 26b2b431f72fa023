//! The one connection that writes.

use std::{
    fmt, mem,
    sync::atomic::{AtomicBool, Ordering},
};

use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DatabaseTransaction, DbErr,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use tokio::sync::Mutex;

use super::{fault::Fault, table::first};

const EMPTY_JOURNAL: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

/// A connection whose commit or rollback failed is not used again: what is left of the transaction in it cannot be
/// told, and closing it undoes that for certain.
pub(super) struct Writer {
    options: ConnectOptions,
    connection: Mutex<DatabaseConnection>,
    broken: AtomicBool,
}

impl Writer {
    pub(super) fn new(options: ConnectOptions, connection: DatabaseConnection) -> Self {
        Self {
            options,
            connection: Mutex::new(connection),
            broken: AtomicBool::new(false),
        }
    }

    /// Takes the write lock at once: a transaction that turned into a writer later could be refused in its middle.
    pub(super) async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let mut connection = self.connection.lock().await;
        if self.broken.load(Ordering::Acquire) {
            connection.close_by_ref().await?;
            let fresh = Database::connect(self.options.clone()).await?;
            drop(mem::replace(&mut *connection, fresh));
            self.broken.store(false, Ordering::Release);
        }
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        connection.begin_with_options(options).await
    }

    /// The transaction that was begun last could not be brought to its end.
    pub(super) fn give_up(&self) {
        self.broken.store(true, Ordering::Release);
    }

    /// Writes all that is committed to its place and leaves the write-ahead log empty. False: a reader needs it still.
    pub(super) async fn empty_journal(&self) -> Result<bool, Fault> {
        let connection = self.connection.lock().await;
        let busy = first(&*connection, EMPTY_JOURNAL, [], |row| {
            row.number::<i64>("wal_checkpoint.busy")
        });
        Ok(busy.await? == Some(0))
    }

    pub(super) async fn close(&self) -> Result<(), DbErr> {
        self.connection.lock().await.close_by_ref().await
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}
