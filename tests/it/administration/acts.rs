//! The record of acts.

use parloir_client::v1::{
    ListAuditEntriesRequest, PauseAgentRequest, VerifyAuditLogRequest, audit_entry::Outcome,
};

use super::{agent, create, server, text};
use crate::support::server::AGENT;

#[tokio::test]
async fn every_act_is_recorded_without_secrets_whether_done_or_refused() {
    let server = server().await;
    let client = &server.client;
    create(client, agent(&server, "second"), "planted-key")
        .await
        .expect("made");
    let mut leaky = agent(&server, "third");
    let given = leaky.settings.as_mut().expect("settings");
    given
        .fields
        .insert("api_key".to_owned(), text("planted-elsewhere"));
    create(client, leaky, "planted-key-3")
        .await
        .expect_err("refused");
    let pause = PauseAgentRequest {
        name: AGENT.to_owned(),
    };
    client.pause_agent(pause).await.expect_err("declared");

    let request = ListAuditEntriesRequest::default();
    let entries = client
        .list_audit_entries(request.clone())
        .await
        .expect("listed")
        .entries;
    let told: Vec<_> = entries
        .iter()
        .map(|act| (act.number, act.outcome(), act.reason.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (3, Outcome::Refused, "DECLARED_IN_CONFIGURATION"),
            (2, Outcome::Refused, "INVALID_FIELD"),
            (1, Outcome::Done, ""),
        ]
    );
    let all = format!("{entries:?}");
    assert!(!all.contains("planted"), "{all}");
    assert!(all.contains("bot-2"), "what was set is told");
    assert_eq!(entries[0].caller, "anonymous");

    let refused = ListAuditEntriesRequest {
        outcome: Outcome::Refused.into(),
        page_size: 1,
        ..request
    };
    let first = client
        .list_audit_entries(refused.clone())
        .await
        .expect("listed");
    assert_eq!(first.entries[0].number, 3);
    let second = ListAuditEntriesRequest {
        page_token: first.next_page_token,
        ..refused
    };
    let second = client.list_audit_entries(second).await.expect("listed");
    assert_eq!(second.entries[0].number, 2);
    assert!(second.next_page_token.is_empty());

    let check = client
        .verify_audit_log(VerifyAuditLogRequest {})
        .await
        .expect("checked");
    assert!(check.intact);
    assert_eq!(check.entries, 3);
    assert_eq!(check.newest_hash, entries[0].hash);
}
