//! `parloir admin`: agents, accounts, sources, callers and keys of a running server, and the record of who did what.

mod accounts;
mod agents;
mod asked;
mod audit;
mod callers;
mod document;
mod explain;
mod form;
mod key_file;
mod keys;
mod limit_option;
mod objects;
mod options;
mod secret_options;
mod secrets;
mod shown;
mod sources;
mod structs;
mod times;

#[cfg(test)]
mod tests;

use std::io;

use anyhow::Result;
use clap::{Args, Subcommand};

use super::{connect::Connect, terminal};
use form::{Form, Screen};

/// Makes and changes what a running server works with, and shows who did it.
///
/// Needs a key with the scope `admin`, once the server knows any caller. Every change counts at once and is in the
/// audit log. What the server's configuration declares is shown, and can be changed there only.
#[derive(Debug, Args)]
pub struct AdminArgs {
    #[command(flatten)]
    connect: Connect,
    /// How the answer is written: for people, or as one JSON object per line with the names of the contract.
    #[arg(long, global = true, value_enum, default_value_t = Form::Human)]
    output: Form,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The AI agents.
    #[command(subcommand)]
    Agents(agents::Agents),
    /// The accounts: which agent answers, which source brings visitors.
    #[command(subcommand)]
    Accounts(accounts::Accounts),
    /// The systems that bring visitors by themselves.
    #[command(subcommand)]
    Sources(sources::Sources),
    /// The backends that call, and what they may do.
    #[command(subcommand)]
    Callers(callers::Callers),
    /// The keys by which callers are known.
    #[command(subcommand)]
    Keys(keys::Keys),
    /// The secrets of agents and sources.
    #[command(subcommand)]
    Secrets(secrets::Secrets),
    Audit(audit::AuditArgs),
}

/// Does it, and shows what came of it.
///
/// # Errors
///
/// What was refused, with the field and the remedy; a server that cannot be reached.
pub async fn run(args: AdminArgs) -> Result<()> {
    let client = args.connect.client().await?;
    let mut stdout = io::stdout();
    let mut screen = Screen::new(args.output, &mut stdout);
    let done = match args.what {
        What::Agents(what) => agents::run(&client, what, &mut screen).await,
        What::Accounts(what) => accounts::run(&client, what, &mut screen).await,
        What::Sources(what) => sources::run(&client, what, &mut screen).await,
        What::Callers(what) => callers::run(&client, what, &mut screen).await,
        What::Keys(what) => keys::run(&client, what, &mut screen).await,
        What::Secrets(what) => secrets::run(&client, what, &mut screen).await,
        What::Audit(what) => audit::run(&client, what, &mut screen).await,
    };
    terminal::unless_nobody_reads(done)
}
