//! Secrets that follow one another while webhooks come in.

use std::time::Duration;

use parloir_client::v1::{
    DeliveryState, RotateSecretRequest, TestAgentRequest, rotate_secret_request::Owner,
    test_agent_response::Verdict,
};

use super::{KEY_PATH, TOKENS, agent, create, create_account, server, wrong};
use crate::support::{
    platform::Behaviour,
    server::{TestServer, state},
    webhook,
};

async fn posted(server: &TestServer, token: &str, id: &str) -> u16 {
    let body = webhook::says_as("c-1", id, "hello").replace(crate::support::server::BOT, "bot-2");
    let headers = [("x-token", token)];
    webhook::post(server.webhooks, "second", &headers, body.as_bytes())
        .await
        .status
}

fn rotation(path: &str, value: &str, overlap: i64) -> RotateSecretRequest {
    RotateSecretRequest {
        owner: Some(Owner::Agent("second".to_owned())),
        path: path.to_owned(),
        value: value.to_owned(),
        overlap: Some(prost_types::Duration {
            seconds: overlap,
            nanos: 0,
        }),
    }
}

#[tokio::test]
async fn a_webhooks_secret_is_rotated_while_webhooks_come_in() {
    let server = server().await;
    create(&server.client, agent(&server, "second"), "key-2")
        .await
        .expect("made");
    create_account(&server.client, "outlet", "second")
        .await
        .expect("made");
    assert_eq!(posted(&server, "token-one", "m-1").await, 200);
    assert_eq!(posted(&server, "token-two", "m-2").await, 401);

    let rotated = server
        .client
        .rotate_secret(rotation(TOKENS, "token-two", 60))
        .await;
    let secrets = rotated.expect("rotated").secrets;
    let told: Vec<_> = secrets
        .iter()
        .filter(|secret| secret.path.starts_with(TOKENS))
        .map(|secret| (secret.path.as_str(), secret.expire_time.is_some()))
        .collect();
    let (new, former) = (format!("{TOKENS}[0]"), format!("{TOKENS}[1]"));
    assert_eq!(told, [(new.as_str(), false), (former.as_str(), true)]);
    assert_eq!(
        posted(&server, "token-one", "m-3").await,
        200,
        "the former one still counts"
    );
    assert_eq!(
        posted(&server, "token-two", "m-4").await,
        200,
        "the new one counts at once"
    );

    server.clock.advance(Duration::from_secs(61));
    while posted(&server, "token-one", "m-5").await != 401 {
        tokio::task::yield_now().await;
    }
    assert_eq!(posted(&server, "token-two", "m-6").await, 200);
    // It does not count from its time on; that is recorded when it is taken out, a moment later.
    loop {
        let acts = super::acts(&server.client).await;
        let last = acts.last().expect("acts");
        assert_eq!(last.1, "agents/second");
        if last.0 == "ExpireSecret" {
            break;
        }
        assert_eq!(last.0, "RotateSecret");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_cannot_be_rotated_is_said_with_a_remedy() {
    let server = server().await;
    create(&server.client, agent(&server, "second"), "key-2")
        .await
        .expect("made");
    for (request, expected) in [
        (
            rotation("platform.zendesk.bot_id", "x", 0),
            "path: holds no secret",
        ),
        (
            rotation("platform.zendesk.api_kye", "x", 0),
            "did you mean api_key?",
        ),
        (
            rotation(&format!("{TOKENS}[0]"), "x", 0),
            "path: names a place in a list: give the list itself, platform.zendesk.webhook.static_header.secrets",
        ),
        (
            rotation(TOKENS, "", 0),
            "value: must be 1 to 4096 bytes long",
        ),
        (
            rotation(TOKENS, "x", 7_776_001),
            "overlap: must be 0 to 7776000 seconds",
        ),
    ] {
        let found = wrong(server.client.rotate_secret(request).await);
        assert!(found[0].contains(expected), "{found:?}");
    }
}

#[tokio::test]
async fn of_two_keys_the_former_stays_for_the_overlap_and_a_refusal_of_the_new_one_is_no_end() {
    let server = server().await;
    create(&server.client, agent(&server, "second"), "key-one")
        .await
        .expect("made");
    create_account(&server.client, "outlet", "second")
        .await
        .expect("made");
    let rotated = server
        .client
        .rotate_secret(rotation(KEY_PATH, "key-two", 60))
        .await;
    let secrets = rotated.expect("rotated").secrets;
    let paths: Vec<_> = secrets.iter().map(|secret| secret.path.as_str()).collect();
    assert!(
        paths.contains(&"platform.zendesk.previous_api_key"),
        "{paths:?}"
    );
    server
        .client
        .say("outlet", "c-1", "m-1", "hello")
        .await
        .expect("taken");
    let shown = server
        .platform
        .last_request()
        .header("authorization")
        .to_owned();
    assert_eq!(shown, "key-two", "the new one counts at once");
    server.platform.next(Behaviour::answer(401, ""));
    let said = server.client.say("outlet", "c-1", "m-2", "again").await;
    assert_eq!(state(&said), DeliveryState::Delivered);
    let shown = server
        .platform
        .last_request()
        .header("authorization")
        .to_owned();
    assert_eq!(
        shown, "key-one",
        "the former one is good for what the new one is not"
    );
    let rotated = server
        .client
        .rotate_secret(rotation(KEY_PATH, "key-three", 0))
        .await;
    let secrets = rotated.expect("rotated").secrets;
    let paths: Vec<_> = secrets.iter().map(|secret| secret.path.as_str()).collect();
    assert!(
        !paths.contains(&"platform.zendesk.previous_api_key"),
        "{paths:?}"
    );
}

#[tokio::test]
async fn a_former_key_that_works_does_not_hide_a_wrong_new_one() {
    let server = server().await;
    create(&server.client, agent(&server, "second"), "key-good")
        .await
        .expect("made");
    server
        .client
        .rotate_secret(rotation(KEY_PATH, "key-wrong", 60))
        .await
        .expect("rotated");
    server.platform.next(Behaviour::answer(401, ""));
    let request = TestAgentRequest {
        name: "second".to_owned(),
    };
    let tested = server.client.test_agent(request).await.expect("tested");
    assert_eq!(
        (tested.verdict(), tested.status),
        (Verdict::CredentialsRefused, 401)
    );
    let keys: Vec<_> = tested
        .keys
        .iter()
        .map(|key| (key.setting.as_str(), key.verdict()))
        .collect();
    let former = "platform.zendesk.previous_api_key";
    assert_eq!(
        keys,
        [
            (KEY_PATH, Verdict::CredentialsRefused),
            (former, Verdict::CredentialsOk)
        ]
    );
    let shown = server.platform.last_request();
    assert_eq!(shown.header("authorization"), "key-good");
}
