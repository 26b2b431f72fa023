//! Objects of the contract as JSON: its names, always all of them, enum values by their name, times in UTC.
//!
//! Every message is taken apart field by field, so that a field added to the contract does not compile until it is
//! written here.

use parloir_proto::v1::{
    Account, Agent, AuditEntry, Caller, CallerKey, CallerLimits, Origin, Scope, SecretInfo, Source,
};
use prost_types::Struct;
use serde_json::{Value, json};

use super::structs;
use crate::commands::tail::timestamp;

pub(super) fn agent(one: &Agent) -> Value {
    let Agent {
        name,
        platform,
        settings,
        secrets,
        paused,
        origin: _,
        etag,
        create_time,
        update_time,
        webhook_path,
    } = one;
    json!({
        "name": name,
        "platform": platform,
        "settings": settings_of(settings.as_ref()),
        "secrets": self::secrets(secrets),
        "paused": paused,
        "origin": one.origin().as_str_name(),
        "etag": etag,
        "create_time": timestamp(create_time.as_ref()),
        "update_time": timestamp(update_time.as_ref()),
        "webhook_path": webhook_path,
    })
}

pub(super) fn source(one: &Source) -> Value {
    let Source {
        name,
        system,
        settings,
        secrets,
        origin: _,
        etag,
        create_time,
        update_time,
        webhook_path,
    } = one;
    json!({
        "name": name,
        "system": system,
        "settings": settings_of(settings.as_ref()),
        "secrets": self::secrets(secrets),
        "origin": one.origin().as_str_name(),
        "etag": etag,
        "create_time": timestamp(create_time.as_ref()),
        "update_time": timestamp(update_time.as_ref()),
        "webhook_path": webhook_path,
    })
}

pub(super) fn account(one: &Account) -> Value {
    let Account {
        account,
        agent,
        source,
        system,
        upstream_prefix,
        origin: _,
        etag,
        create_time,
        update_time,
    } = one;
    json!({
        "account": account,
        "agent": agent,
        "source": source,
        "system": system,
        "upstream_prefix": upstream_prefix,
        "origin": one.origin().as_str_name(),
        "etag": etag,
        "create_time": timestamp(create_time.as_ref()),
        "update_time": timestamp(update_time.as_ref()),
    })
}

pub(super) fn caller(one: &Caller) -> Value {
    let Caller {
        name,
        scopes: _,
        certificates,
        disabled,
        origin: _,
        etag,
        create_time,
        update_time,
        keys,
        limits,
    } = one;
    json!({
        "name": name,
        "scopes": one.scopes().map(|scope| scope.as_str_name()).collect::<Vec<_>>(),
        "certificates": certificates,
        "disabled": disabled,
        "origin": one.origin().as_str_name(),
        "etag": etag,
        "create_time": timestamp(create_time.as_ref()),
        "update_time": timestamp(update_time.as_ref()),
        "keys": keys.iter().map(key).collect::<Vec<_>>(),
        "limits": self::limits(limits.unwrap_or_default()),
    })
}

/// Null where the server's setting counts.
pub(super) fn limits(limits: CallerLimits) -> Value {
    let CallerLimits {
        calls_per_second,
        call_burst,
        calls_in_flight,
        streams,
        message_bytes,
    } = limits;
    json!({
        "calls_per_second": calls_per_second,
        "call_burst": call_burst,
        "calls_in_flight": calls_in_flight,
        "streams": streams,
        "message_bytes": message_bytes,
    })
}

pub(super) fn key(one: &CallerKey) -> Value {
    let CallerKey {
        id,
        caller,
        create_time,
        expire_time,
        last_use_time,
        revoke_time,
    } = one;
    json!({
        "id": id,
        "caller": caller,
        "create_time": timestamp(create_time.as_ref()),
        "expire_time": timestamp(expire_time.as_ref()),
        "last_use_time": timestamp(last_use_time.as_ref()),
        "revoke_time": timestamp(revoke_time.as_ref()),
    })
}

pub(super) fn secrets(secrets: &[SecretInfo]) -> Value {
    let secret = |secret: &SecretInfo| {
        let SecretInfo {
            path,
            create_time,
            expire_time,
        } = secret;
        json!({
            "path": path,
            "create_time": timestamp(create_time.as_ref()),
            "expire_time": timestamp(expire_time.as_ref()),
        })
    };
    secrets.iter().map(secret).collect()
}

pub(super) fn audit_entry(one: &AuditEntry) -> Value {
    let AuditEntry {
        number,
        time,
        caller,
        credential,
        action,
        target,
        detail,
        outcome: _,
        reason,
        hash,
    } = one;
    json!({
        "number": number,
        "time": timestamp(time.as_ref()),
        "caller": caller,
        "credential": credential,
        "action": action,
        "target": target,
        "detail": settings_of(detail.as_ref()),
        "outcome": one.outcome().as_str_name(),
        "reason": reason,
        "hash": hash,
    })
}

fn settings_of(settings: Option<&Struct>) -> Value {
    settings.map_or_else(|| json!({}), structs::to_json)
}

/// Who declares an object, in a word.
pub(super) fn declared_by(origin: Origin) -> &'static str {
    match origin {
        Origin::Configuration => "configuration",
        Origin::Admin => "admin",
        Origin::Unspecified => "unknown",
    }
}

/// A scope as `--scope` takes it.
pub(super) fn scope_word(scope: Scope) -> &'static str {
    match scope {
        Scope::Unspecified => "unknown",
        Scope::Converse => "converse",
        Scope::Subscribe => "subscribe",
        Scope::Respond => "respond",
        Scope::Admin => "admin",
    }
}
