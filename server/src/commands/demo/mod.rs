//! `parloir demo`: a server with a temporary database, a simulated agent, and a conversation played through the public
//! gRPC API. No account anywhere.

mod play;
mod stage;
mod viewer;

use anyhow::Result;
use clap::Args;

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
}

/// Plays the demo.
///
/// # Errors
///
/// What did not start, or which expected event did not come.
pub async fn run(args: DemoArgs) -> Result<()> {
    terminal::unless_nobody_reads(show(args).await)
}

async fn show(args: DemoArgs) -> Result<()> {
    let stage = Stage::set().await?;
    stage.introduce()?;
    let played = play::play(&stage).await;
    if let Err(error) = played {
        stage.clear().await;
        return Err(error.context("the demo did not go as it should"));
    }
    tell(format_args!(
        "\nEverything that was expected came, in order."
    ))?;
    if !args.once {
        stage.invite()?;
        tokio::signal::ctrl_c().await?;
        tell("")?;
    }
    stage.clear().await;
    Ok(())
}
