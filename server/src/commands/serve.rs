//! `parloir serve`: the server, until it is told to stop.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    app::App,
    config::{self, check_secrets},
    telemetry,
};

/// Runs the server until SIGTERM or SIGINT, which let it finish what is under way; a second one ends it at once.
///
/// Without a configuration it listens on loopback and keeps everything in `parloir.db`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The configuration file (TOML). Every key can be set in the environment too, as `PARLOIR__SECTION__KEY`.
    #[arg(long, env = "PARLOIR_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Serves.
///
/// # Errors
///
/// Everything that is wrong with the configuration, or why the server could not start or go on.
pub async fn run(args: ServeArgs) -> Result<()> {
    let loaded = config::load(args.config.as_deref(), config::environment())?;
    check_secrets(&loaded.config)?;
    telemetry::init(&loaded.config.logging)?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be awaited")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be awaited")?;
    let app = App::start(&loaded.config).await?;
    let mut told = async move || {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    let failed = tokio::select! {
        () = told() => None,
        fault = app.failed() => Some(fault),
    };
    if let Some(fault) = failed {
        // Nobody can tell what the database holds now; a fresh start reads it from the disk.
        anyhow::bail!("the server cannot go on: {fault}");
    }
    tokio::select! {
        () = app.stop() => {}
        () = told() => tracing::warn!("told twice to stop: ending now"),
    }
    Ok(())
}
