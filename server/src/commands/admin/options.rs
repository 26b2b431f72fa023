//! The options by which settings of agents and sources are made and changed, and what they come to: the settings, the
//! fields that an update names, the secrets.

use std::{collections::BTreeMap, io::Read, path::PathBuf};

use anyhow::{Result, bail};
use clap::Args;
use prost_types::{FieldMask, Struct};
use toml::{Table, Value};

use super::{
    document::{Document, List},
    secret_options::SecretOptions,
    structs::to_struct,
};
use crate::config::Kind;

/// The settings of an object that is made.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct NewSettings {
    /// Its name. Unless given, the file tells it.
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// A TOML file with its settings, in the form of its entry in the configuration. Secrets that the entry names as
    /// { env = "NAME" } or { file = "/path" } are read on this machine and sent.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    set: SetOptions,
    #[command(flatten)]
    secrets: SecretOptions,
}

/// How an object's settings change.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct ChangedSettings {
    /// Its name.
    #[arg(value_name = "NAME")]
    pub(super) name: String,
    /// A TOML file whose settings replace all that there are, in the form of its entry in the configuration. Secrets that
    /// it does not name stay.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    set: SetOptions,
    /// A setting that goes back to its default. May be repeated.
    #[arg(long, value_name = "KEY")]
    unset: Vec<String>,
    #[command(flatten)]
    secrets: SecretOptions,
    #[command(flatten)]
    pub(super) etag: EtagOption,
}

/// Single settings.
#[derive(Debug, Clone, Default, Args)]
struct SetOptions {
    /// One setting, for example `send_timeout=5s`. Text may stand bare; lists and tables are written as in TOML. May be
    /// repeated.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

/// What must not have changed meanwhile.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct EtagOption {
    /// Refuse when the object was changed since it had this etag, which `get` shows.
    #[arg(
        long,
        value_name = "ETAG",
        default_value = "",
        hide_default_value = true
    )]
    pub(super) etag: String,
}

/// An object to be made.
#[derive(Debug)]
pub(super) struct New {
    pub(super) name: String,
    pub(super) settings: Struct,
    pub(super) secrets: BTreeMap<String, String>,
}

/// What is to be changed.
#[derive(Debug)]
pub(super) struct Changed {
    pub(super) settings: Struct,
    pub(super) mask: Option<FieldMask>,
    pub(super) secrets: BTreeMap<String, String>,
}

impl NewSettings {
    pub(super) fn read(&self, list: List, input: impl Read) -> Result<New> {
        let mut document = document(self.file.as_ref(), list, self.name.as_deref())?;
        let Some(name) = self.name.clone().or(document.name.take()) else {
            bail!("its name is missing: give it after `create`, or as name in the file");
        };
        for (key, value) in self.set.read(list)? {
            put(&mut document.settings, &key, value)?;
        }
        if document.settings.is_empty() {
            bail!("its settings are missing: --file FILE reads them, --set KEY=VALUE gives one");
        }
        Ok(New {
            name,
            settings: to_struct(&document.settings)?,
            secrets: self.secrets.read(&document.secrets, input)?,
        })
    }
}

impl ChangedSettings {
    pub(super) fn read(&self, list: List, input: impl Read) -> Result<Changed> {
        let mut document = document(self.file.as_ref(), list, Some(&self.name))?;
        let mut paths = Vec::new();
        for (key, value) in self.set.read(list)? {
            put(&mut document.settings, &key, value)?;
            paths.push(format!("settings.{key}"));
        }
        for key in &self.unset {
            check_key(list, key)?;
            remove(&mut document.settings, key);
            paths.push(format!("settings.{key}"));
        }
        if self.file.is_some() {
            paths = vec!["settings".to_owned()];
        }
        let secrets = self.secrets.read(&document.secrets, input)?;
        if paths.is_empty() && secrets.is_empty() {
            bail!(
                "nothing is to be changed: --set KEY=VALUE and --unset KEY change single settings, --file replaces all, \
                 --secret gives a secret"
            );
        }
        Ok(Changed {
            settings: to_struct(&document.settings)?,
            mask: (!paths.is_empty()).then_some(FieldMask { paths }),
            secrets,
        })
    }
}

fn document(file: Option<&PathBuf>, list: List, name: Option<&str>) -> Result<Document> {
    file.map_or_else(
        || Ok(Document::default()),
        |file| Document::load(file, list, name),
    )
}

impl SetOptions {
    fn read(&self, list: List) -> Result<Vec<(String, Value)>> {
        let mut settings = Vec::new();
        for option in &self.set {
            let Some((key, text)) = option.split_once('=') else {
                bail!("--set wants KEY=VALUE, for example send_timeout=5s");
            };
            check_key(list, key)?;
            let value = typed(list.kind(key), text);
            settings.push((key.to_owned(), value));
        }
        Ok(settings)
    }
}

/// That a key may stand in `--set` and `--unset`. The value is never shown: it may be a secret at the wrong place.
fn check_key(list: List, key: &str) -> Result<()> {
    if key == "name" {
        bail!("a name cannot be changed: make another object, and delete this one");
    }
    if list.is_secret(key) {
        bail!(
            "{key} is a secret: give it with --secret {key}=@FILE, and change it with `parloir admin secrets rotate`"
        );
    }
    if key.split('.').any(str::is_empty) {
        bail!(
            "{key:?} is no key: write the names of the tables and the setting with dots between, as in the configuration"
        );
    }
    if key.contains('[') {
        bail!("{key}: a list is set as a whole, for example 'actions=[{{ name = \"refund\" }}]'");
    }
    Ok(())
}

/// A value by what kind its setting takes: text stands bare or in the quotes of TOML; where nobody knows, TOML if it is any, otherwise text. What is wrong the
/// server refuses, with what would be right.
fn typed(kind: Option<Kind>, text: &str) -> Value {
    let plain = || Value::String(text.to_owned());
    match kind {
        Some(Kind::Text | Kind::Duration | Kind::Address | Kind::Path | Kind::Choice(_)) => {
            let quoted = toml_value(text).filter(Value::is_str);
            quoted.unwrap_or_else(plain)
        }
        _ => toml_value(text).unwrap_or_else(plain),
    }
}

fn toml_value(text: &str) -> Option<Value> {
    let mut table = format!("value = {text}").parse::<Table>().ok()?;
    let value = table.remove("value")?;
    // A line break in the text would have begun settings of its own.
    table.is_empty().then_some(value)
}

fn put(table: &mut Table, key: &str, value: Value) -> Result<()> {
    let Some((first, rest)) = key.split_once('.') else {
        table.insert(key.to_owned(), value);
        return Ok(());
    };
    let inner = table
        .entry(first.to_owned())
        .or_insert_with(|| Value::Table(Table::new()));
    if inner.is_array() {
        bail!("{first} is a list: set it as a whole");
    }
    if !inner.is_table() {
        // A table in the place of a plain value: `webhook = "none"`.
        *inner = Value::Table(Table::new());
    }
    match inner {
        Value::Table(inner) => put(inner, rest, value),
        _ => Ok(()),
    }
}

fn remove(table: &mut Table, key: &str) {
    match key.split_once('.') {
        None => {
            table.remove(key);
        }
        Some((first, rest)) => {
            if let Some(Value::Table(inner)) = table.get_mut(first) {
                remove(inner, rest);
            }
        }
    }
}
