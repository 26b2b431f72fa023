//! `parloir admin agents`.

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use parloir_client::Client;
use parloir_proto::v1::{
    Agent, CreateAgentRequest, DeleteAgentRequest, GetAgentRequest, ListAgentsRequest,
    PauseAgentRequest, ResumeAgentRequest, TestAgentRequest, TestAgentResponse, TestedKey,
    UpdateAgentRequest, test_agent_response::Verdict,
};
use serde_json::{Value, json};

use super::{
    asked::YesOption,
    document::List,
    explain::explain,
    form::{Screen, Table},
    objects,
    options::{ChangedSettings, EtagOption, NewSettings},
    secret_options::standard_input,
    shown::{self, PAGE, Shown},
    times,
};
use crate::commands::{tail, terminal};

#[derive(Debug, Subcommand)]
pub(super) enum Agents {
    /// Lists them.
    List,
    /// Shows one with its settings, in the form that --file takes. Secrets are never shown.
    Get { name: String },
    /// Makes one.
    Create {
        #[command(flatten)]
        settings: NewSettings,
        /// It takes no visitors until `resume`, but can be tested.
        #[arg(long)]
        paused: bool,
    },
    /// Changes settings: single ones with --set and --unset, all of them with --file.
    Update {
        #[command(flatten)]
        settings: ChangedSettings,
    },
    /// Deletes one and its secrets. Its conversations stay.
    Delete {
        name: String,
        #[command(flatten)]
        etag: EtagOption,
        #[command(flatten)]
        yes: YesOption,
    },
    /// Lets no more visitors reach it: what they say waits.
    Pause { name: String },
    /// Lets a paused one work.
    Resume { name: String },
    /// Asks its platform whether it takes the credentials. No message is sent. Exit code 1 unless it does.
    Test { name: String },
}

pub(super) async fn run(client: &Client, what: Agents, screen: &mut Screen<'_>) -> Result<()> {
    match what {
        Agents::List => list(client, screen).await,
        Agents::Get { name } => {
            let request = GetAgentRequest { name: name.clone() };
            let answer = client.get_agent(request).await;
            let answer = answer.map_err(|error| explain(&error, "parloir admin agents list"))?;
            let agent = answer.agent.context("the server told no agent")?;
            Ok(screen.object(&objects::agent(&agent), &whole(&agent))?)
        }
        Agents::Create { settings, paused } => create(client, &settings, paused, screen).await,
        Agents::Update { settings } => update(client, &settings, screen).await,
        Agents::Delete { name, etag, yes } => {
            yes.confirm(&format!(
                "Delete the agent {name:?} and its secrets? Its conversations stay."
            ))?;
            let request = DeleteAgentRequest {
                name: name.clone(),
                etag: etag.etag,
            };
            let done = client.delete_agent(request).await;
            done.map_err(|error| explain(&error, &get(&name)))?;
            Ok(screen.remark(&format!("the agent {name} is deleted"))?)
        }
        Agents::Pause { name } => {
            let request = PauseAgentRequest { name: name.clone() };
            let answer = client.pause_agent(request).await;
            let answer = answer.map_err(|error| explain(&error, &get(&name)))?;
            print(answer.agent, screen)
        }
        Agents::Resume { name } => {
            let request = ResumeAgentRequest { name: name.clone() };
            let answer = client.resume_agent(request).await;
            let answer = answer.map_err(|error| explain(&error, &get(&name)))?;
            print(answer.agent, screen)
        }
        Agents::Test { name } => test(client, name, screen).await,
    }
}

/// The command that shows it.
fn get(name: &str) -> String {
    format!("parloir admin agents get {name}")
}

