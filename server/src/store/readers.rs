//! The connections that read.

use std::{
    mem,
    sync::{PoisonError, RwLock},
    time::Duration,
};

use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr};

use super::patient::Patient;

/// A pool. One whose server has vanished is thrown away whole: each of its connections would be found dead one by one.
#[derive(Debug)]
pub(super) struct Readers {
    options: ConnectOptions,
    patience: Option<Duration>,
    pool: RwLock<Pool>,
}

#[derive(Debug, Clone)]
struct Pool {
    connections: DatabaseConnection,
    /// Counts the pools.
    number: u64,
}

/// A connection of the pool with this number.
pub(super) type Reader = (Patient<DatabaseConnection>, u64);

impl Readers {
    pub(super) fn new(
        options: ConnectOptions,
        patience: Option<Duration>,
        connections: DatabaseConnection,
    ) -> Self {
        Self {
            options,
            patience,
            pool: RwLock::new(Pool {
                connections,
                number: 0,
            }),
        }
    }

    pub(super) fn get(&self) -> Reader {
        let pool = self.pool.read().unwrap_or_else(PoisonError::into_inner);
        let reader = Patient {
            connection: pool.connections.clone(),
            patience: self.patience,
        };
        (reader, pool.number)
    }

    /// Replaces the pool with this number. Connects later, with the first query.
    pub(super) async fn replace(&self, number: u64) {
        let mut options = self.options.clone();
        options.connect_lazy(true);
        let fresh = match Database::connect(options).await {
            Ok(fresh) => fresh,
            Err(fault) => {
                tracing::warn!(%fault, "no other connections to read by were made");
                return;
            }
        };
        let mut pool = self.pool.write().unwrap_or_else(PoisonError::into_inner);
        if pool.number == number {
            let old = mem::replace(&mut pool.connections, fresh);
            pool.number += 1;
            // It may wait for a server that is gone.
            tokio::spawn(old.close());
        }
    }

    pub(super) async fn close(&self) -> Result<(), DbErr> {
        self.get().0.connection.close_by_ref().await
    }
}
