//! `parloir erase`: erases what is personal about a conversation or a contact, and shows the receipt.

use std::{
    io::{self, BufRead, IsTerminal, Write},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use parloir_client::Client;
use parloir_proto::v1::{
    ErasePersonalDataRequest, Erasure, ErasureState, GetErasureRequest, UpstreamErasure,
    UpstreamErasureState, erase_personal_data_request::Subject,
};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{connect::Connect, terminal};

#[cfg(test)]
mod tests;

/// Between two looks at a receipt.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Erases the personal data of one conversation or one contact, here and at the agents' platforms. It cannot be undone.
///
/// The receipt is printed: keep its id. `--receipt` looks at it again, because platforms may take days to answer. Needs a
/// caller with the scope `admin`.
#[derive(Debug, Args)]
pub struct EraseArgs {
    #[command(flatten)]
    connect: Connect,
    /// The account.
    #[arg(long, value_name = "ACCOUNT", required_unless_present = "receipt")]
    account: Option<String>,
    #[command(flatten)]
    whose: Whose,
    /// Idempotency key: a repeat with the same one answers the same receipt. One is made where none is given.
    #[arg(long, value_name = "ID", conflicts_with = "receipt")]
    command_id: Option<String>,
    /// How long to wait for the platforms to acknowledge before the receipt is printed as it stands.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = humantime::parse_duration)]
    wait: Duration,
    /// Do not ask first. Needed where nobody can be asked.
    #[arg(long)]
    yes: bool,
    /// Print the receipt as one JSON object, with the names of the contract.
    #[arg(long)]
    json: bool,
}

/// What to erase, or what to look at.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
struct Whose {
    /// The conversation.
    #[arg(long, value_name = "ID")]
    conversation: Option<String>,
    /// The contact of a source, as `parloir accounts contacts` shows it.
    #[arg(long, value_name = "ID")]
    contact: Option<String>,
    /// Erases nothing: shows this receipt as it stands now.
    #[arg(long, value_name = "ID")]
    receipt: Option<String>,
}

/// Erases, or looks again.
///
/// # Errors
///
/// A question that was not answered with yes, a server that cannot be reached or refuses, an erasure that is not finished
/// on the server in time.
pub async fn run(args: EraseArgs) -> Result<()> {
    let what = match (&args.whose.conversation, &args.whose.contact) {
        (Some(id), _) => Some(("conversation", Subject::ConversationId(id.clone()), id)),
        (_, Some(id)) => Some(("contact", Subject::ContactId(id.clone()), id)),
        _ => None,
    };
    if let Some((kind, _, id)) = &what
        && !args.yes
    {
        ask(kind, id)?;
    }
    let client = args.connect.client().await?;
    let receipt_id = match what {
        Some((_, subject, _)) => {
            let request = ErasePersonalDataRequest {
                account: args.account.clone().unwrap_or_default(),
                command_id: args.command_id.clone().unwrap_or_else(new_id),
                subject: Some(subject),
            };
            let erased = client.erase_personal_data(request).await?;
            erased
                .erasure
                .context("the server told no receipt")?
                .receipt_id
        }
        None => args.whose.receipt.clone().unwrap_or_default(),
    };
    let receipt = settled(&client, &receipt_id, args.wait).await?;
    terminal::unless_nobody_reads(print(&receipt, args.json, &mut io::stdout()))?;
    if receipt.state() != ErasureState::Erased {
        bail!(
            "the last copies on the server are not removed yet: look again with --receipt {receipt_id}"
        );
    }
    Ok(())
}

fn new_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

fn ask(kind: &str, id: &str) -> Result<()> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        bail!("nobody can be asked here: --yes erases without asking");
    }
    if !confirmed(&mut stdin.lock(), &mut io::stderr(), kind, id)? {
        bail!("nothing was erased");
    }
    Ok(())
}

