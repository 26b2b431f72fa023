//! `parloir admin callers`.

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use parloir_client::Client;
use parloir_proto::v1::{
    Caller, CallerKey, CreateCallerRequest, DeleteCallerRequest, GetCallerRequest,
    ListCallersRequest, Origin, Scope, UpdateCallerRequest,
};
use prost_types::FieldMask;

use super::{
    asked::YesOption,
    explain::explain,
    form::{Screen, Table},
    keys,
    limit_option::{self, LimitOptions},
    objects,
    options::EtagOption,
    shown::PAGE,
    times,
};

#[derive(Debug, Subcommand)]
pub(super) enum Callers {
    /// Lists them.
    List,
    /// Shows one with its keys, never their text.
    Get { name: String },
    /// Makes one, without a key. The first one of a server must have the scope admin.
    Create(New),
    /// Changes what one may do, how much of it, the names in its certificates, or whether it is let in at all.
    Update(Change),
    /// Deletes one and revokes its keys.
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
    /// What it may do. May be repeated.
    #[arg(long = "scope", value_enum, required = true)]
    scopes: Vec<ScopeWord>,
    /// A name in a client certificate by which it is known: a URI or a DNS name. May be repeated.
    #[arg(long = "certificate-name", value_name = "NAME")]
    certificate_names: Vec<String>,
    /// It is not let in yet.
    #[arg(long)]
    disabled: bool,
    #[command(flatten)]
    limits: LimitOptions,
}

#[derive(Debug, Args)]
pub(super) struct Change {
    name: String,
    /// All that it may do from now on. May be repeated.
    #[arg(long = "scope", value_enum)]
    scopes: Vec<ScopeWord>,
    /// All names in client certificates by which it is known from now on. May be repeated.
    #[arg(long = "certificate-name", value_name = "NAME")]
    certificate_names: Vec<String>,
    /// It is known by no certificate any more.
    #[arg(long, conflicts_with = "certificate_names")]
    no_certificate_names: bool,
    /// It is not let in any more.
    #[arg(long)]
    disable: bool,
    /// It is let in again.
    #[arg(long, conflicts_with = "disable")]
    enable: bool,
    #[command(flatten)]
    limits: LimitOptions,
    #[command(flatten)]
    etag: EtagOption,
}

/// A scope as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ScopeWord {
    /// Commands, and reading conversations.
    Converse,
    /// Streams of events, and transcripts.
    Subscribe,
    /// Answers to what an agent asks, and availability.
    Respond,
    /// `parloir admin`.
    Admin,
}

impl From<ScopeWord> for i32 {
    fn from(word: ScopeWord) -> Self {
        match word {
            ScopeWord::Converse => Scope::Converse,
            ScopeWord::Subscribe => Scope::Subscribe,
            ScopeWord::Respond => Scope::Respond,
            ScopeWord::Admin => Scope::Admin,
        }
        .into()
    }
}

pub(super) async fn run(client: &Client, what: Callers, screen: &mut Screen<'_>) -> Result<()> {
    match what {
        Callers::List => list(client, screen).await,
        Callers::Get { name } => {
            let answer = client.get_caller(GetCallerRequest { name }).await;
            let answer = answer.map_err(|error| explain(&error, "parloir admin callers list"))?;
            print(answer.caller, screen)
        }
        Callers::Create(new) => {
            let again = get(&new.name);
            let answer = client.create_caller(new.request()).await;
            print(
                answer.map_err(|error| explain(&error, &again))?.caller,
                screen,
            )
        }
        Callers::Update(change) => {
            let again = get(&change.name);
            let answer = client.update_caller(change.request()?).await;
            print(
                answer.map_err(|error| explain(&error, &again))?.caller,
                screen,
            )
        }
        Callers::Delete { name, etag, yes } => {
            yes.confirm(&format!("Delete the caller {name:?} and revoke its keys?"))?;
            let request = DeleteCallerRequest {
                name: name.clone(),
                etag: etag.etag,
            };
            let done = client.delete_caller(request).await;
            done.map_err(|error| explain(&error, &get(&name)))?;
            Ok(screen.remark(&format!(
                "the caller {name} is deleted, its keys are revoked"
            ))?)
        }
    }
}

