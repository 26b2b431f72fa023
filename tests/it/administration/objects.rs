//! What holds for objects of every kind: pages, masks, etags, and what the configuration declares.

use parloir_client::{
    Code,
    v1::{
        AdminServiceListAccountsRequest, Agent, DeleteAgentRequest, GetAgentRequest,
        ListAgentsRequest, Origin, PauseAgentRequest, UpdateAgentRequest,
    },
};
use prost_types::FieldMask;

use super::{KEY_PATH, agent, create, create_account, refusal, server, settings, text, wrong};
use crate::support::server::{ACCOUNT, AGENT, TestServer};

fn mask<const N: usize>(paths: [&str; N]) -> FieldMask {
    FieldMask {
        paths: paths.map(str::to_owned).to_vec(),
    }
}

fn change<const N: usize>(etag: &str, timeout: &str, paths: [&str; N]) -> UpdateAgentRequest {
    UpdateAgentRequest {
        agent: Some(Agent {
            name: "second".to_owned(),
            etag: etag.to_owned(),
            settings: Some(settings([("send_timeout", text(timeout))])),
            ..Agent::default()
        }),
        update_mask: Some(mask(paths)),
        ..UpdateAgentRequest::default()
    }
}

#[tokio::test]
async fn of_two_concurrent_edits_the_second_is_told() {
    let server = server().await;
    let made = create(&server.client, agent(&server, "second"), "key-2")
        .await
        .expect("made");
    let path = ["settings.send_timeout"];
    let (one, other) = tokio::join!(
        server.client.update_agent(change(&made.etag, "3s", path)),
        server.client.update_agent(change(&made.etag, "4s", path)),
    );
    let (done, refused) = if one.is_ok() {
        (one, other)
    } else {
        (other, one)
    };
    assert_eq!(
        refusal(refused),
        (Code::Aborted, "ETAG_MISMATCH".to_owned())
    );
    let changed = done.expect("one of them").agent.expect("it");
    assert_ne!(changed.etag, made.etag);
    let stale = DeleteAgentRequest {
        name: "second".to_owned(),
        etag: made.etag,
    };
    let refused = server.client.delete_agent(stale).await;
    assert_eq!(
        refusal(refused),
        (Code::Aborted, "ETAG_MISMATCH".to_owned())
    );
}

#[tokio::test]
async fn a_mask_changes_what_it_names_alone_and_unknown_paths_are_named() {
    let server = server().await;
    create(&server.client, agent(&server, "second"), "key-2")
        .await
        .expect("made");
    let changed = server
        .client
        .update_agent(change("", "7s", ["settings.send_timeout"]))
        .await;
    let changed = changed
        .expect("changed")
        .agent
        .expect("it")
        .settings
        .expect("settings");
    assert_eq!(changed.fields["send_timeout"], text("7s"));
    assert!(changed.fields.contains_key("platform"), "the rest stays");
    for (path, advice) in [
        ("settings.send_timeuot", "did you mean send_timeout?"),
        ("name", "cannot be changed"),
        ("settings.platform.zendesk.api_key", "is a secret"),
    ] {
        let found = wrong(server.client.update_agent(change("", "7s", [path])).await);
        assert!(found[0].starts_with("update_mask.paths[0]: "), "{found:?}");
        assert!(found[0].contains(advice), "{found:?}");
    }
    let found = wrong(server.client.update_agent(change("", "7s", [])).await);
    assert!(found[0].starts_with("update_mask: must name"), "{found:?}");
    let found = wrong(
        server
            .client
            .update_agent(change("", "1ms", ["settings.send_timeout"]))
            .await,
    );
    assert_eq!(
        found,
        ["agent.settings.send_timeout: must be between 10ms and 5m"]
    );
    let back = server.client.update_agent(UpdateAgentRequest {
        agent: Some(Agent {
            name: "second".to_owned(),
            ..Agent::default()
        }),
        update_mask: Some(mask(["settings.send_timeout"])),
        ..UpdateAgentRequest::default()
    });
    let back = back
        .await
        .expect("changed")
        .agent
        .expect("it")
        .settings
        .expect("settings");
    assert!(
        !back.fields.contains_key("send_timeout"),
        "the default counts again"
    );
}

