//! `parloir verify-webhook`: whether a webhook that was kept would be believed, and if not, which part differs.

mod dump;
mod form;
mod guess;

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};
use clap::{ArgGroup, Args};
use http::{Method, StatusCode};

use self::{dump::Dump, form::form, guess::Named};
use crate::{
    agents,
    config::{self, Config},
    domain::{
        Clock, SystemClock, Timestamp, Unverified,
        inbound::{Webhook, WebhookRefusal},
    },
    secret::Secret,
    sources::{self, Means},
};

/// Tells whether a kept webhook would be believed, and if not, which part differs and under which reading it would be.
/// Nothing is sent, and no secret is shown.
///
/// Exit code 1: it would be refused. The address that it came from is not looked at.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("whom").required(true).args(["agent", "source"])))]
#[command(group(ArgGroup::new("what").required(true).multiple(true).args(["request", "headers"])))]
pub struct VerifyWebhookArgs {
    /// The configuration file (TOML).
    #[arg(long, env = "PARLOIR_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The agent that it was sent to.
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// The source that it was sent to.
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// A whole HTTP request as it went over the wire, or what `curl -v` printed; the latter has no body in it, so give
    /// that with --body.
    #[arg(long, value_name = "FILE", conflicts_with = "headers")]
    request: Option<PathBuf>,
    /// Its headers, one a line.
    #[arg(long, value_name = "FILE")]
    headers: Option<PathBuf>,
    /// Its body, byte by byte.
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// Its method, where the request does not say.
    #[arg(long, default_value = "POST")]
    method: Method,
    /// Its path behind the agent's or the source's name, where the request does not say.
    #[arg(long, default_value = "")]
    path: String,
    /// Its query without the question mark, where the request does not say.
    #[arg(long, default_value = "")]
    query: String,
    /// When it came, as RFC 3339 in UTC or in seconds since 1970: timestamps are compared with it. Now, if not given.
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Option<Timestamp>,
}

/// Verifies one webhook and tells how that went.
///
/// # Errors
///
/// It would be refused, or there is no telling.
pub async fn run(args: &VerifyWebhookArgs) -> Result<()> {
    let loaded = config::load(args.config.as_deref(), config::environment())?;
    let (webhook, notes) = args.webhook()?;
    for note in notes {
        println!("note: {note}");
    }
    let clock: Arc<dyn Clock> = match args.at {
        Some(at) => Arc::new(Standing(at)),
        None => Arc::new(SystemClock),
    };
    let whom = Whom::find(args, &loaded.config)?;
    let Err(refusal) = whom.receive(&webhook, clock).await? else {
        println!("verified");
        return Ok(());
    };
    match refusal {
        WebhookRefusal::Unverified(why) => explain(&why, &webhook, &whom),
        // Who sent it is settled, so it may be told apart.
        refusal => {
            println!("verified");
            bail!("it would be refused all the same: {refusal}");
        }
    }
}