fn get(name: &str) -> String {
    format!("parloir admin callers get {name}")
}

impl New {
    fn request(self) -> CreateCallerRequest {
        CreateCallerRequest {
            caller: Some(Caller {
                name: self.name,
                scopes: self.scopes.into_iter().map(i32::from).collect(),
                certificates: self.certificate_names,
                disabled: self.disabled,
                limits: self.limits.given(),
                ..Caller::default()
            }),
        }
    }
}

impl Change {
    pub(super) fn request(self) -> Result<UpdateCallerRequest> {
        let fields = [
            ("scopes", !self.scopes.is_empty()),
            (
                "certificates",
                self.no_certificate_names || !self.certificate_names.is_empty(),
            ),
            ("disabled", self.disable || self.enable),
        ];
        let given = fields.iter().filter(|(_, given)| *given);
        let given = given.map(|(path, _)| (*path).to_owned());
        let paths: Vec<String> = given.chain(self.limits.paths()).collect();
        if paths.is_empty() {
            bail!(
                "nothing is to be changed: give --scope, --certificate-name, --no-certificate-names, --disable, --enable or --limit"
            );
        }
        Ok(UpdateCallerRequest {
            caller: Some(Caller {
                name: self.name,
                scopes: self.scopes.into_iter().map(i32::from).collect(),
                certificates: self.certificate_names,
                disabled: self.disable,
                limits: self.limits.given(),
                etag: self.etag.etag,
                ..Caller::default()
            }),
            update_mask: Some(FieldMask { paths }),
        })
    }
}

async fn list(client: &Client, screen: &mut Screen<'_>) -> Result<()> {
    let mut table = Table::new(&[
        "NAME",
        "SCOPES",
        "STATE",
        "KEYS",
        "DECLARED BY",
        "CHANGED",
        "ETAG",
    ]);
    let mut all = Vec::new();
    let mut request = ListCallersRequest {
        page_size: PAGE,
        ..ListCallersRequest::default()
    };
    loop {
        let page = client.list_callers(request.clone()).await;
        let page = page.map_err(|error| explain(&error, "parloir admin callers list"))?;
        for caller in &page.callers {
            table.add(vec![
                caller.name.clone(),
                scopes(caller),
                state(caller).to_owned(),
                keys_told(caller),
                objects::declared_by(caller.origin()).to_owned(),
                times::shown(caller.update_time.as_ref(), "-"),
                caller.etag.clone(),
            ]);
            all.push(objects::caller(caller));
        }
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    Ok(screen.list(
        &all,
        &table,
        "there is no caller: whoever reaches the server may do everything; `parloir admin callers create` makes one",
    )?)
}

/// How many count. Those of the configuration are not told: they stand in its files.
fn keys_told(caller: &Caller) -> String {
    if caller.origin() == Origin::Configuration {
        return "-".to_owned();
    }
    let counting = caller.keys.iter().filter(|key| counts(key));
    counting.count().to_string()
}

fn counts(key: &CallerKey) -> bool {
    key.revoke_time.is_none()
}

fn print(caller: Option<Caller>, screen: &mut Screen<'_>) -> Result<()> {
    let caller = caller.context("the server told no caller")?;
    let mut text = format!(
        "caller {}: may {}, {}, declared by {}, etag {}",
        caller.name,
        scopes(&caller),
        state(&caller),
        objects::declared_by(caller.origin()),
        caller.etag
    );
    for name in &caller.certificates {
        text.push_str("\n  certificate ");
        text.push_str(name);
    }
    text.push_str(&limit_option::shown(&caller.limits.unwrap_or_default()));
    for key in &caller.keys {
        text.push_str("\n  ");
        text.push_str(&keys::line(key));
    }
    Ok(screen.object(&objects::caller(&caller), &text)?)
}

fn scopes(caller: &Caller) -> String {
    let words: Vec<_> = caller.scopes().map(objects::scope_word).collect();
    words.join(", ")
}

fn state(caller: &Caller) -> &'static str {
    if caller.disabled {
        "disabled"
    } else {
        "let in"
    }
}
