//! `parloir demo`: a server with a temporary database, a simulated agent, and a conversation played through the public
//! gRPC API. No account anywhere.

mod play;
mod social_connect;
mod stage;
mod viewer;

use anyhow::Result;
use clap::{Args, ValueEnum};

use super::terminal;
use stage::Stage;
use viewer::tell;

/// Starts a server and a simulated agent, plays a conversation, and stays up for you to try it yourself.
///
/// Nothing is kept: the database is temporary, and all ports are free ones on loopback.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Play, check that every expected event arrived in order, and exit: 0 if so, 1 if not.
    #[arg(long)]
    once: bool,
    /// Let the visitor come through a simulated source instead: messages, numbered choices, a handover to a human and
    /// back.
    #[arg(long, value_enum, value_name = "SOURCE")]
    source: Option<Through>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Through {
    /// Qualtrics Social Connect, with a contact's tag that tells who answers.
    SocialConnect,
}

/// Plays the demo.
///
/// # Errors
///
/// What did not start, or which expected event did not come.
pub async fn run(args: DemoArgs) -> Result<()> {
    let shown = match args.source {
        Some(Through::SocialConnect) => social_connect::show(args.once).await,
        None => show(args.once).await,
    };
    terminal::unless_nobody_reads(shown)
}

async fn show(once: bool) -> Result<()> {
    let stage = Stage::set().await?;
    stage.introduce()?;
    tell(format_args!(
        "\n> is what a backend calls, < is an event that it receives."
    ))?;
    let played = play::play(&stage).await;
    if let Err(error) = played {
        stage.clear().await;
        return Err(error.context("the demo did not go as it should"));
    }
    tell(format_args!(
        "\nEverything that was expected came, in order."
    ))?;
    if !once {
        stage.invite()?;
        tokio::signal::ctrl_c().await?;
        tell("")?;
    }
    stage.clear().await;
    Ok(())
}
