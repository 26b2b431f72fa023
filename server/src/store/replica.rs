//! Table `replica`, at a `PostgreSQL` server only: which transaction of each replica was committed last. It is how a replica
//! learns what became of a commit that was not answered. The server's own number of a transaction does not tell: one that
//! dies forgets the numbers that it gave to transactions it had not yet written down, and gives them to others.

use sea_orm::ConnectionTrait;

use super::{
    fault::Fault,
    log::Head,
    table::{execute, first, number},
};
use crate::domain::{Id, Timestamp};

/// Begins with a row, so that there is always one to wait for. A replica that has ended asks no more, and one that lives
/// writes its row many times a day.
const ENTER: &str = "INSERT INTO replica (replica_id, number, begun_at)
    VALUES ($1, 0, (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint)";
const FORGET: &str = "DELETE FROM replica
    WHERE begun_at < (EXTRACT(EPOCH FROM clock_timestamp() - INTERVAL '1 day') * 1000000)::bigint";

/// Waits until every other transaction that writes has ended, and keeps the head until this one has. What is read after it
/// is read as they left it. The transaction's number stands there if and only if it is committed.
const TAKE_HEAD: &str = "WITH begun AS (
        INSERT INTO replica (replica_id, number, begun_at)
        VALUES ($1, $2, (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint)
        ON CONFLICT (replica_id) DO UPDATE SET number = excluded.number, begun_at = excluded.begun_at
    )
    SELECT position, floor, recorded_at, keys_destroyed,
        (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint
    FROM (SELECT position, floor, recorded_at, keys_destroyed FROM log_head
        WHERE log_id = 0 FOR UPDATE) AS head";

/// The row is locked by the transaction that is asked after, until it has ended.
const LAST_COMMITTED: &str = "SELECT number FROM replica WHERE replica_id = $1 FOR UPDATE";

/// A replica begins.
pub(super) async fn enter(db: &impl ConnectionTrait, id: &Id) -> Result<(), Fault> {
    execute(db, FORGET, []).await?;
    execute(db, ENTER, [id.as_str().into()]).await?;
    Ok(())
}

/// Takes the head from all other transactions, in the replica's transaction of this number. Answers the server's time, too.
pub(super) async fn take_head(
    db: &impl ConnectionTrait,
    id: &Id,
    transaction: u64,
) -> Result<(Head, Timestamp), Fault> {
    let values = [id.as_str().into(), number(transaction)];
    let head = first(db, TAKE_HEAD, values, |row| {
        Ok((Head::read(row)?, row.time()?))
    });
    head.await?.ok_or(Fault::Nonsense("log_head"))
}

/// The number of the replica's last transaction that was committed. Waits until the one after it has ended.
pub(super) async fn last_committed(
    db: &impl ConnectionTrait,
    id: &Id,
) -> Result<Option<u64>, Fault> {
    first(db, LAST_COMMITTED, [id.as_str().into()], |row| {
        row.number("replica.number")
    })
    .await
}
