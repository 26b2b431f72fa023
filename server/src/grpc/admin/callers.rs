//! Callers and their keys.

use parloir_proto::v1;
use secrecy::ExposeSecret;

use super::{Door, objects::missing, pages::Page, values};
use crate::{
    access::OwnLimits,
    admin::{CallerChange, CallerView, KeyView},
    domain::{Result, Scope},
    grpc::checks::Checks,
    wire::time::timestamp,
};

pub(super) async fn create(
    door: Door<'_>,
    message: v1::CreateCallerRequest,
) -> Result<v1::CreateCallerResponse> {
    let given = message.caller.ok_or_else(|| missing("caller"))?;
    let wanted = change(given, Vec::new())?;
    let made = door.admin.create_caller(&door.identity, wanted).await?;
    Ok(v1::CreateCallerResponse {
        caller: Some(caller(made)),
    })
}

pub(super) async fn get(
    door: Door<'_>,
    message: v1::GetCallerRequest,
) -> Result<v1::GetCallerResponse> {
    let found = door.admin.caller(&door.identity, &message.name)?;
    Ok(v1::GetCallerResponse {
        caller: Some(caller(found)),
    })
}

pub(super) async fn list(
    door: Door<'_>,
    message: v1::ListCallersRequest,
) -> Result<v1::ListCallersResponse> {
    let query = v1::ListCallersRequest::default();
    let page = Page::asked(
        &door,
        "ListCallers",
        &query,
        message.page_size,
        &message.page_token,
    )?;
    let all = door.admin.callers(&door.identity);
    let (callers, next_page_token) = page.of(all, |caller| caller.name.clone());
    Ok(v1::ListCallersResponse {
        callers: callers.into_iter().map(caller).collect(),
        next_page_token,
    })
}

pub(super) async fn update(
    door: Door<'_>,
    message: v1::UpdateCallerRequest,
) -> Result<v1::UpdateCallerResponse> {
    let given = message.caller.ok_or_else(|| missing("caller"))?;
    let wanted = change(given, values::paths(message.update_mask))?;
    let changed = door.admin.update_caller(&door.identity, wanted).await?;
    Ok(v1::UpdateCallerResponse {
        caller: Some(caller(changed)),
    })
}

pub(super) async fn delete(
    door: Door<'_>,
    message: v1::DeleteCallerRequest,
) -> Result<v1::DeleteCallerResponse> {
    let deleted = door
        .admin
        .delete_caller(&door.identity, &message.name, &message.etag);
    deleted.await?;
    Ok(v1::DeleteCallerResponse {})
}

pub(super) async fn create_key(
    door: Door<'_>,
    message: v1::CreateKeyRequest,
) -> Result<v1::CreateKeyResponse> {
    let mut checks = Checks::default();
    let expires_at = checks.time("expire_time", message.expire_time.as_ref());
    checks.finish(|| Some(()))?;
    let made = door
        .admin
        .create_key(&door.identity, &message.caller, expires_at);
    let (made, text) = made.await?;
    Ok(v1::CreateKeyResponse {
        key: Some(key(made)),
        text: text.expose_secret().to_owned(),
    })
}

pub(super) async fn list_keys(
    door: Door<'_>,
    message: v1::ListKeysRequest,
) -> Result<v1::ListKeysResponse> {
    let query = v1::ListKeysRequest {
        caller: message.caller.clone(),
        ..v1::ListKeysRequest::default()
    };
    let page = Page::asked(
        &door,
        "ListKeys",
        &query,
        message.page_size,
        &message.page_token,
    )?;
    let all = door.admin.caller(&door.identity, &message.caller)?.keys;
    // Padded, so that texts stand in the order of the times.
    let place = |key: &KeyView| format!("{:020}{}", key.created_at.0.max(0), key.id);
    let (keys, next_page_token) = page.of(all, place);
    Ok(v1::ListKeysResponse {
        keys: keys.into_iter().map(key).collect(),
        next_page_token,
    })
}

pub(super) async fn revoke_key(
    door: Door<'_>,
    message: v1::RevokeKeyRequest,
) -> Result<v1::RevokeKeyResponse> {
    let revoked = door.admin.revoke_key(&door.identity, &message.id).await?;
    Ok(v1::RevokeKeyResponse {
        key: Some(key(revoked)),
    })
}

fn change(given: v1::Caller, mask: Vec<String>) -> Result<CallerChange> {
    let mut checks = Checks::default();
    let scopes = checks.values("caller.scopes", &given.scopes, read_scope);
    checks.finish(|| {
        Some(CallerChange {
            name: given.name,
            scopes: scopes?.into_iter().collect(),
            certificates: given.certificates,
            disabled: given.disabled,
            limits: given.limits.map(read_limits).unwrap_or_default(),
            mask,
            etag: given.etag,
        })
    })
}

fn caller(shown: CallerView) -> v1::Caller {
    v1::Caller {
        name: shown.name,
        scopes: shown.scopes.iter().map(scope).collect(),
        certificates: shown.certificates,
        disabled: shown.disabled,
        origin: values::origin(shown.standing.origin),
        etag: shown.standing.etag,
        create_time: shown.standing.created_at.map(timestamp),
        update_time: shown.standing.updated_at.map(timestamp),
        keys: shown.keys.into_iter().map(key).collect(),
        limits: Some(limits(shown.limits)),
    }
}

fn read_limits(given: v1::CallerLimits) -> OwnLimits {
    let v1::CallerLimits {
        calls_per_second,
        call_burst,
        calls_in_flight,
        streams,
        message_bytes,
    } = given;
    OwnLimits {
        calls_per_second,
        call_burst,
        calls_in_flight,
        streams,
        message_bytes,
    }
}

fn limits(own: OwnLimits) -> v1::CallerLimits {
    let OwnLimits {
        calls_per_second,
        call_burst,
        calls_in_flight,
        streams,
        message_bytes,
    } = own;
    v1::CallerLimits {
        calls_per_second,
        call_burst,
        calls_in_flight,
        streams,
        message_bytes,
    }
}

fn key(shown: KeyView) -> v1::CallerKey {
    v1::CallerKey {
        id: shown.id,
        caller: shown.caller,
        create_time: Some(timestamp(shown.created_at)),
        expire_time: shown.expires_at.map(timestamp),
        last_use_time: shown.last_used_at.map(timestamp),
        revoke_time: shown.revoked_at.map(timestamp),
    }
}

fn read_scope(number: i32) -> Option<Scope> {
    match v1::Scope::try_from(number).ok()? {
        v1::Scope::Unspecified => None,
        v1::Scope::Converse => Some(Scope::Converse),
        v1::Scope::Subscribe => Some(Scope::Subscribe),
        v1::Scope::Respond => Some(Scope::Respond),
        v1::Scope::Admin => Some(Scope::Admin),
    }
}

fn scope(scope: Scope) -> i32 {
    match scope {
        Scope::Converse => v1::Scope::Converse,
        Scope::Subscribe => v1::Scope::Subscribe,
        Scope::Respond => v1::Scope::Respond,
        Scope::Admin => v1::Scope::Admin,
    }
    .into()
}
