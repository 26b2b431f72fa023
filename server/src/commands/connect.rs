//! Where the server is that a verb talks to.

use anyhow::Result;
use clap::Args;
use parloir_client::{Client, Code};

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
}

impl Connect {
    /// A connected client.
    ///
    /// # Errors
    ///
    /// A URL that is none, or a server that cannot be reached.
    pub async fn client(&self) -> Result<Client> {
        let connected = Client::builder(&self.server).connect().await;
        connected.map_err(|error| match error.code() {
            Code::Unavailable => anyhow::Error::new(error)
                .context("no server answers; `parloir serve` starts one, --server names another"),
            _ => anyhow::Error::new(error).context("--server"),
        })
    }
}
