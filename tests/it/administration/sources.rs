//! A source whose account is gone.

use std::collections::HashMap;

use hmac::{Hmac, KeyInit, Mac};
use parloir_client::v1::{
    Account, CreateAccountRequest, CreateSourceRequest, DeleteAccountRequest, ListContactsRequest,
    Source,
};
use serde_json::json;

use super::{agent, create, server, settings, table, text};
use crate::support::{http::Connection, server::TestServer};

/// Not the agent of the configuration: its account is the only one it has.
const AGENT: &str = "desk";
const SECRET: &str = "app-5ecret-of-the-number";

async fn create_source(server: &TestServer) {
    let whatsapp = table([
        ("phone_number_id", text("PN1")),
        ("base_url", text(&server.platform.url())),
    ]);
    let request = CreateSourceRequest {
        source: Some(Source {
            name: "wa".to_owned(),
            settings: Some(settings([("system", table([("whatsapp", whatsapp)]))])),
            ..Source::default()
        }),
        secrets: ["access_token", "app_secrets[0]", "verify_tokens[0]"]
            .map(|name| (format!("system.whatsapp.{name}"), SECRET.to_owned()))
            .into_iter()
            .collect::<HashMap<_, _>>(),
    };
    server.client.create_source(request).await.expect("made");
}

async fn create_account(server: &TestServer) {
    let request = CreateAccountRequest {
        account: Some(Account {
            account: "outlet".to_owned(),
            agent: AGENT.to_owned(),
            source: "wa".to_owned(),
            ..Account::default()
        }),
    };
    server.client.create_account(request).await.expect("made");
}

/// The status with which a visitor's message is answered.
async fn says(server: &TestServer, id: &str) -> u16 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let value = json!({
        "messaging_product": "whatsapp",
        "metadata": { "display_phone_number": "1555000", "phone_number_id": "PN1" },
        "contacts": [{ "profile": { "name": "Ana" }, "wa_id": "32470000001" }],
        "messages": [{
            "from": "32470000001", "id": id, "type": "text", "text": { "body": "hello" },
            "timestamp": now.expect("after 1970").as_secs().to_string(),
        }],
    });
    let body = json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": "WABA", "changes": [{ "field": "messages", "value": value }] }],
    });
    let body = body.to_string();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key");
    mac.update(body.as_bytes());
    let signature = mac.finalize().into_bytes();
    let hex = (signature.iter()).fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    let signed = format!("sha256={hex}");
    let mut connection = Connection::open(server.webhooks).await;
    let headers = [("x-hub-signature-256", signed.as_str())];
    connection
        .post("/sources/wa", &headers, body.as_bytes())
        .await;
    connection.reply().await.expect("an answer").status
}

#[tokio::test]
async fn webhooks_to_a_source_without_an_account_are_to_be_sent_again() {
    let server = server().await;
    let desk = agent(&server, AGENT);
    create(&server.client, desk, "a-key").await.expect("made");
    create_source(&server).await;
    assert_eq!(says(&server, "wamid.1").await, 503, "nobody's visitor yet");
    create_account(&server).await;
    assert_eq!(says(&server, "wamid.1").await, 200);
    let delete = DeleteAccountRequest {
        name: "outlet".to_owned(),
        ..DeleteAccountRequest::default()
    };
    server.client.delete_account(delete).await.expect("deleted");
    assert_eq!(says(&server, "wamid.2").await, 503, "not lost");
    let metrics = server.metrics().await;
    let line =
        "parloir_source_webhooks_total{tenant=\"default\",source=\"wa\",outcome=\"not_taken\"} 2";
    assert!(metrics.contains(line), "no {line} in\n{metrics}");

    create_account(&server).await;
    assert_eq!(says(&server, "wamid.2").await, 200);
    let list = ListContactsRequest {
        account: "outlet".to_owned(),
        ..ListContactsRequest::default()
    };
    let known = server.client.list_contacts(list).await.expect("listed");
    assert_eq!(known.contacts.len(), 1);
}
