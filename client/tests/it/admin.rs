//! Calls of administrators: what reads is repeated, what would be done twice is not.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use parloir_client::{
    Client, Code, Error,
    v1::{
        AdminServiceListAccountsRequest, CreateAgentRequest, CreateKeyRequest, DeleteCallerRequest,
        GetAgentRequest, ListAuditEntriesRequest, PauseAgentRequest, RevokeKeyRequest,
        RotateSecretRequest, UpdateSourceRequest,
    },
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{
    Status,
    body::Body,
    codegen::{Service, http},
    server::NamedService,
    transport::Server,
};

/// Answers every call of the service with UNAVAILABLE, and keeps which it was.
#[derive(Clone, Default)]
struct Away(Arc<Mutex<Vec<String>>>);

impl NamedService for Away {
    const NAME: &'static str = "parloir.v1.AdminService";
}

impl Service<http::Request<Body>> for Away {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let path = request.uri().path();
        let method = path.rsplit('/').next().unwrap_or_default().to_owned();
        self.0.lock().unwrap().push(method);
        ready(Ok(Status::unavailable("the store cannot write").into_http()))
    }
}

async fn away() -> (Away, Client) {
    let away = Away::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(
        Server::builder()
            .add_service(away.clone())
            .serve_with_incoming(TcpListenerStream::new(listener)),
    );
    let client = Client::builder(url).attempts(2).connect_lazy().unwrap();
    (away, client)
}

/// That the call failed as it was answered, and how often it was tried under which name.
fn tried<A>(away: &Away, outcome: Result<A, Error>) -> (String, usize) {
    let error = outcome.err().expect("nobody answers");
    assert_eq!(error.code(), Code::Unavailable);
    let mut tries = std::mem::take(&mut *away.0.lock().unwrap());
    let count = tries.len();
    tries.dedup();
    (tries.concat(), count)
}

macro_rules! tries {
    ($away:ident, $client:ident: $($call:ident($request:ty)),* $(,)?) => {
        vec![$( tried(&$away, $client.$call(<$request>::default()).await) ),*]
    };
}

#[tokio::test]
async fn what_reads_pauses_or_revokes_is_repeated() {
    let (away, client) = away().await;
    let tries = tries!(away, client:
        get_agent(GetAgentRequest),
        list_administrated_accounts(AdminServiceListAccountsRequest),
        list_audit_entries(ListAuditEntriesRequest),
        pause_agent(PauseAgentRequest),
        revoke_key(RevokeKeyRequest),
    );
    let names = [
        "GetAgent",
        "ListAccounts",
        "ListAuditEntries",
        "PauseAgent",
        "RevokeKey",
    ];
    assert_eq!(tries, names.map(|name| (name.to_owned(), 2)));
}

#[tokio::test]
async fn what_makes_changes_deletes_or_rotates_is_tried_once() {
    let (away, client) = away().await;
    let tries = tries!(away, client:
        create_agent(CreateAgentRequest),
        create_key(CreateKeyRequest),
        update_source(UpdateSourceRequest),
        delete_caller(DeleteCallerRequest),
        rotate_secret(RotateSecretRequest),
    );
    let names = [
        "CreateAgent",
        "CreateKey",
        "UpdateSource",
        "DeleteCaller",
        "RotateSecret",
    ];
    assert_eq!(tries, names.map(|name| (name.to_owned(), 1)));
}
