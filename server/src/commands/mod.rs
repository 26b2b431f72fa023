//! The verbs of the binary: one file each.

pub mod accounts;
pub mod admin;
pub mod bench;
pub mod chat;
pub mod check_config;
pub mod connect;
pub mod delete_user_data;
pub mod demo;
pub mod erase;
pub mod export;
mod keyboard;
pub mod migrate;
pub mod new_key;
pub mod new_master_key;
pub mod one_agent;
mod owners_file;
pub mod serve;
pub mod simulate;
pub mod source_login;
pub mod subscriptions;
pub mod tail;
pub mod terminal;
pub mod verify_webhook;

#[cfg(test)]
mod tests;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Conversation orchestration between internal backends and AI agent platforms.
#[derive(Debug, Parser)]
#[command(version, about, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done (`serve`, `demo` and `simulate` also when a signal stopped them in good order), \
1 failed (standard error says why), 2 wrong command line.";

#[derive(Debug, Subcommand)]
enum Verb {
    Accounts(accounts::AccountsArgs),
    Admin(admin::AdminArgs),
    Bench(bench::BenchArgs),
    Chat(chat::ChatArgs),
    CheckConfig(check_config::CheckConfig),
    DeleteUserData(delete_user_data::DeleteUserDataArgs),
    Demo(demo::DemoArgs),
    Erase(erase::EraseArgs),
    Export(export::ExportArgs),
    Serve(serve::ServeArgs),
    Migrate(migrate::MigrateArgs),
    NewKey(new_key::NewKeyArgs),
    NewMasterKey(new_master_key::NewMasterKeyArgs),
    Simulate(simulate::SimulateArgs),
    SourceLogin(source_login::SourceLoginArgs),
    Subscriptions(subscriptions::SubscriptionsArgs),
    Tail(tail::TailArgs),
    VerifyWebhook(verify_webhook::VerifyWebhookArgs),
}

impl Cli {
    /// Does what the command line says.
    ///
    /// # Errors
    ///
    /// What kept it from being done, in words for whoever typed it.
    pub async fn run(self) -> Result<()> {
        let done = match self.verb {
            Verb::Accounts(args) => accounts::run(args).await,
            Verb::Admin(args) => admin::run(args).await,
            Verb::Bench(args) => bench::run(args).await,
            Verb::Chat(args) => chat::run(args).await,
            Verb::CheckConfig(args) => check_config::run(&args),
            Verb::DeleteUserData(args) => delete_user_data::run(args).await,
            Verb::Demo(args) => demo::run(args).await,
            Verb::Erase(args) => erase::run(args).await,
            Verb::Export(args) => export::run(args).await,
            Verb::Serve(args) => serve::run(args).await,
            Verb::Migrate(args) => migrate::run(&args).await,
            Verb::NewKey(args) => new_key::run(&args),
            Verb::NewMasterKey(args) => new_master_key::run(&args),
            Verb::Simulate(args) => simulate::run(args).await,
            Verb::SourceLogin(args) => source_login::run(args).await,
            Verb::Subscriptions(args) => subscriptions::run(args).await,
            Verb::Tail(args) => tail::run(args).await,
            Verb::VerifyWebhook(args) => verify_webhook::run(&args).await,
        };
        done.map_err(connect::with_remedy)
    }
}
