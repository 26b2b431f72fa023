//! Callers and keys.

use parloir_client::{
    Client, Code, Error,
    v1::{
        Caller, CallerLimits, CreateCallerRequest, CreateKeyRequest, GetConversationRequest,
        ListAuditEntriesRequest, ListKeysRequest, RevokeKeyRequest, Scope, UpdateCallerRequest,
    },
};
use prost_types::FieldMask;

use super::{refusal, server, wrong};
use crate::support::server::TestServer;

async fn make(client: &Client, name: &str, scopes: &[Scope]) -> Result<Caller, Error> {
    let request = CreateCallerRequest {
        caller: Some(Caller {
            name: name.to_owned(),
            scopes: scopes.iter().map(|scope| (*scope).into()).collect(),
            ..Caller::default()
        }),
    };
    let made = client.create_caller(request).await?;
    Ok(made.caller.expect("the caller"))
}

fn key_for(caller: &str) -> CreateKeyRequest {
    CreateKeyRequest {
        caller: caller.to_owned(),
        ..CreateKeyRequest::default()
    }
}

#[tokio::test]
async fn the_first_caller_administrates_and_nobody_is_locked_out_before_it_has_a_key() {
    let server = server().await;
    let client = &server.client;
    let refused = make(client, "shop", &[Scope::Converse]).await;
    let expected = (
        Code::FailedPrecondition,
        "FIRST_CALLER_NOT_ADMIN".to_owned(),
    );
    assert_eq!(refusal(refused), expected);
    make(client, "ops", &[Scope::Admin]).await.expect("made");
    let made = client
        .create_key(key_for("ops"))
        .await
        .expect("still let in");
    let key = made.key.expect("it");
    let start = format!("parloir_{}_", key.id);
    assert!(made.text.starts_with(&start), "its id is in its text");
}

#[tokio::test]
async fn what_is_wrong_with_a_caller_is_said() {
    let server = server().await;
    let client = &server.client;
    let found = wrong(make(client, "Ops", &[Scope::Admin]).await);
    assert!(found[0].starts_with("caller.name: must be"), "{found:?}");
    let found = wrong(make(client, "ops", &[]).await);
    assert_eq!(found, ["caller.scopes: must be one at least"]);
    let found = wrong(make(client, "ops", &[Scope::Unspecified]).await);
    assert!(found[0].starts_with("caller.scopes[0]"), "{found:?}");
    let unknown = client.create_key(key_for("nobody")).await;
    assert_eq!(
        refusal(unknown),
        (Code::NotFound, "CALLER_NOT_FOUND".to_owned())
    );
}

async fn with_key(server: &TestServer, key: &str) -> Client {
    let client = Client::builder(format!("http://{}", server.app.grpc()))
        .key(key)
        .attempts(1);
    client.connect().await.expect("a server that listens")
}

async fn used(client: &Client, id: &str) -> bool {
    let request = ListKeysRequest {
        caller: "ops".to_owned(),
        ..ListKeysRequest::default()
    };
    let keys = client.list_keys(request).await.expect("listed").keys;
    let key = keys.iter().find(|key| key.id == id).expect("it");
    key.last_use_time.is_some()
}

#[tokio::test]
async fn a_key_is_used_listed_with_its_last_use_and_refused_once_it_is_revoked() {
    let server = server().await;
    make(&server.client, "ops", &[Scope::Admin])
        .await
        .expect("made");
    let made = server.client.create_key(key_for("ops")).await;
    let first = made.expect("made");
    let id = first.key.expect("it").id;
    let refused = server.client.create_key(key_for("ops")).await;
    assert_eq!(
        refusal(refused).0,
        Code::Unauthenticated,
        "nobody is let in without one"
    );

    let with_first = with_key(&server, &first.text).await;
    while !used(&with_first, &id).await {
        tokio::task::yield_now().await;
    }
    let second = with_first.create_key(key_for("ops")).await.expect("made");
    let with_second = with_key(&server, &second.text).await;
    let revoke = RevokeKeyRequest { id: id.clone() };
    let revoked = with_second.revoke_key(revoke).await.expect("revoked");
    assert!(revoked.key.expect("it").revoke_time.is_some());
    let refused = with_first.create_key(key_for("ops")).await;
    assert_eq!(refusal(refused).0, Code::Unauthenticated);
    let acts = super::acts(&with_second).await;
    let last = acts.last().expect("acts");
    assert_eq!(
        (last.0.as_str(), last.1.as_str()),
        ("RevokeKey", format!("keys/{id}").as_str())
    );
}

