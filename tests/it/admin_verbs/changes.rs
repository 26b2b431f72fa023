//! Changes: by whom they may be made, against which state, and what is said of those that may not.

use super::stage::{ACCOUNT, AGENT, FIRST_KEY, Stage};

/// The agent of the configuration.
use crate::process::AGENT as DECLARED;

async fn with_agent() -> Stage {
    let stage = Stage::start().await;
    let file = stage.agent_file();
    let file = file.to_str().expect("text");
    stage
        .done(&["agents", "create", AGENT, "--file", file])
        .await;
    stage
}

#[tokio::test]
async fn what_the_configuration_declares_is_shown_and_not_changed() {
    let stage = Stage::start().await;
    let shown = stage.object(&["agents", "get", DECLARED]).await;
    assert_eq!(shown["origin"], "ORIGIN_CONFIGURATION");
    for words in [
        &["agents", "update", DECLARED, "--set", "send_timeout=5s"][..],
        &["agents", "pause", DECLARED],
        &["agents", "delete", DECLARED, "--yes"],
    ] {
        let said = stage.refused(words).await;
        assert!(said.contains("DECLARED_IN_CONFIGURATION"), "{said}");
        assert!(said.contains("change it there"), "{said}");
    }
}

#[tokio::test]
async fn single_settings_change_and_go_back_and_what_is_shown_can_be_given_back() {
    let stage = with_agent().await;
    let update = ["agents", "update", AGENT];
    stage
        .done(
            &[
                &update[..],
                &["--set", "send_timeout=7s", "--set", "max_queued=12"],
            ]
            .concat(),
        )
        .await;
    let now = stage.object(&["agents", "get", AGENT]).await;
    assert_eq!(now["settings"]["send_timeout"], "7s");
    assert_eq!(now["settings"]["max_queued"], 12);
    stage
        .done(&[&update[..], &["--unset", "max_queued"]].concat())
        .await;

    let shown = stage.done(&["agents", "get", AGENT]).await;
    let file = stage.write("shown.toml", &shown.replace("\"7s\"", "\"8s\""));
    let file = file.to_str().expect("text");
    stage.done(&[&update[..], &["--file", file]].concat()).await;
    let now = stage.object(&["agents", "get", AGENT]).await;
    assert_eq!(now["settings"]["send_timeout"], "8s");
    assert!(now["settings"].get("max_queued").is_none(), "{now}");
    assert_eq!(
        now["secrets"][0]["path"], "platform.zendesk.api_key",
        "it stays"
    );
}

#[tokio::test]
async fn of_two_who_change_the_same_the_second_is_told() {
    let stage = with_agent().await;
    let etag = stage.object(&["agents", "get", AGENT]).await["etag"].clone();
    let etag = etag.as_str().expect("text");
    let update = |setting| ["agents", "update", AGENT, "--etag", etag, "--set", setting];
    stage.done(&update("send_timeout=6s")).await;
    let said = stage.refused(&update("send_timeout=7s")).await;
    assert!(said.contains("ETAG_MISMATCH"), "{said}");
    assert!(said.contains("parloir admin agents get care"), "{said}");
    let now = stage.object(&["agents", "get", AGENT]).await;
    assert_eq!(now["settings"]["send_timeout"], "6s");
}

#[tokio::test]
async fn every_wrong_setting_is_named() {
    let stage = with_agent().await;
    let said = stage
        .refused(&[
            "agents",
            "update",
            AGENT,
            "--set",
            "send_timeout=1h",
            "--set",
            "max_queued=0",
        ])
        .await;
    for field in [
        "agent.settings.send_timeout: ",
        "agent.settings.max_queued: ",
    ] {
        assert!(said.contains(field), "{said}");
    }
}

#[tokio::test]
async fn a_secret_on_the_command_line_reaches_no_server_and_no_screen() {
    let stage = with_agent().await;
    let secret = format!("platform.zendesk.api_key={FIRST_KEY}");
    for words in [
        ["agents", "update", AGENT, "--secret", &secret],
        ["agents", "update", AGENT, "--set", &secret],
    ] {
        let said = stage.refused(&words).await;
        assert!(
            said.contains("@FILE") && !said.contains(FIRST_KEY),
            "{said}"
        );
    }
    assert_eq!(
        stage.objects(&["audit"]).await.len(),
        1,
        "the creation alone"
    );
}

#[tokio::test]
async fn what_is_used_is_not_deleted_and_nothing_is_where_nobody_can_be_asked() {
    let stage = with_agent().await;
    stage
        .done(&["accounts", "create", ACCOUNT, "--agent", AGENT])
        .await;
    let said = stage.refused(&["agents", "delete", AGENT]).await;
    assert!(said.contains("--yes"), "{said}");
    let said = stage.refused(&["agents", "delete", AGENT, "--yes"]).await;
    assert!(said.contains("IN_USE"), "{said}");
    stage.done(&["accounts", "delete", ACCOUNT, "--yes"]).await;
    stage.done(&["agents", "delete", AGENT, "--yes"]).await;
    let said = stage.refused(&["agents", "get", AGENT]).await;
    assert!(said.contains("care"), "{said}");
    let refused = stage.objects(&["audit", "--outcome", "refused"]).await;
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!(refused[0]["reason"], "IN_USE");
}