fn confirmed(
    input: &mut impl BufRead,
    out: &mut impl Write,
    kind: &str,
    id: &str,
) -> io::Result<bool> {
    write!(
        out,
        "Erase the personal data of {kind} {id:?}, here and at the platforms? It cannot be undone. [y/N] "
    )?;
    out.flush()?;
    let mut line = String::new();
    input.read_line(&mut line)?;
    Ok(matches!(line.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// The receipt once nothing more is under way, or as it stands after `wait`.
async fn settled(client: &Client, receipt_id: &str, wait: Duration) -> Result<Erasure> {
    let until = Instant::now() + wait;
    loop {
        let request = GetErasureRequest {
            receipt_id: receipt_id.to_owned(),
        };
        let found = client.get_erasure(request).await?;
        let receipt = found.erasure.context("the server told no receipt")?;
        if is_settled(&receipt) || Instant::now() >= until {
            return Ok(receipt);
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

fn is_settled(receipt: &Erasure) -> bool {
    let mut upstream = receipt.upstream.iter();
    receipt.state() == ErasureState::Erased
        && upstream.all(|one| one.state() != UpstreamErasureState::Requested)
}

fn print(receipt: &Erasure, as_json: bool, out: &mut impl Write) -> Result<()> {
    if as_json {
        writeln!(out, "{}", object(receipt))?;
        return Ok(());
    }
    writeln!(out, "receipt {}", receipt.receipt_id)?;
    let state = match receipt.state() {
        ErasureState::Erased => format!("erased {}", time(receipt.erase_time.as_ref())),
        _ => "committed; the last copies are being removed".to_owned(),
    };
    writeln!(out, "here: {state}")?;
    for one in &receipt.conversations {
        writeln!(
            out,
            "  conversation {} of account {}: every event through sequence {}",
            one.conversation_id, receipt.account, one.through_sequence
        )?;
    }
    for one in &receipt.upstream {
        writeln!(out, "agent {}: {}", one.agent, upstream(one))?;
    }
    writeln!(out, "{}", receipt.remainder)?;
    Ok(())
}

fn upstream(one: &UpstreamErasure) -> String {
    let id = one.internal_id_sha256.get(..12).unwrap_or_default();
    match one.state() {
        UpstreamErasureState::Confirmed => {
            format!("acknowledged {} (id {id}...)", time(one.end_time.as_ref()))
        }
        UpstreamErasureState::IdNeverSeen => {
            "its platform's id of the conversation was never seen: look it up in \
             an export and use `parloir delete-user-data`"
                .to_owned()
        }
        UpstreamErasureState::Failed => format!(
            "given up {} after {} tries: {} (id {id}...)",
            time(one.end_time.as_ref()),
            one.attempts,
            one.reason
        ),
        _ => format!(
            "asked {} times, {}; next {} (id {id}...)",
            one.attempts,
            if one.reason.is_empty() {
                "not answered yet"
            } else {
                &one.reason
            },
            time(one.next_try_time.as_ref())
        ),
    }
}

fn object(receipt: &Erasure) -> Value {
    let conversations = receipt.conversations.iter().map(|one| {
        json!({ "conversation_id": one.conversation_id, "through_sequence": one.through_sequence })
    });
    let upstream = receipt.upstream.iter().map(|one| {
        json!({
            "agent": one.agent,
            "conversation_id": one.conversation_id,
            "internal_id_sha256": one.internal_id_sha256,
            "state": one.state().as_str_name(),
            "reason": one.reason,
            "attempts": one.attempts,
            "next_try_time": one.next_try_time.as_ref().map(ToString::to_string),
            "end_time": one.end_time.as_ref().map(ToString::to_string),
        })
    });
    json!({
        "receipt_id": receipt.receipt_id,
        "account": receipt.account,
        "command_id": receipt.command_id,
        "conversations": conversations.collect::<Vec<_>>(),
        "state": receipt.state().as_str_name(),
        "request_time": receipt.request_time.as_ref().map(ToString::to_string),
        "erase_time": receipt.erase_time.as_ref().map(ToString::to_string),
        "upstream": upstream.collect::<Vec<_>>(),
        "remainder": receipt.remainder,
    })
}

fn time(time: Option<&prost_types::Timestamp>) -> String {
    time.map_or_else(|| "at once".to_owned(), ToString::to_string)
}