#[tokio::test]
async fn everything_wrong_with_a_new_agent_is_said_at_once() {
    let server = server().await;
    let mut wanted = agent(&server, "second");
    let given = wanted.settings.as_mut().expect("settings");
    given.fields.insert("send_timeout".to_owned(), text("soon"));
    given.fields.insert("max_quued".to_owned(), text("1"));
    let found = wrong(create(&server.client, wanted, "key-2").await);
    let has = |start: &str| found.iter().any(|found| found.starts_with(start));
    assert!(has("agent.settings.send_timeout: "), "{found:?}");
    assert!(
        has("agent.settings.max_quued: is unknown; did you mean max_queued?"),
        "{found:?}"
    );
    for name in ["", "Ä", "acme.second", "a b"] {
        let found = wrong(create(&server.client, agent(&server, name), "key-2").await);
        assert!(found[0].starts_with("agent.name: must"), "{found:?}");
    }
}

#[tokio::test]
async fn the_servers_own_network_is_no_tenants() {
    let server = TestServer::start().await;
    let found = wrong(create(&server.client, agent(&server, "second"), "key-2").await);
    assert_eq!(found.len(), 1, "{found:?}");
    let refused = "agent.settings.platform.zendesk.base_url: leads to this machine";
    assert!(found[0].starts_with(refused), "{found:?}");
}

#[tokio::test]
async fn pages_hold_each_agent_once_and_a_token_belongs_to_its_query() {
    let server = server().await;
    for name in ["a", "b", "z"] {
        create(&server.client, agent(&server, name), &format!("key-{name}"))
            .await
            .expect("made");
    }
    let mut names = Vec::new();
    let mut request = ListAgentsRequest {
        page_size: 3,
        ..ListAgentsRequest::default()
    };
    loop {
        let page = server
            .client
            .list_agents(request.clone())
            .await
            .expect("a page");
        names.extend(page.agents.into_iter().map(|agent| agent.name));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(names, ["a", "b", AGENT, "z"]);
    let other = AdminServiceListAccountsRequest {
        page_token: request.page_token,
        ..AdminServiceListAccountsRequest::default()
    };
    let found = wrong(server.client.list_administrated_accounts(other).await);
    assert!(found[0].starts_with("page_token: "), "{found:?}");
}

#[tokio::test]
async fn what_the_configuration_declares_is_shown_and_left_alone() {
    let server = server().await;
    let name = || AGENT.to_owned();
    let shown = server
        .client
        .get_agent(GetAgentRequest { name: name() })
        .await;
    let shown = shown.expect("shown").agent.expect("it");
    assert_eq!(shown.origin(), Origin::Configuration);
    assert_eq!(shown.secrets[0].path, KEY_PATH);
    let told = format!("{:?}", shown.settings);
    assert!(
        told.contains("bot_id") && !told.contains("api-key"),
        "{told}"
    );
    let declared = (
        Code::FailedPrecondition,
        "DECLARED_IN_CONFIGURATION".to_owned(),
    );
    let mut update = change("", "7s", ["settings.send_timeout"]);
    update.agent.as_mut().expect("it").name = name();
    assert_eq!(refusal(server.client.update_agent(update).await), declared);
    let delete = DeleteAgentRequest {
        name: name(),
        ..DeleteAgentRequest::default()
    };
    assert_eq!(refusal(server.client.delete_agent(delete).await), declared);
    let pause = PauseAgentRequest { name: name() };
    assert_eq!(refusal(server.client.pause_agent(pause).await), declared);
    let taken = (Code::AlreadyExists, "NAME_TAKEN".to_owned());
    assert_eq!(
        refusal(create(&server.client, agent(&server, AGENT), "key-2").await),
        taken
    );
    let account = create_account(&server.client, ACCOUNT, AGENT).await;
    assert_eq!(refusal(account), taken);
    let found = wrong(create_account(&server.client, "outlet", "nobody").await);
    assert_eq!(found, ["account.agent: there is no agent \"nobody\""]);
}
