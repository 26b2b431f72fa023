//! `parloir accounts`: which agent and which source an account has, and which conversation each visitor of a source.

#[cfg(test)]
mod tests;

use std::io::{self, Write};

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use parloir_client::Client;
use parloir_proto::v1::{
    Account, Contact, LinkContactRequest, ListAccountsRequest, ListContactsRequest,
};
use serde_json::json;

use super::{connect::Connect, terminal};

/// The most that the server puts on one page: fewer calls for the same list.
const PAGE: i32 = 500;

/// Shows the accounts of a running server: who answers their visitors, and who brings them.
///
/// Accounts are made in the configuration. What changes while the server runs is which conversation a visitor of a source
/// has: `contacts` shows it, `link` changes it.
#[derive(Debug, Args)]
pub struct AccountsArgs {
    #[command(flatten)]
    connect: Connect,
    /// Print one JSON object per line, with the names of the contract.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Lists the visitors whom the account's source has brought, latest sign of life first.
    ///
    /// A contact's id is a keyed hash of what the source calls the visitor: stable, and no way back to a phone number.
    Contacts {
        /// The account.
        #[arg(long, value_name = "ACCOUNT")]
        account: String,
        /// Only the visitor with this conversation.
        #[arg(long, value_name = "ID")]
        conversation: Option<String>,
    },
    /// Says which conversation a visitor has from the next message on. What is under way in the old one stays there.
    Link {
        /// The account.
        #[arg(long, value_name = "ACCOUNT")]
        account: String,
        /// The visitor, as `contacts` shows one.
        #[arg(long, value_name = "ID")]
        contact: String,
        /// The conversation from now on; one that nobody has heard of is opened by the visitor's next message.
        #[arg(long, value_name = "ID")]
        conversation: String,
    },
}

/// Lists or links.
///
/// # Errors
///
/// A server that cannot be reached, an account or a contact that it does not know, a conversation that another contact
/// has.
pub async fn run(args: AccountsArgs) -> Result<()> {
    let client = args.connect.client().await?;
    let done = act(&client, args.what, args.json, &mut io::stdout()).await;
    terminal::unless_nobody_reads(done)
}

async fn act(client: &Client, what: Option<What>, json: bool, out: &mut impl Write) -> Result<()> {
    match what {
        None => accounts(client, json, out).await,
        Some(What::Contacts {
            account,
            conversation,
        }) => contacts(client, (account, conversation), json, out).await,
        Some(What::Link {
            account,
            contact,
            conversation,
        }) => {
            let request = LinkContactRequest {
                account,
                contact_id: contact,
                conversation_id: conversation,
            };
            let linked = client.link_contact(request).await?;
            let contact = linked.contact.context("the server told no contact")?;
            print_contact(&contact, json, out)
        }
    }
}

async fn accounts(client: &Client, json: bool, out: &mut impl Write) -> Result<()> {
    let listed = client.list_accounts(ListAccountsRequest {}).await?.accounts;
    if listed.is_empty() && !json {
        writeln!(out, "no account is configured")?;
    }
    let width = |text: fn(&Account) -> &String| {
        let each = listed.iter().map(|account| text(account).chars().count());
        each.max().unwrap_or_default()
    };
    let (names, agents) = (width(|one| &one.account), width(|one| &one.agent));
    for one in &listed {
        if json {
            writeln!(out, "{}", account_object(one))?;
            continue;
        }
        let source = match one.source.as_str() {
            "" => "no source".to_owned(),
            source => format!("source {source} ({})", one.system),
        };
        writeln!(
            out,
            "{:<names$}  agent {:<agents$}  {source}",
            one.account, one.agent
        )?;
    }
    Ok(())
}

/// All pages of them.
async fn contacts(
    client: &Client,
    (account, conversation): (String, Option<String>),
    json: bool,
    out: &mut impl Write,
) -> Result<()> {
    let mut request = ListContactsRequest {
        account,
        conversation_id: conversation.unwrap_or_default(),
        page_size: PAGE,
        page_token: String::new(),
    };
    let mut none = true;
    loop {
        let page = client.list_contacts(request.clone()).await?;
        for contact in &page.contacts {
            none = false;
            print_contact(contact, json, out)?;
        }
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    if none && !json {
        writeln!(out, "no contact is known")?;
    }
    Ok(())
}

fn print_contact(contact: &Contact, json: bool, out: &mut impl Write) -> Result<()> {
    let Contact {
        contact_id,
        source,
        conversation_id,
        seen_time,
    } = contact;
    let seen = seen_time.map(|at| terminal::second(at.seconds));
    if json {
        let object = json!({
            "contact_id": contact_id,
            "source": source,
            "conversation_id": conversation_id,
            "seen_time": seen,
        });
        writeln!(out, "{object}")?;
    } else {
        let (source, conversation) = (
            terminal::one_line(source),
            terminal::one_line(conversation_id),
        );
        let seen = seen.unwrap_or_else(|| "never".to_owned());
        writeln!(
            out,
            "{contact_id}  conversation {conversation}  seen {seen} at {source}"
        )?;
    }
    Ok(())
}

fn account_object(one: &Account) -> serde_json::Value {
    let Account {
        account,
        agent,
        source,
        system,
        upstream_prefix,
        ..
    } = one;
    json!({
        "account": account,
        "agent": agent,
        "source": source,
        "system": system,
        "upstream_prefix": upstream_prefix,
    })
}
