//! `parloir admin accounts`.

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use parloir_client::Client;
use parloir_proto::v1::{
    Account, AdminServiceListAccountsRequest, CreateAccountRequest, DeleteAccountRequest,
    GetAccountRequest, UpdateAccountRequest,
};
use prost_types::FieldMask;

use super::{
    asked::YesOption,
    explain::explain,
    form::{Screen, Table},
    objects,
    options::EtagOption,
    shown::PAGE,
    times,
};

#[derive(Debug, Subcommand)]
pub(super) enum Accounts {
    /// Lists them.
    List,
    /// Shows one.
    Get { name: String },
    /// Makes one.
    Create(New),
    /// Changes which agent answers, which source brings visitors, or the prefix.
    Update(Change),
    /// Deletes one. Its conversations stay, and no caller can go on with them.
    Delete {
        name: String,
        #[command(flatten)]
        etag: EtagOption,
        #[command(flatten)]
        yes: YesOption,
    },
}

#[derive(Debug, Args)]
pub(super) struct New {
    name: String,
    /// The agent that answers its visitors.
    #[arg(long)]
    agent: String,
    /// The source that brings visitors. Unless given, they come from callers alone.
    #[arg(long, default_value = "", hide_default_value = true)]
    source: String,
    /// Put before the conversation's id at the agent's platform; each account of a shared agent needs its own.
    #[arg(
        long,
        value_name = "PREFIX",
        default_value = "",
        hide_default_value = true
    )]
    upstream_prefix: String,
}

#[derive(Debug, Args)]
pub(super) struct Change {
    name: String,
    /// The agent from now on.
    #[arg(long)]
    agent: Option<String>,
    /// The source from now on; "" for none.
    #[arg(long)]
    source: Option<String>,
    /// The prefix from now on; "" for none.
    #[arg(long, value_name = "PREFIX")]
    upstream_prefix: Option<String>,
    #[command(flatten)]
    etag: EtagOption,
}

pub(super) async fn run(client: &Client, what: Accounts, screen: &mut Screen<'_>) -> Result<()> {
    match what {
        Accounts::List => list(client, screen).await,
        Accounts::Get { name } => {
            let answer = client.get_account(GetAccountRequest { name }).await;
            let answer = answer.map_err(|error| explain(&error, "parloir admin accounts list"))?;
            print(answer.account, screen)
        }
        Accounts::Create(new) => {
            let again = get(&new.name);
            let account = Account {
                account: new.name,
                agent: new.agent,
                source: new.source,
                upstream_prefix: new.upstream_prefix,
                ..Account::default()
            };
            let request = CreateAccountRequest {
                account: Some(account),
            };
            let answer = client.create_account(request).await;
            print(
                answer.map_err(|error| explain(&error, &again))?.account,
                screen,
            )
        }
        Accounts::Update(change) => {
            let again = get(&change.name);
            let answer = client.update_account(change.request()?).await;
            print(
                answer.map_err(|error| explain(&error, &again))?.account,
                screen,
            )
        }
        Accounts::Delete { name, etag, yes } => {
            yes.confirm(&format!("Delete the account {name:?}? Its conversations stay, and no caller can go on with them."))?;
            let request = DeleteAccountRequest {
                name: name.clone(),
                etag: etag.etag,
            };
            let done = client.delete_account(request).await;
            done.map_err(|error| explain(&error, &get(&name)))?;
            Ok(screen.remark(&format!("the account {name} is deleted"))?)
        }
    }
}

fn get(name: &str) -> String {
    format!("parloir admin accounts get {name}")
}

impl Change {
    pub(super) fn request(self) -> Result<UpdateAccountRequest> {
        let fields = [
            ("agent", self.agent.is_some()),
            ("source", self.source.is_some()),
            ("upstream_prefix", self.upstream_prefix.is_some()),
        ];
        let given = fields.iter().filter(|(_, given)| *given);
        let paths: Vec<String> = given.map(|(path, _)| (*path).to_owned()).collect();
        if paths.is_empty() {
            bail!("nothing is to be changed: give --agent, --source or --upstream-prefix");
        }
        Ok(UpdateAccountRequest {
            account: Some(Account {
                account: self.name,
                agent: self.agent.unwrap_or_default(),
                source: self.source.unwrap_or_default(),
                upstream_prefix: self.upstream_prefix.unwrap_or_default(),
                etag: self.etag.etag,
                ..Account::default()
            }),
            update_mask: Some(FieldMask { paths }),
        })
    }
}

async fn list(client: &Client, screen: &mut Screen<'_>) -> Result<()> {
    let mut table = Table::new(&["NAME", "AGENT", "SOURCE", "DECLARED BY", "CHANGED", "ETAG"]);
    let mut all = Vec::new();
    let mut request = AdminServiceListAccountsRequest {
        page_size: PAGE,
        ..AdminServiceListAccountsRequest::default()
    };
    loop {
        let page = client.list_administrated_accounts(request.clone()).await;
        let page = page.map_err(|error| explain(&error, "parloir admin accounts list"))?;
        for account in &page.accounts {
            table.add(vec![
                account.account.clone(),
                account.agent.clone(),
                source(account),
                objects::declared_by(account.origin()).to_owned(),
                times::shown(account.update_time.as_ref(), "-"),
                account.etag.clone(),
            ]);
            all.push(objects::account(account));
        }
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    Ok(screen.list(
        &all,
        &table,
        "there is no account; `parloir admin accounts create` makes one",
    )?)
}

fn print(account: Option<Account>, screen: &mut Screen<'_>) -> Result<()> {
    let account = account.context("the server told no account")?;
    let prefix = match account.upstream_prefix.as_str() {
        "" => String::new(),
        prefix => format!(", prefix {prefix:?}"),
    };
    let line = format!(
        "account {}: agent {}, source {}{prefix}, declared by {}, etag {}",
        account.account,
        account.agent,
        source(&account),
        objects::declared_by(account.origin()),
        account.etag
    );
    Ok(screen.object(&objects::account(&account), &line)?)
}

fn source(account: &Account) -> String {
    match (account.source.as_str(), account.system.as_str()) {
        ("", _) => "-".to_owned(),
        (source, "") => source.to_owned(),
        (source, system) => format!("{source} ({system})"),
    }
}