async fn list(client: &Client, screen: &mut Screen<'_>) -> Result<()> {
    let mut table = Table::new(&[
        "NAME",
        "PLATFORM",
        "STATE",
        "DECLARED BY",
        "CHANGED",
        "ETAG",
    ]);
    let mut all = Vec::new();
    let mut request = ListAgentsRequest {
        page_size: PAGE,
        ..ListAgentsRequest::default()
    };
    loop {
        let page = client.list_agents(request.clone()).await;
        let page = page.map_err(|error| explain(&error, "parloir admin agents list"))?;
        for agent in &page.agents {
            table.add(vec![
                agent.name.clone(),
                agent.platform.clone(),
                state(agent).to_owned(),
                objects::declared_by(agent.origin()).to_owned(),
                times::shown(agent.update_time.as_ref(), "-"),
                agent.etag.clone(),
            ]);
            all.push(objects::agent(agent));
        }
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    Ok(screen.list(
        &all,
        &table,
        "there is no agent; `parloir admin agents create` makes one",
    )?)
}

async fn create(
    client: &Client,
    settings: &NewSettings,
    paused: bool,
    screen: &mut Screen<'_>,
) -> Result<()> {
    let new = settings.read(List::Agents, standard_input())?;
    let request = CreateAgentRequest {
        agent: Some(Agent {
            name: new.name.clone(),
            settings: Some(new.settings),
            paused,
            ..Agent::default()
        }),
        secrets: new.secrets.into_iter().collect(),
    };
    let answer = client.create_agent(request).await;
    let answer = answer.map_err(|error| explain(&error, &get(&new.name)))?;
    print(answer.agent, screen)
}

async fn update(client: &Client, change: &ChangedSettings, screen: &mut Screen<'_>) -> Result<()> {
    let changed = change.read(List::Agents, standard_input())?;
    let request = UpdateAgentRequest {
        agent: Some(Agent {
            name: change.name.clone(),
            settings: Some(changed.settings),
            etag: change.etag.etag.clone(),
            ..Agent::default()
        }),
        update_mask: changed.mask,
        secrets: changed.secrets.into_iter().collect(),
    };
    let answer = client.update_agent(request).await;
    let answer = answer.map_err(|error| explain(&error, &get(&change.name)))?;
    print(answer.agent, screen)
}

async fn test(client: &Client, name: String, screen: &mut Screen<'_>) -> Result<()> {
    let answer = client
        .test_agent(TestAgentRequest { name: name.clone() })
        .await;
    let answer = answer.map_err(|error| explain(&error, &get(&name)))?;
    let object = json!({
        "name": name,
        "verdict": answer.verdict().as_str_name(),
        "status": answer.status,
        "duration": tail::duration(answer.duration.as_ref()),
        "text": answer.text,
        "keys": answer.keys.iter().map(tested_key).collect::<Vec<_>>(),
    });
    screen.object(&object, &tested(&name, &answer))?;
    if answer.verdict() != Verdict::CredentialsOk {
        bail!("the agent {name} cannot work as it is set up");
    }
    Ok(())
}

fn tested_key(key: &TestedKey) -> Value {
    json!({
        "setting": key.setting,
        "verdict": key.verdict().as_str_name(),
        "status": key.status,
        "duration": tail::duration(key.duration.as_ref()),
        "text": key.text,
    })
}

/// What a test came to, and what to look at. Where several keys are in force, each of them.
fn tested(name: &str, answer: &TestAgentResponse) -> String {
    if let [_, _, ..] = answer.keys.as_slice() {
        let keys = answer.keys.iter();
        let lines = keys.map(|key| {
            let of = format!("{name}, {}", key.setting);
            line(&of, key.verdict(), key.status, &key.text)
        });
        return lines.collect::<Vec<_>>().join("\n");
    }
    line(name, answer.verdict(), answer.status, &answer.text)
}

fn line(of: &str, verdict: Verdict, status: i32, text: &str) -> String {
    let what = match verdict {
        Verdict::CredentialsOk => "the platform takes its credentials",
        Verdict::CredentialsRefused => {
            "the platform refuses its credentials: the key is wrong, or belongs to another bot"
        }
        Verdict::BotUnknown => {
            "nothing is there: the bot's id is wrong, or the base URL leads elsewhere"
        }
        Verdict::Unreachable => "no connection can be made: look at the base URL",
        Verdict::Unclear | Verdict::Unspecified => "what the platform answers does not tell",
    };
    let status = match status {
        0 => String::new(),
        status => format!(" (HTTP {status})"),
    };
    let said = match terminal::one_line(text) {
        text if text.is_empty() => String::new(),
        text => format!("\n  it says: {text}"),
    };
    format!("{of}: {what}{status}{said}")
}

/// One line, after a change.
fn print(agent: Option<Agent>, screen: &mut Screen<'_>) -> Result<()> {
    let agent = agent.context("the server told no agent")?;
    let line = format!(
        "agent {} at {}, {}, etag {}; webhooks at {}",
        agent.name,
        agent.platform,
        state(&agent),
        agent.etag,
        agent.webhook_path
    );
    Ok(screen.object(&objects::agent(&agent), &line)?)
}

fn whole(agent: &Agent) -> String {
    shown::whole(&Shown {
        remarks: &[
            ("state", state(agent)),
            ("webhooks at", &agent.webhook_path),
        ],
        name: &agent.name,
        etag: &agent.etag,
        declared_by: objects::declared_by(agent.origin()),
        changed: agent.update_time.as_ref(),
        secrets: &agent.secrets,
        settings: agent.settings.as_ref(),
    })
}

fn state(agent: &Agent) -> &'static str {
    if agent.paused { "paused" } else { "works" }
}
