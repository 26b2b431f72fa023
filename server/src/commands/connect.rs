//! Where the server is that a verb talks to.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::Args;
use parloir_client::{Builder, Client, Code, Error};

/// Where the server is.
#[derive(Debug, Clone, Args)]
pub struct Connect {
    /// The gRPC address of the running server.
    #[arg(
        long,
        global = true,
        env = "PARLOIR_SERVER",
        value_name = "URL",
        default_value = "http://127.0.0.1:50051"
    )]
    server: String,
    /// The file that holds the caller's key. Without it, the key in the environment variable `PARLOIR_KEY`; without
    /// that, none is shown.
    #[arg(long, global = true, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// The root, in PEM, that the server's certificate leads to. Without it, those of the system.
    #[arg(long, global = true, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// A client certificate, in PEM.
    #[arg(long, global = true, value_name = "FILE", requires = "private_key")]
    certificate: Option<PathBuf>,
    /// The client certificate's private key, in PEM.
    #[arg(long, global = true, value_name = "FILE", requires = "certificate")]
    private_key: Option<PathBuf>,
}

/// Where the key stands that no file was named for. Never an option: others on the machine can read command lines.
const KEY: &str = "PARLOIR_KEY";

impl Connect {
    /// A connected client.
    ///
    /// # Errors
    ///
    /// A URL that is none, or a server that cannot be reached.
    pub async fn client(&self) -> Result<Client> {
        let connected = self.builder()?.connect().await;
        connected.map_err(|error| match error.code() {
            Code::Unavailable if self.server.starts_with("https://") && speaks_no_tls(&error) => {
                let plain = self.server.replacen("https://", "http://", 1);
                anyhow::Error::new(error)
                    .context(format!("--server: it speaks no TLS, write {plain}"))
            }
            Code::Unavailable => anyhow::Error::new(error)
                .context("no server answers; `parloir serve` starts one, --server names another"),
            // The remedy is the same wherever a verb gets this.
            Code::Unauthenticated => anyhow::Error::new(error),
            _ => anyhow::Error::new(error).context("--server"),
        })
    }

    fn builder(&self) -> Result<Builder> {
        let mut builder = Client::builder(&self.server);
        let key = match &self.key_file {
            Some(file) => Some(key_in(file)?),
            None => std::env::var(KEY).ok().filter(|key| !key.is_empty()),
        };
        if let Some(key) = key {
            builder = builder.key(key);
        }
        if let Some(file) = &self.ca {
            builder = builder.tls_root(read(file, "--ca")?);
        }
        if let (Some(certificate), Some(private_key)) = (&self.certificate, &self.private_key) {
            let certificate = read(certificate, "--certificate")?;
            builder = builder.client_certificate(certificate, read(private_key, "--private-key")?);
        }
        Ok(builder)
    }
}

/// What a verb failed with, and what to do where it is a key that was missing or wrong.
pub(super) fn with_remedy(error: anyhow::Error) -> anyhow::Error {
    let refused = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<Error>());
    match refused.map(Error::code) {
        Some(Code::Unauthenticated) => {
            error.context("give a key: --key-file FILE, or the variable PARLOIR_KEY")
        }
        _ => error,
    }
}

/// Whether what answered is no TLS: a server that listens without it.
fn speaks_no_tls(error: &Error) -> bool {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| {
        error.source()
    });
    causes
        .map(ToString::to_string)
        .any(|cause| cause.contains("InvalidContentType") || cause.contains("handshake eof"))
}

fn key_in(file: &Path) -> Result<String> {
    let key = read(file, "--key-file")?;
    anyhow::ensure!(
        !key.trim().is_empty(),
        "--key-file: {} is empty",
        file.display()
    );
    Ok(key)
}

fn read(file: &Path, option: &str) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("{option}: {} cannot be read", file.display()))
}
