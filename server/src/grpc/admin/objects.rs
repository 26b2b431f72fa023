//! Agents and sources.

use parloir_proto::v1;

use super::{Door, pages::Page, values};
use crate::{
    admin::{Kind, ObjectChange, ObjectView, Tested, Verdict},
    domain::{Error, Result},
    wire::time::{duration, timestamp},
};

pub(super) async fn create_agent(
    door: Door<'_>,
    message: v1::CreateAgentRequest,
) -> Result<v1::CreateAgentResponse> {
    let given = message.agent.ok_or_else(|| missing("agent"))?;
    let wanted = ObjectChange {
        name: given.name,
        settings: values::read_settings(given.settings),
        secrets: values::read_secrets(message.secrets),
        paused: given.paused,
        ..ObjectChange::default()
    };
    let made = door
        .admin
        .create(&door.identity, Kind::Agent, wanted)
        .await?;
    Ok(v1::CreateAgentResponse {
        agent: Some(agent(made)),
    })
}

pub(super) async fn get_agent(
    door: Door<'_>,
    message: v1::GetAgentRequest,
) -> Result<v1::GetAgentResponse> {
    let found = door
        .admin
        .object(&door.identity, Kind::Agent, &message.name)?;
    Ok(v1::GetAgentResponse {
        agent: Some(agent(found)),
    })
}

pub(super) async fn list_agents(
    door: Door<'_>,
    message: v1::ListAgentsRequest,
) -> Result<v1::ListAgentsResponse> {
    let query = v1::ListAgentsRequest::default();
    let page = Page::asked(
        &door,
        "ListAgents",
        &query,
        message.page_size,
        &message.page_token,
    )?;
    let all = door.admin.objects(&door.identity, Kind::Agent);
    let (agents, next_page_token) = page.of(all, |agent| agent.name.clone());
    Ok(v1::ListAgentsResponse {
        agents: agents.into_iter().map(agent).collect(),
        next_page_token,
    })
}

pub(super) async fn update_agent(
    door: Door<'_>,
    message: v1::UpdateAgentRequest,
) -> Result<v1::UpdateAgentResponse> {
    let given = message.agent.ok_or_else(|| missing("agent"))?;
    let wanted = ObjectChange {
        name: given.name,
        settings: values::read_settings(given.settings),
        secrets: values::read_secrets(message.secrets),
        mask: values::paths(message.update_mask),
        etag: given.etag,
        ..ObjectChange::default()
    };
    let changed = door
        .admin
        .update(&door.identity, Kind::Agent, wanted)
        .await?;
    Ok(v1::UpdateAgentResponse {
        agent: Some(agent(changed)),
    })
}

pub(super) async fn create_source(
    door: Door<'_>,
    message: v1::CreateSourceRequest,
) -> Result<v1::CreateSourceResponse> {
    let given = message.source.ok_or_else(|| missing("source"))?;
    let wanted = ObjectChange {
        name: given.name,
        settings: values::read_settings(given.settings),
        secrets: values::read_secrets(message.secrets),
        ..ObjectChange::default()
    };
    let made = door
        .admin
        .create(&door.identity, Kind::Source, wanted)
        .await?;
    Ok(v1::CreateSourceResponse {
        source: Some(source(made)),
    })
}

pub(super) async fn get_source(
    door: Door<'_>,
    message: v1::GetSourceRequest,
) -> Result<v1::GetSourceResponse> {
    let found = door
        .admin
        .object(&door.identity, Kind::Source, &message.name)?;
    Ok(v1::GetSourceResponse {
        source: Some(source(found)),
    })
}

pub(super) async fn list_sources(
    door: Door<'_>,
    message: v1::ListSourcesRequest,
) -> Result<v1::ListSourcesResponse> {
    let query = v1::ListSourcesRequest::default();
    let page = Page::asked(
        &door,
        "ListSources",
        &query,
        message.page_size,
        &message.page_token,
    )?;
    let all = door.admin.objects(&door.identity, Kind::Source);
    let (sources, next_page_token) = page.of(all, |source| source.name.clone());
    Ok(v1::ListSourcesResponse {
        sources: sources.into_iter().map(source).collect(),
        next_page_token,
    })
}

pub(super) async fn update_source(
    door: Door<'_>,
    message: v1::UpdateSourceRequest,
) -> Result<v1::UpdateSourceResponse> {
    let given = message.source.ok_or_else(|| missing("source"))?;
    let wanted = ObjectChange {
        name: given.name,
        settings: values::read_settings(given.settings),
        secrets: values::read_secrets(message.secrets),
        mask: values::paths(message.update_mask),
        etag: given.etag,
        ..ObjectChange::default()
    };
    let changed = door
        .admin
        .update(&door.identity, Kind::Source, wanted)
        .await?;
    Ok(v1::UpdateSourceResponse {
        source: Some(source(changed)),
    })
}

pub(super) async fn delete(door: Door<'_>, kind: Kind, name: &str, etag: &str) -> Result<()> {
    door.admin.delete(&door.identity, kind, name, etag).await
}

pub(super) async fn pause(door: Door<'_>, name: &str, paused: bool) -> Result<v1::Agent> {
    let changed = door.admin.pause(&door.identity, name, paused).await?;
    Ok(agent(changed))
}

pub(super) async fn test_agent(
    door: Door<'_>,
    message: v1::TestAgentRequest,
) -> Result<v1::TestAgentResponse> {
    let testing = door.admin.test(&door.identity, &message.name, door.longest);
    let tested = testing.await?;
    let keys: Vec<_> = tested.into_iter().map(tested_key).collect();
    let first = keys.first().cloned().unwrap_or_default();
    Ok(v1::TestAgentResponse {
        verdict: first.verdict,
        status: first.status,
        duration: first.duration,
        text: first.text,
        keys,
    })
}

fn tested_key(tested: Tested) -> v1::TestedKey {
    use v1::test_agent_response::Verdict as Told;
    let verdict = match tested.verdict {
        Verdict::CredentialsOk => Told::CredentialsOk,
        Verdict::CredentialsRefused => Told::CredentialsRefused,
        Verdict::BotUnknown => Told::BotUnknown,
        Verdict::Unreachable => Told::Unreachable,
        Verdict::Unclear => Told::Unclear,
    };
    v1::TestedKey {
        setting: tested.setting.to_owned(),
        verdict: verdict.into(),
        status: tested.status.map_or(0, i32::from),
        duration: Some(duration(tested.took)),
        text: tested.text,
    }
}

pub(super) fn missing(field: &str) -> Error {
    Error::invalid(field, "is missing")
}

fn agent(shown: ObjectView) -> v1::Agent {
    v1::Agent {
        webhook_path: format!("/webhooks/{}", shown.name),
        name: shown.name,
        platform: shown.built_on,
        secrets: values::secrets(&shown.secrets),
        settings: Some(values::settings(shown.settings)),
        paused: shown.paused,
        origin: values::origin(shown.standing.origin),
        etag: shown.standing.etag,
        create_time: shown.standing.created_at.map(timestamp),
        update_time: shown.standing.updated_at.map(timestamp),
    }
}

fn source(shown: ObjectView) -> v1::Source {
    v1::Source {
        webhook_path: format!("/sources/{}", shown.name),
        name: shown.name,
        system: shown.built_on,
        secrets: values::secrets(&shown.secrets),
        settings: Some(values::settings(shown.settings)),
        origin: values::origin(shown.standing.origin),
        etag: shown.standing.etag,
        create_time: shown.standing.created_at.map(timestamp),
        update_time: shown.standing.updated_at.map(timestamp),
    }
}
