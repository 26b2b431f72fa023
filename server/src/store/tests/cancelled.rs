//! A pool of connections to a server, and queries that are given up on their way.

use std::time::Duration;

use sea_orm::{ConnectionTrait, Database, Statement, TransactionTrait};

use super::*;
use crate::tests::wire::{FAIR, Weather, Wire};

const DELAY: Duration = Duration::from_millis(10);
const LONGEST: u64 = 60;

/// Work in the database is never given up, so this cannot happen; should it happen all the same, nothing is lost.
#[tokio::test]
async fn what_is_written_after_the_beginning_of_a_transaction_was_given_up_is_kept() {
    if place::is_file() {
        return;
    }
    let scratch = Scratch::new().await;
    let behind = scratch.behind().await;
    let create = "CREATE TABLE kept (moment BIGINT)";
    behind.execute_unprepared(create).await.expect("is made");
    // postgres://ADDRESS/DATABASE
    let place = scratch.settings.location.to_string();
    let mut parts = place.rsplit('/');
    let (database, address) = (parts.next(), parts.next());
    let address = address
        .and_then(|address| address.parse().ok())
        .expect("an address");
    let wire = Wire::to(address).await;
    let (address, database) = (wire.address(), database.expect("a database"));
    let by_wire = StoreSettings::from_url(&format!("postgres://parloir@{address}/{database}"));
    let pool = Database::connect(by_wire.expect("a URL").writer()).await;
    let pool = pool.expect("connects");
    wire.set(Weather::Delay(DELAY));
    for moment in 1..=LONGEST {
        let begin = tokio::time::timeout(Duration::from_millis(moment), pool.begin()).await;
        drop(begin);
        let insert = format!("INSERT INTO kept VALUES ({moment})");
        pool.execute_unprepared(&insert).await.expect("is answered");
    }
    wire.set(FAIR);
    // Whatever was left open ends with its connection.
    pool.close().await.expect("closes");
    let query = Statement::from_string(behind.get_database_backend(), "SELECT count(*) FROM kept");
    let row = behind
        .query_one_raw(query)
        .await
        .expect("answers")
        .expect("a row");
    let kept: i64 = row.try_get_by_index(0).expect("a number");
    assert_eq!(kept.unsigned_abs(), LONGEST);
}
