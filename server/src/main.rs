//! The binary `parloir`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use parloir::commands::check_config;

/// Conversation orchestration between internal backends and AI agent platforms.
///
/// Exit codes: 0 done, 1 failed (the reason is on standard error), 2 wrong command line.
#[derive(Parser)]
#[command(version, about, long_about)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    CheckConfig(check_config::CheckConfig),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().verb {
        Verb::CheckConfig(args) => check_config::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
