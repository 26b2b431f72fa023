//! Callers and keys.

use parloir_client::{
    Client, Code, Error,
    v1::{Caller, CreateCallerRequest, CreateKeyRequest, Scope},
};

use super::{refusal, server, wrong};

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
