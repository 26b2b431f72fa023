//! The binary `parloir`: one TLS provider, the command line, an exit code.

use std::process::ExitCode;

use clap::Parser;
use parloir::commands::Cli;

#[tokio::main]
async fn main() -> ExitCode {
    // Refused only when it is there already; then all is well, too.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match Cli::parse().run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
