//! Where the server is that a verb talks to.

use anyhow::{Context, Result};
use clap::Args;
use parloir_client::Client;

/// Where the server is.
#[derive(Debug, Clone, Args)]
pub struct Connect {
    /// The gRPC address of the running server.
    #[arg(
        long,
        env = "PARLOIR_SERVER",
        value_name = "URL",
        default_value = "http://127.0.0.1:50051"
    )]
    server: String,
}

impl Connect {
    /// A connected client.
    ///
    /// # Errors
    ///
    /// A URL that is none, or a server that cannot be reached.
    pub async fn client(&self) -> Result<Client> {
        Client::builder(&self.server)
            .connect()
            .await
            .context("no server answers; `parloir serve` starts one, --server names another")
    }
}