/// Whom the webhook was sent to.
enum Whom<'c> {
    Agent(&'c config::AgentConfig),
    Source(&'c config::SourceConfig),
}

impl<'c> Whom<'c> {
    fn find(args: &VerifyWebhookArgs, config: &'c Config) -> Result<Self> {
        if let Some(name) = &args.agent {
            let found = config.agents.iter().find(|agent| agent.name == *name);
            let found = found.with_context(|| format!("there is no agent {name:?}"))?;
            return Ok(Self::Agent(found));
        }
        let name = args.source.as_deref().unwrap_or_default();
        let found = config.sources.iter().find(|source| source.name == name);
        let found = found.with_context(|| format!("there is no source {name:?}"))?;
        Ok(Self::Source(found))
    }

    async fn receive(
        &self,
        webhook: &Webhook,
        clock: Arc<dyn Clock>,
    ) -> Result<Result<(), WebhookRefusal>> {
        let received = match self {
            Self::Agent(config) => {
                return Ok(agents::build(config, clock)?.receive(webhook).map(drop));
            }
            Self::Source(config) => {
                sources::build(config, Means::without_keys(clock))?.receive(webhook)
            }
        };
        let reply = match received {
            // A challenge at set-up is no webhook: its answer says whether its token was right.
            Ok(received) if webhook.method == Method::GET => received.reply.reply(&[]).await,
            received => return Ok(received.map(drop)),
        };
        let unverified = Unverified::Mismatch {
            part: "hub.verify_token".to_owned(),
        };
        let is_refused = reply.status == StatusCode::FORBIDDEN;
        Ok(if is_refused {
            Err(unverified.into())
        } else {
            Ok(())
        })
    }

    /// Whether what shows who sent a webhook depends on its body. A token or a header does not.
    fn signs_bodies(&self) -> bool {
        match self {
            Self::Agent(config) => config.platform.signs_bodies(),
            Self::Source(_) => true,
        }
    }

    /// What may have signed it.
    fn secrets(&self) -> Vec<Named> {
        let named: Vec<(String, Secret)> = match self {
            Self::Agent(config) => {
                let (setting, secrets, _) = config.platform.webhook_secrets();
                let numbered = secrets.iter().enumerate();
                numbered
                    .map(|(number, secret)| (format!("{setting}[{number}]"), secret.clone()))
                    .collect()
            }
            Self::Source(config) => {
                let each = config.system.secrets().into_iter();
                each.map(|(setting, secret, _)| (setting, secret.clone()))
                    .collect()
            }
        };
        let readable = named.into_iter().filter_map(|(setting, secret)| {
            let read = secret.read();
            let read = read.inspect_err(|error| println!("note: {setting} is not tried: {error}"));
            Some(Named {
                setting,
                secret: read.ok()?,
            })
        });
        readable.collect()
    }
}

/// Tells what differs, and fails.
fn explain(why: &Unverified, webhook: &Webhook, whom: &Whom<'_>) -> Result<()> {
    println!("not verified: {why}");
    println!("headers that came, and how each is written:");
    for name in webhook.headers.keys() {
        for value in webhook.headers.get_all(name) {
            let form = value.to_str().map_or_else(|_| "no text".to_owned(), form);
            println!("  {name}: {form}");
        }
    }
    let bytes = webhook.body.len();
    println!("the body: {bytes} bytes");
    if bytes == 0 && whom.signs_bodies() {
        println!("note: there is no body, which a signature covers: --body FILE gives it");
    }
    let readings = guess::readings(webhook, &whom.secrets());
    if readings.is_empty() {
        let or_the_body = if whom.signs_bodies() {
            ", or the body is not the one that was signed"
        } else {
            ""
        };
        println!("no other reading fits: the secret is another one{or_the_body}");
    }
    for reading in readings {
        println!("fits: {reading}");
    }
    bail!("the webhook would be refused")
}

impl VerifyWebhookArgs {
    fn webhook(&self) -> Result<(Webhook, Vec<String>)> {
        let mut dump = if let Some(path) = &self.request {
            Dump::read(&read(path)?).with_context(|| path.display().to_string())?
        } else {
            let path = self
                .headers
                .as_ref()
                .context("give --headers or --request")?;
            let text = String::from_utf8(read(path)?).context("the headers are no text")?;
            let lines: Vec<_> = text.lines().filter(|line| !line.is_empty()).collect();
            Dump::head(&lines).with_context(|| path.display().to_string())?
        };
        if let Some(path) = &self.body {
            dump.body = read(path)?;
            dump.notes.clear();
        }
        let (path, query) = match &dump.target {
            Some(target) => target_parts(target),
            None => (self.path.clone(), self.query.clone()),
        };
        let webhook = Webhook {
            method: dump.method.unwrap_or_else(|| self.method.clone()),
            headers: dump.headers,
            path,
            query,
            body: dump.body.into(),
        };
        Ok((webhook, dump.notes))
    }
}

/// Path and query behind `/webhooks/{agent}` or `/sources/{source}`, wherever a proxy put that.
fn target_parts(target: &str) -> (String, String) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let ours = ["/webhooks/", "/sources/"];
    let behind = ours.iter().find_map(|ours| {
        let (_, behind) = path.split_once(ours)?;
        Some(behind.split_once('/').map_or("", |(_, rest)| rest))
    });
    (behind.unwrap_or_default().to_owned(), query.to_owned())
}

fn read(path: &PathBuf) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))
}

fn time(text: &str) -> Result<Timestamp, String> {
    let since = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => humantime::parse_rfc3339(text)
            .map_err(|error| error.to_string())?
            .duration_since(std::time::UNIX_EPOCH)
            .map_err(|_| "is before 1970".to_owned())?,
    };
    Ok(Timestamp(0) + since)
}

/// The time that the operator told.
#[derive(Debug)]
struct Standing(Timestamp);

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        self.0
    }
}
