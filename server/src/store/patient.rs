//! A connection whose server is waited for only so long. A server ends what takes too long by itself; one that has vanished
//! without a word answers nothing, and the system would wait for it for a quarter of an hour. What is given up here leaves
//! its connection in an unknown state, so whoever is told so throws the connection away.

use std::{future::Future, time::Duration};

use async_trait::async_trait;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement};

const UNANSWERED: &str = "the database server does not answer";

/// A connection, and how long an answer may take. Absent: as long as it takes.
#[derive(Debug, Clone)]
pub(super) struct Patient<C> {
    pub(super) connection: C,
    pub(super) patience: Option<Duration>,
}

/// Waits for an answer, no longer than `patience`.
pub(super) async fn answer<T>(
    patience: Option<Duration>,
    work: impl Future<Output = Result<T, DbErr>> + Send,
) -> Result<T, DbErr> {
    let Some(patience) = patience else {
        return work.await;
    };
    let answered = tokio::time::timeout(patience, work).await;
    answered.unwrap_or_else(|_| Err(DbErr::Custom(UNANSWERED.to_owned())))
}

/// Whether no answer came.
pub(super) fn is_unanswered(fault: &DbErr) -> bool {
    matches!(fault, DbErr::Custom(what) if what == UNANSWERED)
}

#[async_trait]
impl<C: ConnectionTrait> ConnectionTrait for Patient<C> {
    fn get_database_backend(&self) -> DbBackend {
        self.connection.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        answer(self.patience, self.connection.execute_raw(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        answer(self.patience, self.connection.execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        answer(self.patience, self.connection.query_one_raw(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        answer(self.patience, self.connection.query_all_raw(statement)).await
    }
}
