//! The binary `parloir`: one TLS provider, the command line, an exit code.

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use parloir::{commands::Cli, told::told};

fn main() -> ExitCode {
    // Refused only when it is there already; then all is well, too.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let done = tokio::runtime::Runtime::new()
        .context("no threads can be started")
        .and_then(|runtime| {
            let done = runtime.block_on(Cli::parse().run());
            // What still blocks a thread, such as a look-up of a name, does not hold the end up.
            runtime.shutdown_background();
            done
        });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", told(&error));
            ExitCode::FAILURE
        }
    }
}
