//! Accounts.

use parloir_proto::v1;

use super::{Door, objects::missing, pages::Page, values};
use crate::{
    admin::{AccountChange, AccountView},
    domain::Result,
    wire::time::timestamp,
};

pub(super) async fn create(
    door: Door<'_>,
    message: v1::CreateAccountRequest,
) -> Result<v1::CreateAccountResponse> {
    let given = message.account.ok_or_else(|| missing("account"))?;
    let made = door
        .admin
        .create_account(&door.identity, change(given, Vec::new()));
    Ok(v1::CreateAccountResponse {
        account: Some(account(&door, made.await?)),
    })
}

pub(super) async fn get(
    door: Door<'_>,
    message: v1::GetAccountRequest,
) -> Result<v1::GetAccountResponse> {
    let found = door.admin.account(&door.identity, &message.name)?;
    Ok(v1::GetAccountResponse {
        account: Some(account(&door, found)),
    })
}

pub(super) async fn list(
    door: Door<'_>,
    message: v1::AdminServiceListAccountsRequest,
) -> Result<v1::AdminServiceListAccountsResponse> {
    let query = v1::AdminServiceListAccountsRequest::default();
    let method = "AdminService.ListAccounts";
    let page = Page::asked(
        &door,
        method,
        &query,
        message.page_size,
        &message.page_token,
    )?;
    let all = door.admin.accounts(&door.identity);
    let (accounts, next_page_token) = page.of(all, |account| account.name.clone());
    let accounts = accounts.into_iter().map(|found| account(&door, found));
    Ok(v1::AdminServiceListAccountsResponse {
        accounts: accounts.collect(),
        next_page_token,
    })
}

pub(super) async fn update(
    door: Door<'_>,
    message: v1::UpdateAccountRequest,
) -> Result<v1::UpdateAccountResponse> {
    let given = message.account.ok_or_else(|| missing("account"))?;
    let wanted = change(given, values::paths(message.update_mask));
    let changed = door.admin.update_account(&door.identity, wanted).await?;
    Ok(v1::UpdateAccountResponse {
        account: Some(account(&door, changed)),
    })
}

pub(super) async fn delete(
    door: Door<'_>,
    message: v1::DeleteAccountRequest,
) -> Result<v1::DeleteAccountResponse> {
    let deleted = door
        .admin
        .delete_account(&door.identity, &message.name, &message.etag);
    deleted.await?;
    Ok(v1::DeleteAccountResponse {})
}

fn change(given: v1::Account, mask: Vec<String>) -> AccountChange {
    AccountChange {
        name: given.account,
        agent: given.agent,
        source: given.source,
        upstream_prefix: given.upstream_prefix,
        mask,
        etag: given.etag,
    }
}

fn account(door: &Door<'_>, shown: AccountView) -> v1::Account {
    v1::Account {
        system: door.admin.system_of(&shown.source),
        account: shown.name,
        agent: shown.agent,
        source: shown.source,
        upstream_prefix: shown.upstream_prefix,
        origin: values::origin(shown.standing.origin),
        etag: shown.standing.etag,
        create_time: shown.standing.created_at.map(timestamp),
        update_time: shown.standing.updated_at.map(timestamp),
    }
}
