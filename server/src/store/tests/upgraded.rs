//! Databases of earlier steps, brought up to date.

use std::time::Duration;

use parloir_migrations::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, Database, TransactionTrait};
use tokio::time::Instant;

use super::*;
use crate::store::migrate;

#[tokio::test]
async fn a_database_of_any_earlier_step_is_brought_up_to_date_and_opens() {
    let all = Migrator::migrations().len();
    for taken in 1..all {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = place::fresh(folder.path());
        let db = Database::connect(settings.writer())
            .await
            .expect("connects");
        let steps = u32::try_from(taken).expect("a few");
        Migrator::up(&db, Some(steps))
            .await
            .expect("they are taken");
        db.close().await.expect("closes");
        let missing = migrate(&settings).await.expect("the others follow");
        assert_eq!(missing.len(), all - taken);
        let scratch = Scratch::open(settings, folder).await;
        scratch
            .commit(async |tx| {
                tx.append(event("C", 1, 10));
            })
            .await;
    }
}

/// Others read and write while a step is taken, however long the log is. `PARLOIR_FULL=1` makes it a million events.
#[tokio::test]
async fn a_step_keeps_nobody_waiting_who_uses_the_database_meanwhile() {
    if place::is_file() {
        return;
    }
    let events = if std::env::var("PARLOIR_FULL").is_ok_and(|full| full == "1") {
        1_000_000
    } else {
        20_000
    };
    let folder = tempfile::tempdir().expect("a folder");
    let settings = place::fresh(folder.path());
    let db = Database::connect(settings.writer())
        .await
        .expect("connects");
    let steps = u32::try_from(Migrator::migrations().len()).expect("a few") - 1;
    Migrator::up(&db, Some(steps))
        .await
        .expect("they are taken");
    let begun = db.begin().await.expect("begins");
    for sql in ["SET LOCAL statement_timeout = 0".to_owned(), filled(events)] {
        begun.execute_unprepared(&sql).await.expect("is done");
    }
    begun.commit().await.expect("commits");
    let taken = tokio::spawn(async move { migrate(&settings).await.map(|steps| steps.len()) });
    let mut longest = Duration::ZERO;
    while !taken.is_finished() {
        for sql in [
            "SELECT * FROM event ORDER BY position DESC LIMIT 10",
            "UPDATE log_head SET position = position",
        ] {
            let asked = Instant::now();
            db.execute_unprepared(sql).await.expect("is done");
            longest = longest.max(asked.elapsed());
        }
    }
    assert_eq!(taken.await.expect("it ends").expect("is taken"), 1);
    println!(
        "{events} events: nobody waited longer than {} ms",
        longest.as_millis()
    );
    assert!(longest <= Duration::from_secs(1), "{longest:?}");
}

/// Puts so many events into the log, in conversations of a hundred each.
fn filled(events: u64) -> String {
    format!(
        "INSERT INTO event (log_id, position, event_id, tenant, account, agent, conversation_id, session, sequence, \
         owner_epoch, superseded, kind, recorded_at, traceparent, body_key_id, body) \
         SELECT 0, n, 'e' || n, 'acme', 'shop', 'bot', 'c' || n / 100, 1, n, 1, false, 1, n, '', 0, repeat('x', 300)::bytea \
         FROM generate_series(1, {events}) AS n"
    )
}
