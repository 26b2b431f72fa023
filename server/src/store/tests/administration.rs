//! What administrators make and do, as it is kept.

use sea_orm::{ConnectionTrait, DbBackend};
use secrecy::{ExposeSecret, SecretString};

use super::{Scratch, id};
use crate::domain::{
    Timestamp,
    administration::{
        AdministrationRead, AuditCheck, AuditQuery, AuditRecord, CallerKey, Change, Resource,
        ResourceKey, ResourceKind, StoredSecret,
    },
};

fn key(kind: ResourceKind, name: &str) -> ResourceKey {
    ResourceKey {
        tenant: id("default"),
        kind,
        name: id(name),
    }
}

fn resource(kind: ResourceKind, name: &str, revision: u64) -> Resource {
    Resource {
        key: key(kind, name),
        revision,
        settings: r#"{"send_timeout":"2s"}"#.to_owned(),
        off: true,
        created_at: Timestamp(1),
        updated_at: Timestamp(2),
    }
}

fn act(tenant: &str, target: &str, refused: Option<&'static str>) -> AuditRecord {
    AuditRecord {
        tenant: id(tenant),
        caller: id("ops"),
        credential: id("k1"),
        action: "UpdateAgent".to_owned(),
        target: target.to_owned(),
        detail: r#"{"paths":["settings"]}"#.to_owned(),
        refused,
    }
}

async fn change(scratch: &Scratch, change: Change) -> bool {
    let mut done = false;
    scratch
        .commit(async |tx| {
            let administration = tx.administration().expect("kept here");
            done = administration.change(&change).await.expect("written");
        })
        .await;
    done
}

async fn record(scratch: &Scratch, acts: &[AuditRecord]) {
    scratch
        .commit(async |tx| {
            for act in acts {
                let administration = tx.administration().expect("kept here");
                administration.record_act(act).await.expect("written");
            }
        })
        .await;
}

async fn verified(scratch: &Scratch, tenant: &str) -> AuditCheck {
    scratch.store.verify_acts(&id(tenant)).await.expect("read")
}

#[tokio::test]
async fn an_object_is_changed_only_at_the_revision_that_was_expected() {
    let scratch = Scratch::new().await;
    let save = |revision, expected| Change::Save {
        resource: resource(ResourceKind::Agent, "support", revision),
        expected,
    };
    assert!(change(&scratch, save(1, 0)).await);
    assert!(!change(&scratch, save(1, 0)).await, "it is there already");
    assert!(!change(&scratch, save(3, 2)).await, "it is at 1");
    assert!(change(&scratch, save(2, 1)).await);
    let found = scratch.store.administered().await.expect("read");
    assert_eq!(
        found.resources,
        [resource(ResourceKind::Agent, "support", 2)]
    );
    let delete = |expected| Change::Delete {
        key: key(ResourceKind::Agent, "support"),
        expected,
    };
    assert!(!change(&scratch, delete(1)).await);
    assert!(change(&scratch, delete(2)).await);
    let found = scratch.store.administered().await.expect("read");
    assert!(found.resources.is_empty());
}

#[tokio::test]
async fn secrets_and_keys_go_with_what_they_belong_to_and_no_others_do() {
    let scratch = Scratch::new().await;
    for (kind, name) in [
        (ResourceKind::Agent, "a"),
        (ResourceKind::Source, "a"),
        (ResourceKind::Caller, "a"),
    ] {
        let resource = resource(kind, name, 1);
        assert!(
            change(
                &scratch,
                Change::Save {
                    resource,
                    expected: 0
                }
            )
            .await
        );
    }
    for (kind, value) in [(ResourceKind::Agent, "one"), (ResourceKind::Source, "two")] {
        let secret = StoredSecret {
            id: id(value),
            owner: key(kind, "a"),
            path: "platform.zendesk.api_key".to_owned(),
            value: SecretString::from(value.to_owned()),
            created_at: Timestamp(5),
            expires_at: Some(Timestamp(9)),
        };
        assert!(change(&scratch, Change::SaveSecret(secret)).await);
    }
    let caller_key = CallerKey {
        id: id("abcdefgh2345"),
        tenant: id("default"),
        caller: id("a"),
        digest: vec![7; 32],
        created_at: Timestamp(1),
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
    };
    assert!(change(&scratch, Change::SaveKey(caller_key.clone())).await);
    for at in [30, 20] {
        let used = Change::KeyUsed {
            id: id("abcdefgh2345"),
            at: Timestamp(at),
        };
        assert!(change(&scratch, used).await);
    }
    let delete = |kind| Change::Delete {
        key: key(kind, "a"),
        expected: 1,
    };
    assert!(change(&scratch, delete(ResourceKind::Agent)).await);
    let found = scratch.store.administered().await.expect("read");
    let [left] = found.secrets.as_slice() else {
        panic!("not one: {:?}", found.secrets)
    };
    assert_eq!(left.value.expose_secret(), "two");
    assert_eq!(left.owner, key(ResourceKind::Source, "a"));
    assert_eq!(left.expires_at, Some(Timestamp(9)));
    let used = CallerKey {
        last_used_at: Some(Timestamp(30)),
        ..caller_key
    };
    assert_eq!(found.keys, [used], "the latest use counts");
    assert!(change(&scratch, delete(ResourceKind::Caller)).await);
    let found = scratch.store.administered().await.expect("read");
    assert!(found.keys.is_empty());
}

