//! What is kept of an act for good: never more than a little that its caller chose.

use super::*;
use crate::domain::administration::AuditEntry;

async fn newest(office: &Office) -> AuditEntry {
    let query = AuditQuery {
        limit: 1,
        ..AuditQuery::default()
    };
    let acts = office.admin.acts(&of("default"), query).await;
    acts.expect("read").pop().expect("an act")
}

/// Masks with something to say.
fn masks() -> [Vec<String>; 3] {
    let long = "x".repeat(100_000);
    [
        vec![
            long.clone(),
            format!("settings.actions[{long}].name"),
            format!("settings.{long}"),
        ],
        ["settings.send_timeout", "agent", "scopes"]
            .iter()
            .cycle()
            .take(90_000)
            .map(|path| (*path).to_owned())
            .collect(),
        vec!["a visitor's words".to_owned()],
    ]
}

#[tokio::test]
async fn a_refused_act_records_nothing_of_any_length() {
    let office = Office::open().await;
    let (admin, who) = (&office.admin, of("default"));
    for mask in masks() {
        let object = ObjectChange {
            name: "there is none".repeat(20),
            mask: mask.clone(),
            ..ObjectChange::default()
        };
        refused(admin.update(&who, Kind::Agent, object).await);
        let agent = newest(&office).await;
        let account = AccountChange {
            name: "no\nname".to_owned(),
            mask: mask.clone(),
            ..AccountChange::default()
        };
        refused(admin.update_account(&who, account).await);
        let account = newest(&office).await;
        let wanted = CallerChange {
            name: "no/name".to_owned(),
            mask,
            ..CallerChange::default()
        };
        refused(admin.update_caller(&who, wanted).await);
        for entry in [agent, account, newest(&office).await] {
            let (action, detail) = (&entry.action, &entry.detail);
            assert!(detail.len() < 1024, "{action}: {} bytes", detail.len());
            assert!(!detail.contains("xx") && !detail.contains("words"));
            assert_eq!(entry.target, "", "{action}");
        }
    }
    let key = "no key".to_owned();
    refused(admin.revoke_key(&who, &key).await);
    assert_eq!(newest(&office).await.target, "");
}

#[tokio::test]
async fn a_refused_act_records_what_it_was_about() {
    let office = Office::open().await;
    let wanted = ObjectChange {
        mask: vec!["settings.send_timeout".to_owned()],
        ..agent("support")
    };
    let (admin, who) = (&office.admin, of("default"));
    assert_eq!(
        refused(admin.update(&who, Kind::Agent, wanted).await),
        "AGENT_NOT_FOUND"
    );
    let entry = newest(&office).await;
    assert_eq!(entry.target, "agents/support");
    let expected =
        r#"{"secrets":["platform.zendesk.api_key"],"update_mask":["settings.send_timeout"]}"#;
    assert_eq!(entry.detail, expected);
}

#[tokio::test]
async fn a_limit_that_was_named_is_recorded() {
    let office = Office::open().await;
    let wanted = CallerChange {
        name: "crm".to_owned(),
        mask: ["limits", "limits.streams", "limits.patience"]
            .map(str::to_owned)
            .into(),
        ..CallerChange::default()
    };
    refused(office.admin.update_caller(&of("default"), wanted).await);
    assert_eq!(
        newest(&office).await.detail,
        r#"{"update_mask":["limits","limits.streams"]}"#
    );
}

#[tokio::test]
async fn long_settings_are_recorded_by_their_length() {
    let office = Office::open().await;
    let mut wanted = agent("a");
    wanted.settings["platform"]["zendesk"]["bot_id"] = json!("b".repeat(20_000));
    let made = office
        .admin
        .create(&of("default"), Kind::Agent, wanted)
        .await;
    made.expect("made");
    let entry = newest(&office).await;
    assert!(entry.detail.len() < 1024, "{} bytes", entry.detail.len());
    let detail: Value = serde_json::from_str(&entry.detail).expect("JSON");
    let bytes = detail["settings"]["bytes"].as_u64().expect("its length");
    assert!(bytes > 20_000);
}
