//! `parloir simulate`: the simulated agent platform, to try Parloir against without an account.

mod arguments;
mod lines;
mod signing;
mod summary;

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use secrecy::ExposeSecret;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::simulate::{Bot, Observer, Script, Settings, Simulator};
pub use arguments::SimulateArgs;

/// Runs the simulator until it is interrupted.
///
/// # Errors
///
/// A flag, a script or an address that does not work, with the remedy.
pub async fn run(args: SimulateArgs) -> Result<()> {
    if args.print_script {
        print!("{}", Script::shop_text());
        return Ok(());
    }
    let settings = settings(&args)?;
    let fault = args.fault.words().read();
    let fault = fault.map_err(|remedy| anyhow!("the --fault flags do not fit: {remedy}"))?;
    let listener = TcpListener::bind(&args.listen).await.with_context(|| {
        let listen = &args.listen;
        format!("cannot listen on {listen}; give another address with --listen")
    })?;
    let observer = (!args.quiet).then(|| Arc::new(lines::print) as Observer);
    let simulator = Simulator::start_observed(settings, listener, observer)?;
    simulator.faults().set(fault);
    println!("{}", summary::summary(&args, &simulator.base_url()));
    stopped().await?;
    simulator.stop().await;
    Ok(())
}

fn settings(args: &SimulateArgs) -> Result<Settings> {
    let mut bot = Bot::new(&args.bot_id, args.key.expose_secret(), &args.webhook_url());
    bot.action_url.clone_from(&args.action_url);
    bot.signing = args.signing.read().map_err(anyhow::Error::msg)?;
    bot.welcome.clone_from(&args.welcome);
    bot.session_duration = args.session_duration;
    if let Some(path) = &args.script {
        bot = bot.with_script(script(path)?);
    }
    Ok(Settings {
        webhook_timeout: args.webhook_timeout,
        webhook_retries: args.webhook_retries,
        reply_delay: args.reply_delay,
        unknown_bot_is_unauthorized: args.unknown_bot_is_unauthorized,
        ignore_blank_messages: args.ignore_blank_messages,
        ..Settings::new(vec![bot])
    })
}

fn script(path: &Path) -> Result<Script> {
    Script::load(path).with_context(|| {
        let path = path.display();
        format!("the script {path} cannot be played; --print-script shows one that can")
    })
}

async fn stopped() -> Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminated.recv() => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests;