#[tokio::test]
async fn the_record_of_acts_is_numbered_and_filtered_by_tenant() {
    let scratch = Scratch::new().await;
    let acts = [
        act("default", "agents/a", None),
        act("acme", "agents/acme.b", None),
        act("default", "agents/c", Some("ETAG_MISMATCH")),
        act("default", "agents/a", None),
    ];
    record(&scratch, &acts).await;
    let numbers = async |query: AuditQuery| {
        let query = AuditQuery {
            tenant: "default".to_owned(),
            limit: 10,
            ..query
        };
        let found = scratch.store.acts(&query).await.expect("read");
        found.iter().map(|act| act.number).collect::<Vec<_>>()
    };
    assert_eq!(numbers(AuditQuery::default()).await, [3, 2, 1]);
    let of_a = AuditQuery {
        target: "agents/a".to_owned(),
        ..AuditQuery::default()
    };
    assert_eq!(numbers(of_a.clone()).await, [3, 1]);
    let below = AuditQuery {
        below: Some(3),
        ..of_a
    };
    assert_eq!(numbers(below).await, [1]);
    let refused = AuditQuery {
        refused: Some(true),
        ..AuditQuery::default()
    };
    assert_eq!(numbers(refused).await, [2]);
    let later = AuditQuery {
        from: Some(Timestamp(1_000_001)),
        ..AuditQuery::default()
    };
    assert_eq!(numbers(later).await, [0; 0]);
    let stranger = AuditQuery {
        caller: "nobody".to_owned(),
        ..AuditQuery::default()
    };
    assert_eq!(numbers(stranger).await, [0; 0]);
    assert_eq!(verified(&scratch, "acme").await.entries, 1);
}

#[tokio::test]
async fn the_record_of_acts_can_neither_be_changed_nor_shortened() {
    let scratch = Scratch::new().await;
    record(&scratch, &[act("default", "agents/a", None)]).await;
    let db = scratch.behind().await;
    let replaced = match db.get_database_backend() {
        DbBackend::Postgres => "TRUNCATE audit",
        _ => "INSERT OR REPLACE INTO audit SELECT * FROM audit",
    };
    for statement in [
        "UPDATE audit SET caller = 'nobody'",
        "DELETE FROM audit",
        replaced,
    ] {
        let refused = db.execute_unprepared(statement).await;
        let why = refused.expect_err("refused").to_string();
        assert!(why.contains("append-only"), "{statement}: {why}");
    }
    assert_eq!(verified(&scratch, "default").await.entries, 1);
}

#[tokio::test]
async fn what_was_changed_or_taken_out_behind_the_servers_back_shows() {
    for (statement, broken) in [
        ("UPDATE audit SET caller = 'nobody' WHERE number = 2", 2),
        ("UPDATE audit SET at = at - 1 WHERE number = 3", 3),
        ("UPDATE audit SET reason = 'X' WHERE number = 1", 1),
        ("DELETE FROM audit WHERE number = 2", 2),
        ("DELETE FROM audit WHERE number = 1", 1),
    ] {
        let scratch = Scratch::new().await;
        let act = act("default", "agents/a", None);
        record(&scratch, &[act.clone(), act.clone(), act]).await;
        let whole = verified(&scratch, "default").await;
        assert_eq!((whole.entries, whole.first_broken), (3, None));
        let db = scratch.behind().await;
        let without: &[&str] = match db.get_database_backend() {
            DbBackend::Postgres => &["ALTER TABLE audit DISABLE TRIGGER ALL"],
            _ => &[
                "DROP TRIGGER audit_is_not_changed",
                "DROP TRIGGER audit_is_not_shortened",
            ],
        };
        for statement in without {
            db.execute_unprepared(statement).await.expect("dropped");
        }
        db.execute_unprepared(statement).await.expect("done");
        let check = verified(&scratch, "default").await;
        assert_eq!(check.first_broken, Some(broken), "{statement}");
    }
}
