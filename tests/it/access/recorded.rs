//! Who tries to administrate without being allowed to is in the record of acts, but cannot fill the disk with it.

use std::time::Duration;

use parloir_client::v1::{ListAuditEntriesRequest, VerifyAuditLogRequest, audit_entry::Outcome};
use tonic::Code;

use super::house::{House, assert_refused, bearer, call};

const REFUSED: [&str; 3] = [
    "/parloir.v1.AdminService/CreateKey",
    "/parloir.v1.AdminService/ListAgents",
    "/parloir.v1.ConversationService/ErasePersonalData",
];

async fn try_all(house: &House, caller: &str) {
    let channel = house.channel().await;
    for path in REFUSED {
        let answer = call(&channel, path, Some(&bearer(&house.key(caller)))).await;
        assert_refused(answer, Code::PermissionDenied, "SCOPE_MISSING", path);
    }
}

/// Caller, method and reason of everything that is recorded, oldest first.
async fn recorded(house: &House) -> Vec<(String, String, String)> {
    let client = house.client("admin").await;
    let request = ListAuditEntriesRequest {
        page_size: 500,
        ..ListAuditEntriesRequest::default()
    };
    let listed = client.list_audit_entries(request).await.expect("listed");
    let each = listed.entries.into_iter().rev().map(|entry| {
        assert_eq!(entry.outcome(), Outcome::Refused);
        assert_eq!(entry.target, "", "nothing was read");
        assert_eq!(entry.credential.len(), 12, "the id of the key");
        (entry.caller, entry.action, entry.reason)
    });
    each.collect()
}

fn of(caller: &str) -> [(String, String, String); 3] {
    ["CreateKey", "ListAgents", "ErasePersonalData"]
        .map(|method| (caller.into(), method.into(), "SCOPE_MISSING".into()))
}

#[tokio::test]
async fn calls_of_who_may_not_administrate_are_recorded_once_a_minute_for_each_method() {
    let house = House::with_callers("").await;
    for _ in 0..5 {
        try_all(&house, "converse").await;
    }
    assert_eq!(recorded(&house).await, of("converse"));
    try_all(&house, "respond").await;
    let expected = [of("converse"), of("respond")].concat();
    assert_eq!(recorded(&house).await, expected);

    house.clock.advance(Duration::from_secs(61));
    for _ in 0..2 {
        try_all(&house, "respond").await;
    }
    let expected = [expected, of("respond").to_vec()].concat();
    assert_eq!(recorded(&house).await, expected);
    let admin = house.client("admin").await;
    let check = admin.verify_audit_log(VerifyAuditLogRequest {}).await;
    assert!(check.expect("checked").intact);
}

#[tokio::test]
async fn what_another_scope_would_open_and_who_is_unknown_are_not_acts_of_administrators() {
    let house = House::with_callers("").await;
    let channel = house.channel().await;
    let send = "/parloir.v1.ConversationService/SendMessage";
    let answer = call(&channel, send, Some(&bearer(&house.key("respond")))).await;
    assert_refused(answer, Code::PermissionDenied, "SCOPE_MISSING", send);
    for path in REFUSED {
        let answer = call(&channel, path, None).await;
        assert_refused(answer, Code::Unauthenticated, "CREDENTIALS_MISSING", path);
    }
    assert_eq!(recorded(&house).await, []);
}
