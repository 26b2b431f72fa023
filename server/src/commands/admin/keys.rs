//! `parloir admin keys`.

use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use parloir_client::Client;
use parloir_proto::v1::{
    CallerKey, CreateKeyRequest, CreateKeyResponse, ListKeysRequest, RevokeKeyRequest,
};
use prost_types::Timestamp;
use serde_json::json;

use super::{
    explain::explain,
    form::{Screen, Table},
    key_file::KeyFile,
    objects,
    shown::PAGE,
    times,
};

#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// Makes a key and shows its text: this once, the server keeps no more than a hash of it.
    Create(New),
    /// Lists a caller's keys, oldest first, those too that count no more. Never their text.
    List {
        /// The caller.
        caller: String,
    },
    /// Revokes a key, at once and for good.
    Revoke {
        /// The key's id: what stands between the first and the second underscore of its text.
        id: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct New {
    /// The caller.
    caller: String,
    /// How long it counts, for example 90days. Unless given: until it is revoked.
    #[arg(long, value_name = "DURATION", value_parser = times::length)]
    expires_in: Option<Duration>,
    /// Until when it counts.
    #[arg(long, value_name = "TIME", value_parser = times::instant, conflicts_with = "expires_in")]
    expires_at: Option<SystemTime>,
    /// Write its text to this new file, for its owner alone, instead of showing it.
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
}

impl New {
    pub(super) fn expire_time(&self, now: SystemTime) -> Option<Timestamp> {
        let at = self
            .expires_in
            .map(|length| now + length)
            .or(self.expires_at);
        at.map(times::timestamp)
    }
}

pub(super) async fn run(client: &Client, what: Keys, screen: &mut Screen<'_>) -> Result<()> {
    match what {
        Keys::Create(new) => create(client, new, screen).await,
        Keys::List { caller } => list(client, caller, screen).await,
        Keys::Revoke { id } => {
            let answer = client.revoke_key(RevokeKeyRequest { id }).await;
            let answer = answer.map_err(|error| explain(&error, "parloir admin callers list"))?;
            let key = answer.key.context("the server told no key")?;
            Ok(screen.object(&objects::key(&key), &line(&key))?)
        }
    }
}

async fn create(client: &Client, new: New, screen: &mut Screen<'_>) -> Result<()> {
    let file = new.to.as_deref().map(KeyFile::create).transpose()?;
    let request = CreateKeyRequest {
        expire_time: new.expire_time(SystemTime::now()),
        caller: new.caller,
    };
    let again = format!("parloir admin keys list {}", request.caller);
    let answer = client.create_key(request).await;
    let CreateKeyResponse { key, text } = answer.map_err(|error| explain(&error, &again))?;
    let key = key.context("the server told no key")?;
    let Some(file) = file else {
        let object = json!({ "key": objects::key(&key), "text": text });
        screen.object(&object, &text)?;
        eprintln!(
            "{}\nIts text is shown this once: keep it now. Lost, it cannot be had again; revoke it and make another.",
            line(&key)
        );
        return Ok(());
    };
    file.keep(&text)?;
    let to = new.to.unwrap_or_default();
    let object = json!({ "key": objects::key(&key), "file": to });
    let kept = format!(
        "{}\nIts text is in {} and nowhere else.",
        line(&key),
        to.display()
    );
    Ok(screen.object(&object, &kept)?)
}

async fn list(client: &Client, caller: String, screen: &mut Screen<'_>) -> Result<()> {
    let mut table = Table::new(&["ID", "MADE", "EXPIRES", "LAST USE", "REVOKED"]);
    let mut all = Vec::new();
    let mut request = ListKeysRequest {
        caller,
        page_size: PAGE,
        page_token: String::new(),
    };
    loop {
        let page = client.list_keys(request.clone()).await;
        let page = page.map_err(|error| explain(&error, "parloir admin callers list"))?;
        for key in &page.keys {
            table.add(vec![
                key.id.clone(),
                times::shown(key.create_time.as_ref(), "-"),
                times::shown(key.expire_time.as_ref(), "never"),
                times::shown(key.last_use_time.as_ref(), "never"),
                times::shown(key.revoke_time.as_ref(), "-"),
            ]);
            all.push(objects::key(key));
        }
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    let none = "the caller has no key; `parloir admin keys create` makes one";
    Ok(screen.list(&all, &table, none)?)
}

/// A key in one line, without its text.
pub(super) fn line(key: &CallerKey) -> String {
    let until = match (&key.revoke_time, &key.expire_time) {
        (Some(at), _) => format!("revoked {}", times::shown(Some(at), "")),
        (None, Some(at)) => format!("counts until {}", times::shown(Some(at), "")),
        (None, None) => "counts until it is revoked".to_owned(),
    };
    format!(
        "key {} of {}, made {}, last used {}, {until}",
        key.id,
        key.caller,
        times::shown(key.create_time.as_ref(), "-"),
        times::shown(key.last_use_time.as_ref(), "never"),
    )
}
