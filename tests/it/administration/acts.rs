//! The record of acts.

use parloir_client::v1::{
    ErasePersonalDataRequest, ListAuditEntriesRequest, PauseAgentRequest, VerifyAuditLogRequest,
    audit_entry::Outcome, erase_personal_data_request::Subject,
};

use super::{agent, create, server, text};
use crate::support::server::{ACCOUNT, AGENT};

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

#[tokio::test]
async fn an_erasure_is_an_act_and_its_record_holds_ids_alone() {
    let server = server().await;
    server
        .say("c-1", "m-1", "planted-words")
        .await
        .expect("said");
    let erase = |subject, command: &str| ErasePersonalDataRequest {
        account: ACCOUNT.to_owned(),
        command_id: command.to_owned(),
        subject: Some(subject),
    };
    let conversation = Subject::ConversationId("c-1".to_owned());
    let first = erase(conversation, "e-1");
    let erased = server.client.erase_personal_data(first.clone()).await;
    let receipt = erased.expect("erased").erasure.expect("a receipt");
    // A repetition does nothing, so it is no second act.
    server
        .client
        .erase_personal_data(first)
        .await
        .expect("the same");
    let nobody = erase(Subject::ContactId("nobody".to_owned()), "e-2");
    server
        .client
        .erase_personal_data(nobody)
        .await
        .expect_err("no such contact");

    let acts = super::acts(&server.client).await;
    let expected = [
        (format!("accounts/{ACCOUNT}/conversations/c-1"), ""),
        (
            format!("accounts/{ACCOUNT}/contacts/nobody"),
            "CONTACT_NOT_FOUND",
        ),
    ];
    let expected = expected.map(|(target, reason)| {
        let action = "ErasePersonalData".to_owned();
        (action, target, reason.to_owned())
    });
    assert_eq!(acts, expected);
    let entries = server
        .client
        .list_audit_entries(ListAuditEntriesRequest::default())
        .await
        .expect("listed")
        .entries;
    let all = format!("{entries:?}");
    assert!(all.contains(&receipt.receipt_id), "{all}");
    assert!(!all.contains("planted"), "{all}");
}
