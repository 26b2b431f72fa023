//! Administrators at work on a running server, through the client crate.

mod acts;
mod agents;
mod callers;
mod objects;
mod secrets;
mod sources;

use std::collections::{BTreeMap, HashMap};

use parloir_client::{
    Client, Code, Error,
    v1::{self, Account, Agent, CreateAccountRequest, CreateAgentRequest, CreateAgentResponse},
};
use prost_types::{Struct, Value, value::Kind};

use crate::support::server::{TestServer, Wishes};

/// The setting of an agent's key, and that of its webhooks' tokens.
pub const KEY_PATH: &str = "platform.zendesk.api_key";
pub const TOKENS: &str = "platform.zendesk.webhook.static_header.secrets";

/// A server whose administrators may reach its platform, which stands on this machine.
pub async fn server() -> TestServer {
    TestServer::start_with(Wishes {
        top: "admin.allow_private_addresses = true",
        ..Wishes::default()
    })
    .await
}

pub fn text(text: &str) -> Value {
    value(Kind::StringValue(text.to_owned()))
}

pub fn table<const N: usize>(fields: [(&str, Value); N]) -> Value {
    value(Kind::StructValue(settings(fields)))
}

pub fn settings<const N: usize>(fields: [(&str, Value); N]) -> Struct {
    let named = fields.map(|(name, value)| (name.to_owned(), value));
    Struct {
        fields: BTreeMap::from(named),
    }
}

fn value(kind: Kind) -> Value {
    Value { kind: Some(kind) }
}

/// An agent on the test's platform whose webhooks carry a token.
pub fn agent(server: &TestServer, name: &str) -> Agent {
    let webhook = table([("static_header", table([("header", text("x-token"))]))]);
    let zendesk = table([
        ("bot_id", text("bot-2")),
        ("base_url", text(&server.platform.url())),
        ("webhook", webhook),
    ]);
    Agent {
        name: name.to_owned(),
        settings: Some(settings([
            ("send_timeout", text("5s")),
            ("platform", table([("zendesk", zendesk)])),
        ])),
        ..Agent::default()
    }
}

pub fn its_secrets(key: &str) -> HashMap<String, String> {
    HashMap::from([
        (KEY_PATH.to_owned(), key.to_owned()),
        (format!("{TOKENS}[0]"), "token-one".to_owned()),
    ])
}

pub async fn create(client: &Client, agent: Agent, key: &str) -> Result<Agent, Error> {
    let request = CreateAgentRequest {
        agent: Some(agent),
        secrets: its_secrets(key),
    };
    let CreateAgentResponse { agent } = client.create_agent(request).await?;
    Ok(agent.expect("the agent"))
}

pub async fn create_account(client: &Client, name: &str, agent: &str) -> Result<Account, Error> {
    let request = CreateAccountRequest {
        account: Some(Account {
            account: name.to_owned(),
            agent: agent.to_owned(),
            ..Account::default()
        }),
    };
    let created = client.create_account(request).await?;
    Ok(created.account.expect("the account"))
}

/// The code and the reason of what was refused.
pub fn refusal<T: std::fmt::Debug>(answer: Result<T, Error>) -> (Code, String) {
    let error = answer.expect_err("refused");
    (error.code(), error.reason().unwrap_or_default().to_owned())
}

/// The fields that are wrong, each with what is said of it.
pub fn wrong<T: std::fmt::Debug>(answer: Result<T, Error>) -> Vec<String> {
    let error = answer.expect_err("refused");
    assert_eq!(error.code(), Code::InvalidArgument, "{error}");
    let each = error.field_violations();
    each.map(|one| format!("{}: {}", one.field, one.description))
        .collect()
}

/// All acts of the tenant, oldest first: the call, the target, and why it was refused.
pub async fn acts(client: &Client) -> Vec<(String, String, String)> {
    let request = v1::ListAuditEntriesRequest {
        page_size: 500,
        ..v1::ListAuditEntriesRequest::default()
    };
    let listed = client.list_audit_entries(request).await.expect("listed");
    let each = listed.entries.into_iter().rev();
    each.map(|act| (act.action, act.target, act.reason))
        .collect()
}
