//! A stream ends when what opened it no longer counts.

use std::{fs, time::Duration};

use parloir::{
    access::{CallerRecord, Key, KeyRecord, OwnLimits},
    domain::{Clock, Id, Scope, Timestamp},
};
use parloir_client::{Client, Code, EventStream, Item, Subscription, v1::ListAccountsRequest};
use secrecy::ExposeSecret;
use tokio::time::{Instant, timeout};

use super::house::{House, PATIENCE};

/// The promise, and a little for a busy machine.
const SOON: Duration = Duration::from_secs(3);

async fn open(client: &Client) -> EventStream {
    let mut stream = client.subscribe(Subscription::new());
    loop {
        let item = timeout(PATIENCE, stream.next()).await.expect("in time");
        if let Item::CaughtUp(_) = item.expect("open").expect("an item") {
            return stream;
        }
    }
}

/// Waits for the end, which must be told as such and come soon after `since`.
async fn ended(stream: EventStream, since: Instant, what: &str) {
    let end = (Code::Unauthenticated, Some("CREDENTIALS_INVALID"));
    ended_with(end, stream, since, what).await;
}

async fn ended_with(
    expected: (Code, Option<&str>),
    mut stream: EventStream,
    since: Instant,
    what: &str,
) {
    let end = async {
        loop {
            match stream.next().await {
                Some(Ok(_)) => {}
                Some(Err(error)) => return error,
                None => panic!("{what}: ended without a word"),
            }
        }
    };
    let error = timeout(PATIENCE, end).await.expect(what);
    let took = since.elapsed();
    assert_eq!((error.code(), error.reason()), expected, "{what}");
    assert!(took < SOON, "{what}: {took:?}");
}

#[tokio::test]
async fn a_stream_of_a_key_file_that_is_replaced_or_removed_ends() {
    let house = House::with_callers("").await;
    let stream = open(&house.client("subscribe").await).await;
    let since = Instant::now();
    fs::write(house.path("subscribe.key"), super::house::fresh_key()).expect("written");
    ended(stream, since, "replaced").await;
    let stream = open(&house.client("subscribe").await).await;
    let since = Instant::now();
    fs::remove_file(house.path("subscribe.key")).expect("removed");
    ended(stream, since, "removed").await;
    house.app.stop().await;
}

fn subscriber(disabled: bool) -> CallerRecord {
    CallerRecord {
        tenant: Id::trusted("acme"),
        name: Id::trusted("crm"),
        scopes: [Scope::Subscribe].into_iter().collect(),
        certificates: Vec::new(),
        disabled,
        limits: OwnLimits::default(),
    }
}

fn record(house: &House, key: &Key, expires_at: Option<Timestamp>) -> KeyRecord {
    KeyRecord {
        id: key.id(),
        digest: house.app.callers().digest(key),
        tenant: Id::trusted("acme"),
        caller: Id::trusted("crm"),
        expires_at,
        revoked: false,
    }
}

/// Test 18: revoked and expired tokens, on calls and on streams that are open.
#[tokio::test]
async fn streams_of_a_stored_key_end_when_it_is_revoked_expires_or_its_caller_is_disabled() {
    let house = House::with_callers("").await;
    let callers = house.app.callers();
    let key = Key::generate().expect("random");
    let other = Key::generate().expect("random");
    let expires_at = house.clock.now() + Duration::from_hours(1);
    let keys = || {
        vec![
            record(&house, &key, Some(expires_at)),
            record(&house, &other, None),
        ]
    };
    let client = async |key: &Key| {
        let builder = house.builder().key(key.text().expose_secret());
        builder.connect().await.expect("a server that listens")
    };

    callers.replace_stored(vec![subscriber(false)], keys());
    let (stream, beside) = (
        open(&client(&key).await).await,
        open(&client(&other).await).await,
    );
    let mut revoked = keys();
    revoked[0].revoked = true;
    let since = Instant::now();
    callers.replace_stored(vec![subscriber(false)], revoked);
    ended(stream, since, "revoked").await;

    callers.replace_stored(vec![subscriber(false)], keys());
    let stream = open(&client(&key).await).await;
    let since = Instant::now();
    house.clock.advance(Duration::from_hours(1));
    ended(stream, since, "expired").await;
    let error = client(&key)
        .await
        .list_accounts(ListAccountsRequest {})
        .await
        .expect_err("expired");
    assert_eq!(error.reason(), Some("CREDENTIALS_INVALID"));

    // All the while the other key's stream was left alone.
    client(&other)
        .await
        .list_accounts(ListAccountsRequest {})
        .await
        .expect("it counts");
    let since = Instant::now();
    callers.replace_stored(vec![subscriber(true)], keys());
    ended(beside, since, "disabled").await;
    house.app.stop().await;
}

#[tokio::test]
async fn a_stream_whose_scope_is_taken_away_is_told_so_and_not_that_its_key_is_wrong() {
    let house = House::with_callers("").await;
    let callers = house.app.callers();
    let key = Key::generate().expect("random");
    let may = |scopes: &[Scope]| CallerRecord {
        scopes: scopes.iter().copied().collect(),
        ..subscriber(false)
    };
    let keys = || vec![record(&house, &key, None)];
    callers.replace_stored(vec![may(&[Scope::Subscribe, Scope::Respond])], keys());
    let builder = house.builder().key(key.text().expose_secret());
    let client = builder.connect().await.expect("a server that listens");
    let stream = open(&client).await;
    let since = Instant::now();
    callers.replace_stored(vec![may(&[Scope::Respond])], keys());
    let end = (Code::PermissionDenied, Some("SCOPE_MISSING"));
    ended_with(end, stream, since, "the scope taken away").await;
    house.app.stop().await;
}

#[tokio::test]
async fn a_stream_that_may_still_be_opened_goes_on_after_another_scope_is_taken_away() {
    let house = House::with_callers("").await;
    let callers = house.app.callers();
    let key = Key::generate().expect("random");
    let may = |scopes: &[Scope]| CallerRecord {
        scopes: scopes.iter().copied().collect(),
        ..subscriber(false)
    };
    let keys = || vec![record(&house, &key, None)];
    callers.replace_stored(vec![may(&[Scope::Subscribe, Scope::Converse])], keys());
    let builder = house.builder().key(key.text().expose_secret());
    let client = builder.connect().await.expect("a server that listens");
    let mut stream = open(&client).await;
    callers.replace_stored(vec![may(&[Scope::Subscribe])], keys());
    // It is opened anew, with what is still allowed.
    loop {
        let item = timeout(PATIENCE, stream.next()).await.expect("in time");
        match item.expect("open").expect("no end") {
            Item::Interrupted { error, .. } => {
                assert_eq!(error.reason(), Some("STREAM_LIFETIME"));
                break;
            }
            Item::CaughtUp(_) => {}
            other => panic!("{other:?}"),
        }
    }
    house.app.stop().await;
}
