//! `parloir source-login`: a person grants Parloir access to a source, and the tokens go to their file.

#[cfg(test)]
mod tests;

use std::{
    io::{self, BufRead, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use reqwest::Url;

use crate::{
    config::{self, Config},
    domain::SystemClock,
    keys::Custody,
    sources::{
        SystemConfig,
        social_connect::{OAuth, SocialConnectConfig, TokenFile},
    },
    store::StoreSettings,
};

/// Fetches the tokens of a source that grants access by OAuth (Social Connect with `token_file`).
///
/// It prints an address. Open it in a browser, grant access, and paste the address (or the code in it) to which the
/// browser is then sent. The tokens are sealed under the server's master key, so this reads `encryption.master_key` as the
/// server does. A running server takes the new tokens from its next call on.
#[derive(Debug, Args)]
pub struct SourceLoginArgs {
    /// The configuration file (TOML).
    #[arg(long, env = "PARLOIR_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The source's name.
    #[arg(long, value_name = "NAME")]
    source: String,
    /// The code that came back, instead of a line of standard input.
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
}

/// Prints the address, reads the code, writes the tokens.
///
/// # Errors
///
/// A source that needs no login, a code that does not count, a file that cannot be written.
pub async fn run(args: SourceLoginArgs) -> Result<()> {
    let loaded = config::load(args.config.as_deref(), config::environment())?;
    let state = uuid::Uuid::new_v4().simple().to_string();
    login(
        &loaded.config,
        &args,
        &state,
        &mut io::stdin().lock(),
        &mut io::stdout(),
    )
    .await
}

async fn login(
    config: &Config,
    args: &SourceLoginArgs,
    state: &str,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> Result<()> {
    let (system, path) = system(config, &args.source)?;
    // Before anybody is asked to grant access: without it that would be for nothing.
    let custody = custody(config).await?;
    let file = TokenFile::new(&args.source, &path, Some(Arc::new(custody)));
    let oauth = OAuth::new(system, Arc::new(SystemClock)).context("oauth_host")?;
    let code = if let Some(code) = &args.code {
        code.clone()
    } else {
        writeln!(
            output,
            "Open this address, grant access, and paste the address you are sent to:\n"
        )?;
        writeln!(output, "  {}\n", oauth.authorize_url(state))?;
        output.flush()?;
        let mut line = String::new();
        input.read_line(&mut line).context("standard input")?;
        code_in(line.trim(), state)?
    };
    let grant = oauth.exchange(&code).await?;
    file.write(&grant)
        .with_context(|| format!("{} cannot be written", path.display()))?;
    writeln!(output, "The tokens are in {}.", path.display())?;
    Ok(())
}

/// The server's master keys.
async fn custody(config: &Config) -> Result<Custody> {
    let settings = StoreSettings::from_url(&config.database.url)?;
    let database = settings.file().unwrap_or(Path::new(""));
    let encryption = &config.encryption;
    // The server's first start may still be to come. Where there is a database, its key is there or lost.
    let may_make = settings.file().is_some_and(|file| !file.exists());
    let opened = Custody::open(
        encryption.master_key.clone(),
        database,
        encryption.command_time_limit,
        may_make,
    );
    let (custody, _) = opened
        .await
        .context("the tokens are sealed under the server's master key")?;
    Ok(custody)
}

fn system<'c>(config: &'c Config, name: &str) -> Result<(&'c SocialConnectConfig, PathBuf)> {
    let source = config.sources.iter().find(|source| source.name == name);
    let source = source.with_context(|| format!("the configuration has no source {name}"))?;
    let SystemConfig::SocialConnect(system) = &source.system else {
        bail!("{name} needs no login: its access is in its settings");
    };
    let path = system.token_file.clone().with_context(|| {
        format!(
            "{name} needs no login: it has a token; set token_file to have tokens that are renewed"
        )
    })?;
    Ok((system, path))
}

/// The code in what was pasted: the address with our state in it, or the code alone.
fn code_in(pasted: &str, state: &str) -> Result<String> {
    let Ok(address) = Url::parse(pasted) else {
        if pasted.is_empty() {
            bail!("nothing was pasted");
        }
        return Ok(pasted.to_owned());
    };
    let parameter = |name: &str| {
        let mut pairs = address.query_pairs();
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    if parameter("state").is_some_and(|other| other != state) {
        bail!(
            "that address belongs to another login: open the address above and paste where it leads"
        );
    }
    parameter("code").context("there is no code in that address")
}
