//! A unit of work with its type forgotten, so that units of all kinds share a batch.

use std::panic::AssertUnwindSafe;

use async_trait::async_trait;
use futures_util::FutureExt;
use tokio::sync::oneshot;
use tracing::{Instrument, Span};

use super::Committed;
use crate::domain::{
    Error, Position, Result,
    ports::{Transaction, Unit},
};

/// What the task does with a unit, without knowing what it is.
#[async_trait]
pub(super) trait Work: Send {
    /// Runs it once more, from the beginning.
    async fn run(&mut self, tx: &mut dyn Transaction) -> Ran;

    /// It is durable, its first event at `first`.
    fn committed(self: Box<Self>, first: Position);

    fn refused(self: Box<Self>, error: Error);
}

/// How a run ended.
pub(super) enum Ran {
    Done,
    Failed(Error),
    Panicked,
}

pub(super) struct Job<U: Unit> {
    unit: U,
    output: Option<U::Output>,
    reply: oneshot::Sender<Result<Committed<U::Output>>>,
    /// What it says is said as part of this.
    span: Span,
}

impl<U: Unit> Job<U> {
    pub(super) fn new(unit: U, reply: oneshot::Sender<Result<Committed<U::Output>>>) -> Self {
        Self {
            unit,
            output: None,
            reply,
            span: Span::current(),
        }
    }
}

#[async_trait]
impl<U: Unit> Work for Job<U> {
    async fn run(&mut self, tx: &mut dyn Transaction) -> Ran {
        self.output = None;
        // What a panic leaves half done is in the transaction, which is rolled back.
        let ran = AssertUnwindSafe(async { self.unit.run(tx).await })
            .catch_unwind()
            .instrument(self.span.clone())
            .await;
        match ran {
            Ok(Ok(output)) => {
                self.output = Some(output);
                Ran::Done
            }
            Ok(Err(error)) => Ran::Failed(error),
            Err(_) => Ran::Panicked,
        }
    }

    fn committed(self: Box<Self>, first: Position) {
        let answer = self
            .output
            .map(|output| Committed { output, first })
            .ok_or(Error::Internal);
        // Nobody may be waiting any more; it is durable all the same.
        self.reply.send(answer).ok();
    }

    fn refused(self: Box<Self>, error: Error) {
        self.reply.send(Err(error)).ok();
    }
}