async fn limit(
    client: &Client,
    limits: CallerLimits,
    paths: &[&str],
) -> Result<CallerLimits, Error> {
    let request = UpdateCallerRequest {
        caller: Some(Caller {
            name: "desk".to_owned(),
            limits: Some(limits),
            ..Caller::default()
        }),
        update_mask: Some(prost_types::FieldMask {
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        }),
    };
    let changed = client.update_caller(request).await?;
    Ok(changed.caller.expect("it").limits.expect("its limits"))
}

async fn called(client: &Client) -> (Code, String) {
    refusal(
        client
            .get_conversation(GetConversationRequest {
                account: "none".to_owned(),
                conversation_id: "none".to_owned(),
            })
            .await,
    )
}

#[tokio::test]
async fn a_callers_own_limits_count_from_the_answer_on_until_they_are_taken_back() {
    let server = server().await;
    make(&server.client, "desk", &[Scope::Admin, Scope::Converse])
        .await
        .expect("made");
    let key = server.client.create_key(key_for("desk")).await;
    let desk = with_key(&server, &key.expect("made").text).await;
    let not_found = (Code::NotFound, "ACCOUNT_NOT_FOUND".to_owned());
    assert_eq!(called(&desk).await, not_found);

    // The change of the limits is a call of its own, counted before it has effect.
    let slow = CallerLimits {
        calls_per_second: Some(1),
        call_burst: Some(2),
        streams: Some(7),
        ..CallerLimits::default()
    };
    let shown = limit(&desk, slow, &["limits"]).await.expect("changed");
    assert_eq!(shown, slow);
    assert_eq!(called(&desk).await, not_found);
    let refused = async {
        loop {
            let answer = called(&desk).await;
            if answer != not_found {
                return answer;
            }
        }
    };
    let limited = (Code::ResourceExhausted, "LIMIT_REACHED".to_owned());
    assert_eq!(refused.await, limited);

    let back = CallerLimits {
        streams: Some(9),
        ..CallerLimits::default()
    };
    let paths = ["limits.calls_per_second", "limits.call_burst"];
    let shown = loop {
        match limit(&desk, back, &paths).await {
            Ok(shown) => break shown,
            // Even who is slowed down gets its turn.
            Err(error) => assert_eq!(error.reason(), Some("LIMIT_REACHED"), "{error}"),
        }
    };
    let streams_alone = CallerLimits {
        streams: Some(7),
        ..CallerLimits::default()
    };
    assert_eq!(shown, streams_alone, "what the mask does not name stays");
    for _ in 0..10 {
        assert_eq!(called(&desk).await, not_found);
    }
}

#[tokio::test]
async fn what_is_wrong_with_limits_is_said_of_each() {
    let server = server().await;
    let client = &server.client;
    make(client, "desk", &[Scope::Admin]).await.expect("made");
    let wrong_limits = CallerLimits {
        calls_per_second: Some(1_000_001),
        message_bytes: Some(10),
        ..CallerLimits::default()
    };
    let found = wrong(limit(client, wrong_limits, &["limits"]).await);
    assert_eq!(
        found,
        [
            "caller.limits.calls_per_second: must be 0 to 1000000",
            "caller.limits.message_bytes: must be 0 or 1024 to 16777216",
        ]
    );
    let found = wrong(limit(client, CallerLimits::default(), &["limits.speed"]).await);
    assert!(found[0].starts_with("update_mask.paths[0]: "), "{found:?}");
}

#[tokio::test]
async fn what_is_recorded_of_a_change_is_what_was_asked_for_and_times_can_be_read() {
    let server = server().await;
    make(&server.client, "ops", &[Scope::Admin])
        .await
        .expect("made");
    make(&server.client, "desk", &[Scope::Converse])
        .await
        .expect("made");
    let disable = UpdateCallerRequest {
        caller: Some(Caller {
            name: "desk".to_owned(),
            disabled: true,
            ..Caller::default()
        }),
        update_mask: Some(FieldMask {
            paths: vec!["disabled".to_owned()],
        }),
    };
    server.client.update_caller(disable).await.expect("changed");
    let expiring = CreateKeyRequest {
        expire_time: Some(prost_types::Timestamp {
            seconds: 4_102_444_800,
            nanos: 0,
        }),
        ..key_for("ops")
    };
    let key = server.client.create_key(expiring).await.expect("made");
    let client = with_key(&server, &key.text).await;
    let request = ListAuditEntriesRequest::default();
    let entries = client.list_audit_entries(request).await;
    let entries = entries.expect("listed").entries;
    let details: Vec<_> = entries
        .iter()
        .map(|entry| format!("{:?}", entry.detail))
        .collect();
    assert!(details[0].contains("2100-01-01T00:00:00Z"), "{details:?}");
    assert!(details[1].contains("disabled"), "{details:?}");
    assert!(!details[1].contains("scopes"), "{details:?}");
}
