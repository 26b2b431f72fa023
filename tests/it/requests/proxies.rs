//! Requests to platforms go where the configuration says, whatever the environment says of proxies.

use std::{io::ErrorKind, net::TcpListener, time::Duration};

use parloir_client::{Client, v1::DeliveryState};

use crate::{
    process::{ACCOUNT, Setup},
    support::{platform::FakeServer, server::state},
};

#[tokio::test]
async fn a_proxy_of_the_environment_sees_no_connection() {
    let proxy = TcpListener::bind("127.0.0.1:0").expect("a free port");
    proxy.set_nonblocking(true).expect("a socket");
    let address = proxy.local_addr().expect("bound");
    let mut environment = vec!["env".to_owned()];
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        for name in [name.to_owned(), name.to_lowercase()] {
            environment.push(format!("{name}=http://{address}"));
        }
    }
    // Nothing is excepted.
    environment.extend(["NO_PROXY=", "no_proxy="].map(str::to_owned));
    let environment: Vec<_> = environment.iter().map(String::as_str).collect();

    let platform = FakeServer::start().await;
    let setup = Setup::new(&platform.url(), "");
    let mut server = setup.start(&environment);
    server.ready().await;
    let client = Client::builder(setup.grpc_url())
        .attempts(1)
        .deadline(Duration::from_secs(30));
    let client = client.connect().await.expect("a server that listens");
    let said = client.say(ACCOUNT, "C", "m-1", "hello").await;
    assert_eq!(state(&said), DeliveryState::Delivered);
    assert_eq!(platform.requests().len(), 1, "it went to the platform");
    let seen = proxy.accept().map(drop).map_err(|error| error.kind());
    assert_eq!(seen, Err(ErrorKind::WouldBlock));
}
