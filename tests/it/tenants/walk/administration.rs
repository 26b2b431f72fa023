//! What an administrator does.

use parloir_client::v1::{self, Account, Agent};
use prost_types::FieldMask;

use super::{
    Expected::{NotFound, Own, Refused},
    Loot, Step, step,
};

fn mask(path: &str) -> FieldMask {
    let paths = vec![path.to_owned()];
    FieldMask { paths }
}

pub(super) fn agents(loot: &Loot) -> Vec<Step> {
    let name = loot.agent.clone();
    let agent = |name: &str| {
        Some(Agent {
            name: name.to_owned(),
            settings: Some(prost_types::Struct::default()),
            ..Default::default()
        })
    };
    let fresh = format!("{}.fresh", loot.other.name);
    vec![
        step(
            "AdminService/CreateAgent",
            Refused,
            &v1::CreateAgentRequest {
                agent: agent(&fresh),
                ..Default::default()
            },
        ),
        step(
            "AdminService/CreateAgent",
            Refused,
            &v1::CreateAgentRequest {
                agent: agent(&name),
                ..Default::default()
            },
        ),
        step(
            "AdminService/GetAgent",
            NotFound,
            &v1::GetAgentRequest { name: name.clone() },
        ),
        step(
            "AdminService/ListAgents",
            Own,
            &v1::ListAgentsRequest::default(),
        ),
        step(
            "AdminService/UpdateAgent",
            NotFound,
            &v1::UpdateAgentRequest {
                agent: agent(&name),
                update_mask: Some(mask("settings")),
                ..Default::default()
            },
        ),
        step(
            "AdminService/DeleteAgent",
            NotFound,
            &v1::DeleteAgentRequest {
                name: name.clone(),
                ..Default::default()
            },
        ),
        step(
            "AdminService/PauseAgent",
            NotFound,
            &v1::PauseAgentRequest { name: name.clone() },
        ),
        step(
            "AdminService/ResumeAgent",
            NotFound,
            &v1::ResumeAgentRequest { name: name.clone() },
        ),
        step(
            "AdminService/TestAgent",
            NotFound,
            &v1::TestAgentRequest { name },
        ),
    ]
}

pub(super) fn accounts(loot: &Loot) -> Vec<Step> {
    let name = loot.account.clone();
    let account = |name: &str, agent: &str, source: &str| {
        Some(Account {
            account: name.to_owned(),
            agent: agent.to_owned(),
            source: source.to_owned(),
            ..Default::default()
        })
    };
    vec![
        // Of the other's agent, and with its source.
        step(
            "AdminService/CreateAccount",
            Refused,
            &v1::CreateAccountRequest {
                account: account("fresh", &loot.agent, ""),
            },
        ),
        step(
            "AdminService/CreateAccount",
            Refused,
            &v1::CreateAccountRequest {
                account: account("fresh", "bolt.bot", &loot.source),
            },
        ),
        step(
            "AdminService/GetAccount",
            NotFound,
            &v1::GetAccountRequest { name: name.clone() },
        ),
        step(
            "AdminService/ListAccounts",
            Own,
            &v1::AdminServiceListAccountsRequest::default(),
        ),
        step(
            "AdminService/UpdateAccount",
            NotFound,
            &v1::UpdateAccountRequest {
                account: account(&name, "bolt.bot", ""),
                update_mask: Some(mask("agent")),
            },
        ),
        step(
            "AdminService/DeleteAccount",
            NotFound,
            &v1::DeleteAccountRequest {
                name,
                ..Default::default()
            },
        ),
    ]
}

pub(super) fn sources(loot: &Loot) -> Vec<Step> {
    use v1::rotate_secret_request::Owner;
    let name = loot.source.clone();
    let source = |name: &str| {
        Some(v1::Source {
            name: name.to_owned(),
            settings: Some(prost_types::Struct::default()),
            ..Default::default()
        })
    };
    let fresh = format!("{}.fresh", loot.other.name);
    let mut steps = vec![
        step(
            "AdminService/CreateSource",
            Refused,
            &v1::CreateSourceRequest {
                source: source(&fresh),
                ..Default::default()
            },
        ),
        step(
            "AdminService/GetSource",
            NotFound,
            &v1::GetSourceRequest { name: name.clone() },
        ),
        step(
            "AdminService/ListSources",
            Own,
            &v1::ListSourcesRequest::default(),
        ),
        step(
            "AdminService/UpdateSource",
            NotFound,
            &v1::UpdateSourceRequest {
                source: source(&name),
                update_mask: Some(mask("settings")),
                ..Default::default()
            },
        ),
        step(
            "AdminService/DeleteSource",
            NotFound,
            &v1::DeleteSourceRequest {
                name: name.clone(),
                ..Default::default()
            },
        ),
    ];
    let secrets = [
        (Owner::Agent(loot.agent.clone()), "platform.zendesk.api_key"),
        (Owner::Source(name), "system.whatsapp.app_secrets"),
    ];
    for (owner, path) in secrets {
        steps.push(step(
            "AdminService/RotateSecret",
            NotFound,
            &v1::RotateSecretRequest {
                owner: Some(owner),
                path: path.into(),
                value: "a-secret-of-a-stranger".into(),
                overlap: None,
            },
        ));
    }
    steps
}

