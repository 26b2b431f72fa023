//! One try to commit a batch: all of its units in one transaction.

use super::work::{Ran, Work};
use crate::domain::{
    Error, Result,
    ports::{Batch, OpenTransaction, Store},
};

/// How a try ended. Only `Committed` changed anything, and `Lost` may have.
pub(super) enum Attempt {
    /// Durable, except for the units that failed; of the others, how many events stood before theirs.
    Committed(Batch, Vec<Result<usize>>),
    /// The unit with this index failed after it had written rows: without it, the others may do.
    Without(usize, Error),
    /// Some unit's events were refused, and nobody can tell whose.
    Refused,
    /// The store cannot do its work now.
    Trouble(Error),
    /// Nobody can tell whether it was committed.
    Lost,
}

pub(super) async fn attempt(store: &dyn Store, batch: &mut [Box<dyn Work>]) -> Attempt {
    let mut tx = match store.begin().await {
        Ok(tx) => tx,
        Err(error) => return Attempt::Trouble(error),
    };
    let ran = match run_each(&mut *tx, batch).await {
        Ok(ran) => ran,
        Err(failed) => return undone(tx, failed).await,
    };
    if let Err(error) = tx.write_events().await {
        let failed = if is_trouble(&error) {
            Attempt::Trouble(error)
        } else {
            Attempt::Refused
        };
        return undone(tx, failed).await;
    }
    match tx.commit().await {
        Ok(committed) => Attempt::Committed(committed, ran),
        Err(error) if is_trouble(&error) => Attempt::Trouble(error),
        Err(_) => Attempt::Lost,
    }
}

/// Of each unit, how many events stood before its own, or why it failed having changed nothing.
async fn run_each(
    tx: &mut dyn OpenTransaction,
    batch: &mut [Box<dyn Work>],
) -> Result<Vec<Result<usize>>, Attempt> {
    let mut ran = Vec::with_capacity(batch.len());
    for (index, work) in batch.iter_mut().enumerate() {
        let mark = tx.mark();
        ran.push(match work.run(&mut *tx).await {
            Ran::Done => Ok(mark.events),
            Ran::Failed(error) if tx.take_back(mark) => Err(error),
            Ran::Failed(error) if is_trouble(&error) => return Err(Attempt::Trouble(error)),
            Ran::Failed(error) => return Err(Attempt::Without(index, error)),
            Ran::Panicked => {
                tracing::error!("a unit of work panicked");
                return Err(Attempt::Without(index, Error::Internal));
            }
        });
    }
    Ok(ran)
}

async fn undone(tx: Box<dyn OpenTransaction>, failed: Attempt) -> Attempt {
    match tx.roll_back().await {
        Ok(()) => failed,
        Err(error) => Attempt::Trouble(error),
    }
}

/// The store's fault, not the unit's; it certainly changed nothing.
fn is_trouble(error: &Error) -> bool {
    matches!(error, Error::StoreFull | Error::StoreUnavailable)
}
