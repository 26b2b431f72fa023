//! `parloir migrate`: brings the database to the schema of this version, or says what it lacks.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;

use crate::{
    app, config,
    store::{self, StoreSettings},
};

/// Brings the database to the schema of this version. `serve` does so too when it starts. No server may have
/// a file open meanwhile; replicas at a `PostgreSQL` server may run.
#[derive(Debug, Args)]
pub struct MigrateArgs {
    /// The configuration file (TOML).
    #[arg(long, env = "PARLOIR_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Change nothing: only say what is missing (exit code 1 if anything is). A server may be running.
    #[arg(long)]
    check: bool,
}

/// Migrates the configured database and says what it did.
///
/// # Errors
///
/// What is wrong with the configuration or the database; with `--check`, that steps are missing.
pub async fn run(args: &MigrateArgs) -> Result<()> {
    let loaded = config::load(args.config.as_deref(), config::environment())?;
    let settings = app::database(&loaded.config)?;
    println!("{}", migrate(&settings, args.check).await?);
    Ok(())
}

async fn migrate(settings: &StoreSettings, check: bool) -> Result<String> {
    let place = &settings.location;
    let steps = if check {
        store::pending_migrations(settings).await?
    } else {
        store::migrate(settings).await?
    };
    match steps.as_slice() {
        [] => Ok(format!("{place}: up to date")),
        missing if check => bail!(
            "{place} lacks {}: run `parloir migrate`",
            missing.join(", ")
        ),
        applied => Ok(format!("{place}: applied {}", applied.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_says_what_it_did_and_what_is_missing() {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = StoreSettings::new(folder.path().join("parloir.db"));
        let missing = migrate(&settings, true).await.expect_err("no file");
        assert!(missing.to_string().contains("not there"), "{missing}");
        std::fs::write(settings.file().expect("a file"), []).expect("an empty database");
        let missing = migrate(&settings, true).await.expect_err("empty");
        assert!(
            missing.to_string().contains("lacks m20261120_000001_log"),
            "{missing}"
        );
        let done = migrate(&settings, false).await.expect("migrates");
        assert!(done.contains("applied m20261120_000001_log, "), "{done}");
        for check in [true, false] {
            let again = migrate(&settings, check).await.expect("nothing to do");
            assert!(again.ends_with("up to date"), "{again}");
        }
    }
}
