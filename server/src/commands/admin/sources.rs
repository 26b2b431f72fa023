//! `parloir admin sources`.

use anyhow::{Context, Result};
use clap::Subcommand;
use parloir_client::Client;
use parloir_proto::v1::{
    CreateSourceRequest, DeleteSourceRequest, GetSourceRequest, ListSourcesRequest, Source,
    UpdateSourceRequest,
};

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

#[derive(Debug, Subcommand)]
pub(super) enum Sources {
    /// Lists them.
    List,
    /// Shows one with its settings, in the form that --file takes. Secrets are never shown.
    Get { name: String },
    /// Makes one. It brings no visitors until an account names it.
    Create {
        #[command(flatten)]
        settings: NewSettings,
    },
    /// Changes settings: single ones with --set and --unset, all of them with --file.
    Update {
        #[command(flatten)]
        settings: ChangedSettings,
    },
    /// Deletes one and its secrets. The conversations stay.
    Delete {
        name: String,
        #[command(flatten)]
        etag: EtagOption,
        #[command(flatten)]
        yes: YesOption,
    },
}

pub(super) async fn run(client: &Client, what: Sources, screen: &mut Screen<'_>) -> Result<()> {
    match what {
        Sources::List => list(client, screen).await,
        Sources::Get { name } => {
            let request = GetSourceRequest { name: name.clone() };
            let answer = client.get_source(request).await;
            let answer = answer.map_err(|error| explain(&error, "parloir admin sources list"))?;
            let source = answer.source.context("the server told no source")?;
            Ok(screen.object(&objects::source(&source), &whole(&source))?)
        }
        Sources::Create { settings } => create(client, &settings, screen).await,
        Sources::Update { settings } => update(client, &settings, screen).await,
        Sources::Delete { name, etag, yes } => {
            yes.confirm(&format!(
                "Delete the source {name:?} and its secrets? The conversations stay."
            ))?;
            let request = DeleteSourceRequest {
                name: name.clone(),
                etag: etag.etag,
            };
            let done = client.delete_source(request).await;
            done.map_err(|error| explain(&error, &get(&name)))?;
            Ok(screen.remark(&format!("the source {name} is deleted"))?)
        }
    }
}

/// The command that shows it.
fn get(name: &str) -> String {
    format!("parloir admin sources get {name}")
}

async fn list(client: &Client, screen: &mut Screen<'_>) -> Result<()> {
    let mut table = Table::new(&["NAME", "SYSTEM", "DECLARED BY", "CHANGED", "ETAG"]);
    let mut all = Vec::new();
    let mut request = ListSourcesRequest {
        page_size: PAGE,
        ..ListSourcesRequest::default()
    };
    loop {
        let page = client.list_sources(request.clone()).await;
        let page = page.map_err(|error| explain(&error, "parloir admin sources list"))?;
        for source in &page.sources {
            table.add(vec![
                source.name.clone(),
                source.system.clone(),
                objects::declared_by(source.origin()).to_owned(),
                times::shown(source.update_time.as_ref(), "-"),
                source.etag.clone(),
            ]);
            all.push(objects::source(source));
        }
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    Ok(screen.list(
        &all,
        &table,
        "there is no source; `parloir admin sources create` makes one",
    )?)
}

async fn create(client: &Client, settings: &NewSettings, screen: &mut Screen<'_>) -> Result<()> {
    let new = settings.read(List::Sources, standard_input())?;
    let request = CreateSourceRequest {
        source: Some(Source {
            name: new.name.clone(),
            settings: Some(new.settings),
            ..Source::default()
        }),
        secrets: new.secrets.into_iter().collect(),
    };
    let answer = client.create_source(request).await;
    let answer = answer.map_err(|error| explain(&error, &get(&new.name)))?;
    print(answer.source, screen)
}

async fn update(client: &Client, change: &ChangedSettings, screen: &mut Screen<'_>) -> Result<()> {
    let changed = change.read(List::Sources, standard_input())?;
    let request = UpdateSourceRequest {
        source: Some(Source {
            name: change.name.clone(),
            settings: Some(changed.settings),
            etag: change.etag.etag.clone(),
            ..Source::default()
        }),
        update_mask: changed.mask,
        secrets: changed.secrets.into_iter().collect(),
    };
    let answer = client.update_source(request).await;
    let answer = answer.map_err(|error| explain(&error, &get(&change.name)))?;
    print(answer.source, screen)
}

/// One line, after a change.
fn print(source: Option<Source>, screen: &mut Screen<'_>) -> Result<()> {
    let source = source.context("the server told no source")?;
    let line = format!(
        "source {} of {}, etag {}; webhooks at {}",
        source.name, source.system, source.etag, source.webhook_path
    );
    Ok(screen.object(&objects::source(&source), &line)?)
}

fn whole(source: &Source) -> String {
    shown::whole(&Shown {
        remarks: &[("webhooks at", &source.webhook_path)],
        name: &source.name,
        etag: &source.etag,
        declared_by: objects::declared_by(source.origin()),
        changed: source.update_time.as_ref(),
        secrets: &source.secrets,
        settings: source.settings.as_ref(),
    })
}
