//! Callers and their keys: from the first one on, nobody gets in without.

use std::{fs, os::unix::fs::PermissionsExt};

use super::stage::Stage;

#[tokio::test]
async fn the_first_caller_administrates_and_from_its_key_on_nobody_gets_in_without() {
    let stage = Stage::start().await;
    let said = stage
        .refused(&["callers", "create", "desk", "--scope", "converse"])
        .await;
    assert!(said.contains("--scope admin"), "{said}");
    stage
        .done(&["callers", "create", "ops", "--scope", "admin"])
        .await;
    let key = stage.setup.path("ops-key");
    let file = key.to_str().expect("text");
    let made = stage
        .object(&[
            "keys",
            "create",
            "ops",
            "--to",
            file,
            "--expires-in",
            "90days",
        ])
        .await;
    let text = fs::read_to_string(&key).expect("a key");
    let id = made["key"]["id"].as_str().expect("an id");
    assert!(text.starts_with(&format!("parloir_{id}_")), "{made}");
    assert!(!made.to_string().contains(text.trim_end()), "{made}");
    let rights = fs::metadata(&key).expect("a file").permissions().mode();
    assert_eq!(rights & 0o777, 0o600);

    let said = stage.refused(&["agents", "list"]).await;
    assert!(said.contains("--key-file"), "{said}");
    stage.done(&["agents", "list", "--key-file", file]).await;

    stage
        .done(&[
            "callers",
            "create",
            "desk",
            "--scope",
            "converse",
            "--key-file",
            file,
        ])
        .await;
    let shown = stage
        .run(&["keys", "create", "desk", "--key-file", file])
        .await;
    assert!(shown.err.contains("this once"), "{shown:?}");
    let desk = stage.write("desk-key", &shown.out);
    let desk = desk.to_str().expect("text");
    let said = stage.refused(&["agents", "list", "--key-file", desk]).await;
    assert!(said.contains("scope admin"), "{said}");

    let id = shown.out.split('_').nth(1).expect("an id").to_owned();
    stage
        .done(&["keys", "revoke", &id, "--key-file", file])
        .await;
    let keys = stage
        .objects(&["keys", "list", "desk", "--key-file", file])
        .await;
    assert_eq!((keys.len(), &keys[0]["id"]), (1, &id.into()));
    assert!(keys[0]["revoke_time"].is_string(), "{keys:?}");
    let said = stage.refused(&["agents", "list", "--key-file", desk]).await;
    assert!(said.contains("--key-file"), "{said}");
}
