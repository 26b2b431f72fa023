//! A commit whose answer is lost: what became of it is asked, and told as it is.

use std::time::Duration;

use tokio::time::timeout;

use super::*;
use crate::{
    domain::{Error, Position},
    tests::wire::{FAIR, Weather, Wire},
};

const SOON: Duration = Duration::from_secs(20);

/// A store whose way to its server is in the test's hands, beside one with a way of its own.
async fn by_wire() -> (Scratch, SqlStore, Wire) {
    let scratch = Scratch::new().await;
    // postgres://ADDRESS/DATABASE
    let place = scratch.settings.location.to_string();
    let mut parts = place.rsplit('/');
    let (database, address) = (parts.next(), parts.next());
    let address = address.and_then(|address| address.parse().ok());
    let wire = Wire::to(address.expect("an address")).await;
    let database = database.expect("a database");
    let url = format!("postgres://parloir@{}/{database}", wire.address());
    let settings = StoreSettings {
        location: StoreSettings::from_url(&url).expect("a URL").location,
        ..scratch.settings.clone()
    };
    let store = SqlStore::open(&settings, scratch.clock.clone()).await;
    (scratch, store.expect("opens"), wire)
}

/// Appends an event, and commits while the way is as told. Once `is_lost` says so, the connection breaks.
async fn commit(
    (scratch, store, wire): &(Scratch, SqlStore, Wire),
    weather: Weather,
    is_lost: impl AsyncFnOnce(&Scratch),
) -> Result<Batch, Error> {
    let mut tx = store.begin().await.expect("begins");
    tx.append(event("c", 1, 10));
    tx.write_events().await.expect("writes");
    wire.set(weather);
    let break_off = async {
        timeout(SOON, wire.silent()).await.expect("it is committed");
        is_lost(scratch).await;
        wire.set(FAIR);
        wire.cut();
    };
    let (committed, ()) = tokio::join!(tx.commit(), break_off);
    committed
}

async fn events(scratch: &Scratch) -> usize {
    let page = scratch.store.page(Position(0), 9, 1 << 20).await;
    page.expect("reads").len()
}

#[tokio::test]
async fn a_commit_that_did_not_arrive_is_told_as_undone() {
    if place::is_file() {
        return;
    }
    let ways = by_wire().await;
    let committed = commit(&ways, Weather::SilentFrom("COMMIT"), async |_| ()).await;
    assert_eq!(committed.err(), Some(Error::StoreUnavailable));
    assert_eq!(events(&ways.0).await, 0);
    ways.1.begin().await.expect("it goes on");
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_told_as_done() {
    if place::is_file() {
        return;
    }
    let ways = by_wire().await;
    let committed = commit(&ways, Weather::SilentAfter("COMMIT"), async |scratch| {
        let done = async { while events(scratch).await == 0 {} };
        timeout(SOON, done).await.expect("it arrived");
    });
    assert_eq!(committed.await.expect("it is done").events.len(), 1);
    assert_eq!(events(&ways.0).await, 1);
}