pub(super) fn callers(loot: &Loot) -> Vec<Step> {
    let name = loot.other.own("caller");
    let caller = |name: &str| {
        Some(v1::Caller {
            name: name.to_owned(),
            scopes: vec![v1::Scope::Admin.into()],
            ..Default::default()
        })
    };
    let key_id = loot.other.caller.key.split('_').nth(1).unwrap_or_default();
    vec![
        // A caller is made in the tenant of who makes it, whatever its name.
        step(
            "AdminService/CreateCaller",
            Own,
            &v1::CreateCallerRequest {
                caller: caller("fresh"),
            },
        ),
        step(
            "AdminService/GetCaller",
            NotFound,
            &v1::GetCallerRequest { name: name.clone() },
        ),
        step(
            "AdminService/ListCallers",
            Own,
            &v1::ListCallersRequest::default(),
        ),
        step(
            "AdminService/UpdateCaller",
            NotFound,
            &v1::UpdateCallerRequest {
                caller: caller(&name),
                update_mask: Some(mask("scopes")),
            },
        ),
        step(
            "AdminService/DeleteCaller",
            NotFound,
            &v1::DeleteCallerRequest {
                name: name.clone(),
                ..Default::default()
            },
        ),
        step(
            "AdminService/CreateKey",
            NotFound,
            &v1::CreateKeyRequest {
                caller: name.clone(),
                ..Default::default()
            },
        ),
        step(
            "AdminService/ListKeys",
            NotFound,
            &v1::ListKeysRequest {
                caller: name,
                ..Default::default()
            },
        ),
        step(
            "AdminService/RevokeKey",
            NotFound,
            &v1::RevokeKeyRequest {
                id: key_id.to_owned(),
            },
        ),
    ]
}

/// First of all: later it tells of what this caller was refused, with the names that it asked for.
pub(super) fn audit(_: &Loot) -> Vec<Step> {
    vec![
        step(
            "AdminService/ListAuditEntries",
            Own,
            &v1::ListAuditEntriesRequest::default(),
        ),
        step(
            "AdminService/VerifyAuditLog",
            Own,
            &v1::VerifyAuditLogRequest::default(),
        ),
    ]
}

/// A subscription's name is the tenant's own: another's of the same name is another one.
pub(super) fn subscriptions(loot: &Loot) -> Vec<Step> {
    let name = format!("sub-of-{}", loot.other.name);
    let mut steps = vec![
        step(
            "ConversationService/PullEvents",
            Own,
            &v1::PullEventsRequest {
                filter: Some(v1::EventFilter {
                    accounts: vec![loot.account.clone()],
                    ..Default::default()
                }),
                start: Some(v1::pull_events_request::Start::Position(
                    v1::StartPosition::Earliest.into(),
                )),
                wait: Some(prost_types::Duration::default()),
                ..Default::default()
            },
        ),
        step(
            "ConversationService/AckEvents",
            Refused,
            &v1::AckEventsRequest {
                subscription: name.clone(),
                acks: vec![v1::EventAck::default()],
            },
        ),
        step(
            "AdminService/CreateSubscription",
            Own,
            &v1::CreateSubscriptionRequest {
                subscription: Some(v1::NamedSubscription {
                    name: "own".into(),
                    ..Default::default()
                }),
                ..Default::default()
            },
        ),
        step(
            "AdminService/ListSubscriptions",
            Own,
            &v1::ListSubscriptionsRequest::default(),
        ),
    ];
    steps.extend([
        step(
            "AdminService/GetSubscription",
            NotFound,
            &v1::GetSubscriptionRequest { name: name.clone() },
        ),
        step(
            "AdminService/UpdateSubscription",
            NotFound,
            &v1::UpdateSubscriptionRequest {
                name: name.clone(),
                policy: Some(v1::SubscriptionPolicy::default()),
                ..Default::default()
            },
        ),
        step(
            "AdminService/DeleteSubscription",
            NotFound,
            &v1::DeleteSubscriptionRequest {
                name: name.clone(),
                ..Default::default()
            },
        ),
        step(
            "AdminService/ListParkedEvents",
            NotFound,
            &v1::ListParkedEventsRequest {
                name: name.clone(),
                ..Default::default()
            },
        ),
        step(
            "AdminService/RedriveParkedEvents",
            NotFound,
            &v1::RedriveParkedEventsRequest {
                name: name.clone(),
                preview: true,
                ..Default::default()
            },
        ),
        step(
            "AdminService/MoveSubscription",
            NotFound,
            &v1::MoveSubscriptionRequest {
                name,
                to: Some(v1::move_subscription_request::To::Position(
                    v1::StartPosition::Earliest.into(),
                )),
            },
        ),
    ]);
    steps
}
