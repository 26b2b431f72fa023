//! `parloir admin audit`: what administrators did and what they were refused.

use std::time::SystemTime;

use anyhow::{Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use parloir_client::Client;
use parloir_proto::v1::{
    AuditEntry, ListAuditEntriesRequest, VerifyAuditLogRequest, VerifyAuditLogResponse,
    audit_entry::Outcome,
};
use serde_json::json;

use super::{explain::explain, form::Screen, objects, shown::PAGE, structs, times};
use crate::commands::terminal;

/// Shows what administrators of the tenant did and what they were refused, newest first.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct AuditArgs {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    pub(super) filters: Filters,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Checks that no entry was changed or removed behind the server's back. Exit code 1 if one was.
    Verify,
}

/// Which entries; all conditions that are given must hold.
#[derive(Debug, Default, Args)]
pub(super) struct Filters {
    /// Only entries of this time or later: an instant, or how long ago it was, for example 24h.
    #[arg(long, value_name = "TIME", value_parser = times::past)]
    since: Option<SystemTime>,
    /// Only entries before this time: an instant, or how long ago it was.
    #[arg(long, value_name = "TIME", value_parser = times::past)]
    until: Option<SystemTime>,
    /// Only what was done to this object, for example agents/support.
    #[arg(
        long,
        value_name = "KIND/NAME",
        default_value = "",
        hide_default_value = true
    )]
    target: String,
    /// Only what this caller did.
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        hide_default_value = true
    )]
    caller: String,
    /// Only this call, for example `CreateAgent`.
    #[arg(
        long,
        value_name = "CALL",
        default_value = "",
        hide_default_value = true
    )]
    action: String,
    /// Only what ended so.
    #[arg(long, value_enum)]
    outcome: Option<OutcomeWord>,
    /// At most so many entries. Unless given: all.
    #[arg(long, value_name = "COUNT")]
    limit: Option<usize>,
}

/// How an act ended, as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OutcomeWord {
    /// It was done.
    Done,
    /// It was refused, and changed nothing.
    Refused,
}

pub(super) async fn run(client: &Client, args: AuditArgs, screen: &mut Screen<'_>) -> Result<()> {
    match args.what {
        Some(What::Verify) => verify(client, screen).await,
        None => list(client, &args.filters, screen).await,
    }
}

async fn list(client: &Client, filters: &Filters, screen: &mut Screen<'_>) -> Result<()> {
    let mut request = filters.request();
    let mut left = filters.limit.unwrap_or(usize::MAX);
    let mut none = true;
    while left > 0 {
        request.page_size = i32::try_from(left).unwrap_or(PAGE).min(PAGE);
        let page = client.list_audit_entries(request.clone()).await;
        let page = page.map_err(|error| explain(&error, "parloir admin audit"))?;
        for entry in page.entries.iter().take(left) {
            none = false;
            screen.object(&objects::audit_entry(entry), &line(entry))?;
        }
        left = left.saturating_sub(page.entries.len());
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    if none {
        screen.remark(filters.nothing())?;
    }
    Ok(())
}

impl Filters {
    /// What to say where there is no entry.
    pub(super) fn nothing(&self) -> &'static str {
        let given = [&self.target, &self.caller, &self.action];
        if given.into_iter().all(String::is_empty) {
            return "no entry";
        }
        "no entry; what is given must be written as the log writes it, for example --action CreateAgent, --target \
         agents/support, --caller ops"
    }

    pub(super) fn request(&self) -> ListAuditEntriesRequest {
        let outcome = match self.outcome {
            None => Outcome::Unspecified,
            Some(OutcomeWord::Done) => Outcome::Done,
            Some(OutcomeWord::Refused) => Outcome::Refused,
        };
        ListAuditEntriesRequest {
            from_time: self.since.map(times::timestamp),
            before_time: self.until.map(times::timestamp),
            target: self.target.clone(),
            caller: self.caller.clone(),
            action: self.action.clone(),
            outcome: outcome.into(),
            page_size: PAGE,
            page_token: String::new(),
        }
    }
}

/// An entry in one line: number, when, who by which credential, what, to what, how it ended, what was asked for.
pub(super) fn line(entry: &AuditEntry) -> String {
    let who = match entry.credential.as_str() {
        "" => entry.caller.clone(),
        credential => format!("{} ({credential})", entry.caller),
    };
    let ended = match entry.outcome() {
        Outcome::Done => "done".to_owned(),
        Outcome::Refused => format!("REFUSED {}", entry.reason),
        Outcome::Unspecified => "ended in an unknown way".to_owned(),
    };
    let detail = entry
        .detail
        .as_ref()
        .filter(|detail| !detail.fields.is_empty());
    let detail = detail.map_or_else(String::new, |detail| {
        format!("  {}", structs::to_json(detail))
    });
    let line = format!(
        "#{}  {}  {who}  {}  {}  {ended}{detail}",
        entry.number,
        times::shown(entry.time.as_ref(), "-"),
        entry.action,
        entry.target
    );
    terminal::one_line(&line).into_owned()
}

async fn verify(client: &Client, screen: &mut Screen<'_>) -> Result<()> {
    let answer = client.verify_audit_log(VerifyAuditLogRequest {}).await;
    let answer = answer.map_err(|error| explain(&error, "parloir admin audit verify"))?;
    let VerifyAuditLogResponse {
        intact,
        entries,
        first_broken,
        newest_hash,
    } = &answer;
    let object = json!({
        "intact": intact,
        "entries": entries,
        "first_broken": first_broken,
        "newest_hash": newest_hash,
    });
    let text = if *intact {
        format!(
            "intact: {entries} entries, the newest with the hash {newest_hash}\n\
             Keep the hash elsewhere: with it you can tell later that nothing was cut off."
        )
    } else {
        format!("BROKEN at entry {first_broken} of {entries}: it was changed or removed")
    };
    screen.object(&object, &text)?;
    if !intact {
        bail!("the audit log is not as it was written");
    }
    Ok(())
}
