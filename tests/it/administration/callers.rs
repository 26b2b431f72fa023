//! Callers and keys.

use parloir_client::{
    Client, Code, Error,
    v1::{Caller, CreateCallerRequest, CreateKeyRequest, ListKeysRequest, RevokeKeyRequest, Scope},
};

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
