//! `parloir admin secrets`.

use std::time::Duration;

use anyhow::{Result, anyhow};
use clap::{Args, Subcommand};
use parloir_client::Client;
use parloir_proto::v1::{RotateSecretRequest, rotate_secret_request::Owner};
use serde_json::json;

use super::{
    explain::explain,
    form::Screen,
    objects,
    secret_options::{SecretOptions, standard_input},
    shown, times,
};

#[derive(Debug, Subcommand)]
pub(super) enum Secrets {
    /// Puts a new secret in the place of one. It counts at once; with --overlap the former one stays valid beside it.
    Rotate(Rotation),
}

#[derive(Debug, Args)]
pub(super) struct Rotation {
    #[command(flatten)]
    owner: OwnerOption,
    #[command(flatten)]
    secret: SecretOptions,
    /// For how long the former one stays valid, for example 1h. Unless given: not at all.
    #[arg(long, value_name = "DURATION", value_parser = times::length, default_value = "0s")]
    overlap: Duration,
}

/// Whose secret it is.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct OwnerOption {
    /// The agent whose secret it is.
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// The source whose secret it is.
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
}

pub(super) async fn run(client: &Client, what: Secrets, screen: &mut Screen<'_>) -> Result<()> {
    let Secrets::Rotate(rotation) = what;
    let (path, value) = rotation.secret.read_one(standard_input())?;
    let (owner, again) = rotation.owner.told();
    let overlap = prost_types::Duration::try_from(rotation.overlap);
    let request = RotateSecretRequest {
        owner,
        path,
        value,
        overlap: Some(overlap.map_err(|_| anyhow!("--overlap is too long"))?),
    };
    let answer = client.rotate_secret(request).await;
    let secrets = answer.map_err(|error| explain(&error, &again))?.secrets;
    let object = json!({ "secrets": objects::secrets(&secrets) });
    let lines: Vec<String> = secrets.iter().map(shown::secret).collect();
    Ok(screen.object(&object, &lines.join("\n"))?)
}

impl OwnerOption {
    /// As the contract has it, and the command that shows it.
    fn told(self) -> (Option<Owner>, String) {
        match (self.agent, self.source) {
            (Some(name), _) => {
                let again = format!("parloir admin agents get {name}");
                (Some(Owner::Agent(name)), again)
            }
            (None, Some(name)) => {
                let again = format!("parloir admin sources get {name}");
                (Some(Owner::Source(name)), again)
            }
            (None, None) => (None, "parloir admin agents list".to_owned()),
        }
    }
}
