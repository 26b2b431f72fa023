//! What is shown, for people and for programs.

use std::{fs, os::unix::fs::PermissionsExt};

use parloir_proto::v1::{AuditEntry, CallerKey, Origin, SecretInfo, audit_entry::Outcome};
use prost_types::Timestamp;
use serde_json::json;

use super::{AGENT, parsed};
use crate::commands::admin::{
    audit,
    form::{Form, Screen, Table},
    key_file::KeyFile,
    keys, objects,
    shown::{Shown, whole},
    structs::to_struct,
};

fn at(seconds: i64) -> Timestamp {
    Timestamp { seconds, nanos: 0 }
}

fn on_screen(form: Form, show: impl FnOnce(&mut Screen<'_>)) -> String {
    let mut out = Vec::new();
    show(&mut Screen::new(form, &mut out));
    String::from_utf8(out).expect("text")
}

#[test]
fn what_get_shows_is_what_a_file_of_settings_holds() {
    let document = parsed(AGENT, None).expect("an agent");
    let settings = to_struct(&document.settings).expect("settings");
    let secrets = [SecretInfo {
        path: "platform.zendesk.api_key".to_owned(),
        create_time: Some(at(0)),
        expire_time: None,
    }];
    let text = whole(&Shown {
        remarks: &[("state", "paused\nmax_queued = 1")],
        name: "support",
        etag: "7",
        declared_by: objects::declared_by(Origin::Admin),
        changed: Some(&at(60)),
        secrets: &secrets,
        settings: Some(&settings),
    });
    assert!(text.starts_with(
        "# declared by: admin\n# changed: 1970-01-01T00:01:00Z\n# state: paused max_queued = 1\n# etag: 7\n\
         # secret: platform.zendesk.api_key, given 1970-01-01T00:00:00Z\nname = \"support\"\n"
    ), "{text}");
    let again = parsed(&text, Some("support")).expect("the same form");
    assert_eq!(again.settings, document.settings);
}

#[test]
fn a_list_is_a_table_or_one_object_a_line() {
    let mut table = Table::new(&["NAME", "STATE"]);
    table.add(vec!["a-long-name".to_owned(), "works".to_owned()]);
    table.add(vec!["b".to_owned(), "pau\nsed".to_owned()]);
    let objects = [json!({ "name": "a-long-name" }), json!({ "name": "b" })];
    let human = on_screen(Form::Human, |screen| {
        screen.list(&objects, &table, "none").expect("written");
    });
    assert_eq!(
        human,
        "NAME         STATE\na-long-name  works\nb            pau sed\n"
    );
    let json = on_screen(Form::Json, |screen| {
        screen.list(&objects, &table, "none").expect("written");
        screen.remark("for people").expect("written");
    });
    assert_eq!(json, "{\"name\":\"a-long-name\"}\n{\"name\":\"b\"}\n");
    let none = on_screen(Form::Human, |screen| {
        screen
            .list(&[], &Table::new(&["NAME"]), "none")
            .expect("written");
    });
    assert_eq!(none, "none\n");
}

#[test]
fn an_act_is_a_line_whatever_somebody_typed() {
    let entry = AuditEntry {
        number: 12,
        time: Some(at(0)),
        caller: "ops".to_owned(),
        credential: "abcdefghijkl".to_owned(),
        action: "CreateAgent".to_owned(),
        target: "agents/x\ny".to_owned(),
        detail: to_struct(&"paused = true".parse().expect("TOML")).ok(),
        outcome: Outcome::Refused.into(),
        reason: "NAME_TAKEN".to_owned(),
        hash: "00ff".to_owned(),
    };
    assert_eq!(
        audit::line(&entry),
        "#12  1970-01-01T00:00:00Z  ops (abcdefghijkl)  CreateAgent  agents/x y  REFUSED NAME_TAKEN  {\"paused\":true}"
    );
    let object = objects::audit_entry(&entry);
    assert_eq!(object["outcome"], "OUTCOME_REFUSED");
    assert_eq!(object["detail"], json!({ "paused": true }));
}

#[test]
fn a_key_says_until_when_it_counts() {
    let key = |expire_time, revoke_time| CallerKey {
        id: "k".to_owned(),
        caller: "shop".to_owned(),
        create_time: Some(at(0)),
        expire_time,
        last_use_time: None,
        revoke_time,
    };
    for (key, end) in [
        (
            key(None, None),
            "last used never, counts until it is revoked",
        ),
        (key(Some(at(60)), None), "counts until 1970-01-01T00:01:00Z"),
        (
            key(Some(at(60)), Some(at(30))),
            "revoked 1970-01-01T00:00:30Z",
        ),
    ] {
        assert!(keys::line(&key).ends_with(end), "{}", keys::line(&key));
    }
}

#[test]
fn a_key_file_is_its_owners_alone_and_never_written_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("key");
    let file = KeyFile::create(&path).expect("a new file");
    file.keep("parloir_a_b").expect("kept");
    assert_eq!(fs::read_to_string(&path).expect("text"), "parloir_a_b\n");
    let mode = fs::metadata(&path).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(KeyFile::create(&path).is_err());

    let unused = folder.path().join("unused");
    drop(KeyFile::create(&unused).expect("a new file"));
    assert!(!unused.exists(), "no key, no file");
}
