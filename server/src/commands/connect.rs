//! Where the server is that a verb talks to.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::Args;
use parloir_client::{Builder, Client, Code};

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
            Code::Unavailable => anyhow::Error::new(error)
                .context("no server answers; `parloir serve` starts one, --server names another"),
            Code::Unauthenticated => anyhow::Error::new(error)
                .context("--key-file or PARLOIR_KEY names the caller's key"),
            _ => anyhow::Error::new(error).context("--server"),
        })
    }

    fn builder(&self) -> Result<Builder> {
        let mut builder = Client::builder(&self.server);
        let key = match &self.key_file {
            Some(file) => Some(read(file, "--key-file")?),
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

fn read(file: &Path, option: &str) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("{option}: {} cannot be read", file.display()))
}
