//! What an administrator changes at one replica counts at the others.

use std::time::Duration;

use parloir_client::{
    Client, Code,
    v1::{
        Caller, CreateCallerRequest, CreateKeyRequest, CreateKeyResponse, DeleteAccountRequest,
        RevokeKeyRequest, Scope,
    },
};
use tokio::time::{Instant, timeout};

use super::stage::{Stage, Wishes};
use crate::{
    administration::create_account,
    process::{ACCOUNT, AGENT},
    support::platform::FakeServer,
};

/// Replicas look for changes every second.
const FOLLOWED_WITHIN: Duration = Duration::from_secs(3);

/// Waits until it holds, and says how long that took.
async fn followed(what: &str, holds: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    let until = async { while !holds().await {} };
    let followed = timeout(FOLLOWED_WITHIN, until).await;
    assert!(followed.is_ok(), "{what}: not within {FOLLOWED_WITHIN:?}");
    println!("{what}: after {} ms", begun.elapsed().as_millis());
}

async fn make(client: &Client, name: &str, scope: Scope) {
    let caller = Caller {
        name: name.to_owned(),
        scopes: vec![scope.into()],
        ..Caller::default()
    };
    let request = CreateCallerRequest {
        caller: Some(caller),
    };
    client.create_caller(request).await.expect("made");
}

async fn key(client: &Client, caller: &str) -> CreateKeyResponse {
    let request = CreateKeyRequest {
        caller: caller.to_owned(),
        ..CreateKeyRequest::default()
    };
    client.create_key(request).await.expect("made")
}

fn with_key(stage: &Stage, replica: usize, key: &str) -> Client {
    let client = Client::builder(stage.url(replica)).attempts(1).key(key);
    client.connect_lazy().expect("a valid address")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_and_keys_that_change_at_one_replica_change_at_the_other() {
    let platform = FakeServer::start().await;
    let wishes = Wishes {
        // Two accounts will share the agent.
        agent: &format!("default_account = \"{ACCOUNT}\""),
        ..Wishes::default()
    };
    let stage = Stage::running(&platform.url(), 2, wishes).await;
    let (here, there) = (stage.client(0), stage.client(1));

    create_account(&here, "outlet", AGENT).await.expect("made");
    followed("an account that was made", async || {
        there.start("outlet", "C", "start").await.is_ok()
    })
    .await;

    let gone = DeleteAccountRequest {
        name: "outlet".to_owned(),
        ..DeleteAccountRequest::default()
    };
    here.delete_account(gone).await.expect("deleted");
    followed("an account that was deleted", async || {
        let refused = there.start("outlet", "D", "another").await.err();
        refused.is_some_and(|error| error.code() == Code::NotFound)
    })
    .await;

    make(&here, "ops", Scope::Admin).await;
    let ops = key(&here, "ops").await;
    followed("nobody is let in without a key any more", async || {
        let refused = there.conversation(ACCOUNT, "C").await.err();
        refused.is_some_and(|error| error.code() == Code::Unauthenticated)
    })
    .await;
    let (here, there) = (
        with_key(&stage, 0, &ops.text),
        with_key(&stage, 1, &ops.text),
    );
    make(&there, "shop", Scope::Converse).await;
    // What an administrator did there a moment ago is known here by then, or refused as unknown.
    followed("a caller that was made", async || {
        let request = CreateKeyRequest {
            caller: "shop".to_owned(),
            ..CreateKeyRequest::default()
        };
        here.create_key(request).await.is_ok()
    })
    .await;
    let shop = key(&here, "shop").await;
    let visitor = with_key(&stage, 1, &shop.text);
    followed("a key that was made", async || {
        visitor.start(ACCOUNT, "V", "start").await.is_ok()
    })
    .await;
    let id = shop.key.expect("it").id;
    let revoked = here.revoke_key(RevokeKeyRequest { id }).await;
    revoked.expect("revoked");
    followed("a key that was revoked", async || {
        let refused = visitor.start(ACCOUNT, "V", "again").await.err();
        refused.is_some_and(|error| error.code() == Code::Unauthenticated)
    })
    .await;
}
