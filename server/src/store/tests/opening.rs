//! Opening, locking, migrating.

use sea_orm::{ConnectionTrait, Database, Statement};

use super::*;
use crate::store::{OpenError, migrate, pending_migrations};

#[tokio::test]
async fn a_second_server_on_the_same_file_is_refused_and_told_why() {
    let scratch = Scratch::in_file(|_| ()).await;
    let again = SqlStore::open(&scratch.settings, scratch.clock.clone()).await;
    let error = again.expect_err("in use");
    assert!(matches!(error, OpenError::InUse { .. }));
    assert!(error.to_string().contains("another server"), "{error}");
    let error = migrate(&scratch.settings).await.expect_err("in use");
    assert!(matches!(error, OpenError::InUse { .. }));
}

#[tokio::test]
async fn a_database_keeps_its_identity_and_shares_it_with_no_other() {
    let one = Scratch::new().await;
    let other = Scratch::new().await;
    let epoch = one.store.epoch();
    assert!(epoch > 0 && epoch <= i64::MAX.unsigned_abs());
    assert_ne!(epoch, other.store.epoch());
    let Scratch {
        store,
        clock,
        settings,
        folder,
    } = one;
    store.close().await.expect("closes");
    drop(store);
    let again = SqlStore::open(&settings, clock).await.expect("opens");
    assert_eq!(again.epoch(), epoch);
    drop(folder);
}

#[tokio::test]
async fn migrating_again_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    // A name with everything that means something in a URL.
    let settings = StoreSettings::new(folder.path().join("a b?c=%20#d.db"));
    let missing = pending_migrations(&settings).await;
    assert!(matches!(missing, Err(OpenError::Missing { .. })));
    let steps = migrate(&settings).await.expect("migrates");
    assert_eq!(
        steps.first().map(String::as_str),
        Some("m20261120_000001_log")
    );
    assert!(settings.file().expect("a file").exists());
    assert!(
        pending_migrations(&settings)
            .await
            .expect("reads")
            .is_empty()
    );
    assert!(migrate(&settings).await.expect("migrates").is_empty());
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = StoreSettings::new(folder.path().join("parloir.db"));
    migrate(&settings).await.expect("migrates");
    let db = Database::connect(settings.writer())
        .await
        .expect("connects");
    let later = "INSERT INTO seaql_migrations VALUES ('m29991231_000001_later', 0)";
    db.execute_raw(sql(later)).await.expect("inserts");
    db.close().await.expect("closes");
    let error = migrate(&settings).await.expect_err("newer");
    assert!(matches!(error, OpenError::Newer), "{error}");
}

#[test]
fn a_url_names_a_file() {
    for url in ["sqlite:data/parloir.db", "sqlite://data/parloir.db"] {
        let settings = StoreSettings::from_url(url).expect("a file");
        assert_eq!(
            settings.file(),
            Some(std::path::Path::new("data/parloir.db"))
        );
    }
    for url in [
        "",
        "sqlite:",
        "sqlite::memory:",
        "mysql://localhost/parloir",
    ] {
        let error = StoreSettings::from_url(url).expect_err("no file");
        assert!(error.to_string().contains("database.url"), "{error}");
    }
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_named() {
    let settings = StoreSettings::new("/nowhere/at/all/parloir.db");
    let error = migrate(&settings).await.expect_err("no folder");
    assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
}

#[tokio::test]
async fn every_connection_is_durable_and_readers_cannot_write() {
    let scratch = Scratch::in_file(|_| ()).await;
    for options in [scratch.settings.writer(), scratch.settings.readers()] {
        let db = Database::connect(options).await.expect("connects");
        for (pragma, expected) in [
            ("synchronous", "2"),
            ("secure_delete", "1"),
            ("foreign_keys", "1"),
            ("busy_timeout", "5000"),
            ("journal_size_limit", "67108864"),
        ] {
            let row = db.query_one_raw(sql(&format!("PRAGMA {pragma}"))).await;
            let row = row.expect("answers").expect("a row");
            let found: i64 = row.try_get_by_index(0).expect("a number");
            assert_eq!(found.to_string(), expected, "{pragma}");
        }
        let row = db.query_one_raw(sql("PRAGMA journal_mode")).await;
        let mode: String = row
            .expect("answers")
            .expect("a row")
            .try_get_by_index(0)
            .expect("a text");
        assert_eq!(mode, "wal");
        db.close().await.expect("closes");
    }
    let readers = Database::connect(scratch.settings.readers()).await;
    let refused = readers
        .expect("connects")
        .execute_raw(sql("DELETE FROM event"))
        .await;
    assert!(
        refused
            .expect_err("refused")
            .to_string()
            .contains("readonly")
    );
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::in_file(|_| ()).await;
    for entry in std::fs::read_dir(scratch.folder.path()).expect("a folder") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().to_string_lossy().into_owned();
        let mode = entry.metadata().expect("a file").permissions().mode();
        let holds_data = std::path::Path::new(&name)
            .extension()
            .is_some_and(|e| e != "lock");
        assert!(
            !holds_data || mode.trailing_zeros() >= 6,
            "{name}: {mode:o}"
        );
    }
}

fn sql(text: &str) -> Statement {
    Statement::from_string(sea_orm::DbBackend::Sqlite, text)
}
