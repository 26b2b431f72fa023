//! `parloir delete-user-data`: has the platform forget who conversations were with.

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::{Result, bail};
use clap::Args;

use super::one_agent::OneAgent;
use crate::agents::{
    PlatformConfig,
    zendesk::{BATCH, CallFault, UserData},
};

/// Has an agent's platform delete the personal data of conversations. It cannot be undone.
///
/// Parloir's own log is not touched. That the platform accepts a deletion is all it says: not when it happens, nor
/// whether it knows the conversations.
#[derive(Debug, Args)]
pub struct DeleteUserDataArgs {
    #[command(flatten)]
    agent: OneAgent,
    /// Do not ask first. Needed where nobody can be asked.
    #[arg(long)]
    yes: bool,
    /// The platform's own ids of the conversations: `conversationId` in its webhooks, `conversation_id` in its exports.
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
}

/// Deletes, and says what was accepted.
///
/// # Errors
///
/// Ids that none can be, a question that was not answered with yes, a platform that refuses.
pub async fn run(args: DeleteUserDataArgs) -> Result<()> {
    let mut ids = args.ids;
    let mut seen = std::collections::HashSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    UserData::check(&ids)?;
    let PlatformConfig::Zendesk(platform) = args.agent.load()?.platform;
    let user_data = UserData::new(&platform)?;
    if !args.yes {
        let stdin = io::stdin();
        if !stdin.is_terminal() {
            bail!("nobody can be asked here: --yes deletes without asking");
        }
        if !confirmed(
            &mut stdin.lock(),
            &mut io::stderr(),
            ids.len(),
            args.agent.name(),
        )? {
            bail!("nothing was deleted");
        }
    }
    delete(&user_data, &ids, &mut io::stdout()).await
}

fn confirmed(
    input: &mut impl BufRead,
    out: &mut impl Write,
    count: usize,
    agent: &str,
) -> io::Result<bool> {
    write!(
        out,
        "Delete the personal data of {count} conversations of agent {agent:?} at its platform? It cannot be undone. \
         [y/N] "
    )?;
    out.flush()?;
    let mut line = String::new();
    input.read_line(&mut line)?;
    Ok(matches!(line.trim().to_lowercase().as_str(), "y" | "yes"))
}

async fn delete(user_data: &UserData, ids: &[String], out: &mut impl Write) -> Result<()> {
    let mut accepted = 0;
    for (number, batch) in ids.chunks(BATCH).enumerate() {
        let first = number * BATCH + 1;
        let range = format!("{first} to {} of {}", first + batch.len() - 1, ids.len());
        match user_data.delete(batch).await {
            Ok(()) => {
                accepted += batch.len();
                writeln!(out, "{range}: accepted")?;
            }
            Err(fault) => {
                writeln!(out, "{range}: {fault}")?;
                // They will be no better for the next batch.
                if matches!(fault, CallFault::Credentials(_)) {
                    break;
                }
            }
        }
    }
    if accepted < ids.len() {
        bail!(
            "{} of {} were not accepted; what was may be sent again",
            ids.len() - accepted,
            ids.len()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests;
