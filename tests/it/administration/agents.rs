//! The life of an agent that an administrator makes.

use parloir_client::{
    Code,
    v1::{
        DeleteAccountRequest, DeleteAgentRequest, DeliveryState, GetAgentRequest, Origin,
        PauseAgentRequest, ResumeAgentRequest, TestAgentRequest, test_agent_response::Verdict,
    },
};

use super::{KEY_PATH, TOKENS, acts, agent, create, create_account, refusal, server};
use crate::support::{
    platform::Behaviour,
    server::{AGENT, TestServer, state},
};

async fn tested(server: &TestServer, name: &str) -> (Verdict, i32, String) {
    let request = TestAgentRequest {
        name: name.to_owned(),
    };
    let tested = server.client.test_agent(request).await.expect("an answer");
    assert!(tested.duration.is_some());
    (tested.verdict(), tested.status, tested.text)
}

#[tokio::test]
async fn an_agent_is_created_paused_tested_resumed_and_talks() {
    let server = server().await;
    let mut wanted = agent(&server, "second");
    wanted.paused = true;
    let made = create(&server.client, wanted, "key-2").await.expect("made");
    assert_eq!(made.platform, "zendesk");
    assert_eq!(made.webhook_path, "/webhooks/second");
    assert_eq!(made.origin(), Origin::Admin);
    let paths: Vec<_> = made
        .secrets
        .iter()
        .map(|secret| secret.path.as_str())
        .collect();
    assert_eq!(paths, [KEY_PATH, &format!("{TOKENS}[0]")]);
    create_account(&server.client, "outlet", "second")
        .await
        .expect("made");

    assert_eq!(tested(&server, "second").await.0, Verdict::CredentialsOk);
    let asked = server.platform.last_request();
    assert_eq!(asked.header("authorization"), "key-2");
    assert_eq!(
        asked.json()["eventType"],
        "endSession",
        "no message is sent"
    );

    let asked = server.platform.requests().len();
    let said = server.client.say("outlet", "c-1", "m-1", "hello").await;
    assert_eq!(state(&said), DeliveryState::Queued, "it waits");
    assert_eq!(server.platform.requests().len(), asked, "nothing is sent");
    let name = || "second".to_owned();
    let resumed = server
        .client
        .resume_agent(ResumeAgentRequest { name: name() })
        .await;
    assert!(!resumed.expect("resumed").agent.expect("it").paused);
    let said = server.client.say("outlet", "c-1", "m-2", "again").await;
    assert_eq!(state(&said), DeliveryState::Delivered);
    let sent = server.platform.requests();
    let texts = sent[asked..]
        .iter()
        .map(|request| request.json()["text"].clone());
    let texts: Vec<_> = texts.filter(|text| !text.is_null()).collect();
    assert_eq!(texts, ["hello", "again"], "what had waited goes first");

    let paused = server
        .client
        .pause_agent(PauseAgentRequest { name: name() })
        .await;
    assert!(paused.expect("paused").agent.expect("it").paused);
    let said = server.client.say("outlet", "c-1", "m-3", "hello").await;
    assert_eq!(state(&said), DeliveryState::Queued);

    let delete = || DeleteAgentRequest {
        name: name(),
        ..DeleteAgentRequest::default()
    };
    let refused = server.client.delete_agent(delete()).await;
    assert_eq!(
        refusal(refused),
        (Code::FailedPrecondition, "IN_USE".to_owned())
    );
    let account = DeleteAccountRequest {
        name: "outlet".to_owned(),
        ..DeleteAccountRequest::default()
    };
    server
        .client
        .delete_account(account)
        .await
        .expect("deleted");
    server.client.delete_agent(delete()).await.expect("deleted");
    let gone = server
        .client
        .get_agent(GetAgentRequest { name: name() })
        .await;
    assert_eq!(
        refusal(gone),
        (Code::NotFound, "AGENT_NOT_FOUND".to_owned())
    );

    let acts = acts(&server.client).await;
    let told: Vec<_> = acts
        .iter()
        .map(|(action, target, reason)| (action.as_str(), target.as_str(), reason.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("CreateAgent", "agents/second", ""),
            ("CreateAccount", "accounts/outlet", ""),
            ("TestAgent", "agents/second", ""),
            ("ResumeAgent", "agents/second", ""),
            ("PauseAgent", "agents/second", ""),
            ("DeleteAgent", "agents/second", "IN_USE"),
            ("DeleteAccount", "accounts/outlet", ""),
            ("DeleteAgent", "agents/second", ""),
        ]
    );
}

#[tokio::test]
async fn a_test_says_what_came_back() {
    let server = server().await;
    server
        .platform
        .next(Behaviour::answer(401, "no key-of-the-test here"));
    let (verdict, status, _) = tested(&server, AGENT).await;
    assert_eq!((verdict, status), (Verdict::CredentialsRefused, 401));
    server.platform.next(Behaviour::answer(404, "no such bot"));
    let found = tested(&server, AGENT).await;
    assert_eq!(found, (Verdict::BotUnknown, 404, "no such bot".to_owned()));
    let echo = format!("bad request with {}", crate::support::server::KEY);
    server.platform.next(Behaviour::answer(400, &echo));
    let found = tested(&server, AGENT).await;
    let said = "bad request with [removed]".to_owned();
    assert_eq!(found, (Verdict::CredentialsOk, 400, said));
    server.platform.next(Behaviour::answer(500, "oops"));
    assert_eq!(tested(&server, AGENT).await.0, Verdict::Unclear);
    server.platform.stop().await;
    let (verdict, status, _) = tested(&server, AGENT).await;
    assert_eq!((verdict, status), (Verdict::Unreachable, 0));
    let unknown = TestAgentRequest {
        name: "nobody".to_owned(),
    };
    let refused = server.client.test_agent(unknown).await;
    assert_eq!(
        refusal(refused),
        (Code::NotFound, "AGENT_NOT_FOUND".to_owned())
    );
}

#[tokio::test]
async fn two_agents_never_share_a_key() {
    let server = server().await;
    let shared = create(
        &server.client,
        agent(&server, "second"),
        crate::support::server::KEY,
    )
    .await;
    let found = super::wrong(shared);
    assert_eq!(
        found,
        [format!(
            "secrets[{KEY_PATH}]: is the API key of the agent {AGENT} too: a key belongs to one agent"
        )]
    );
}
