//! The server is killed: what was acknowledged stays so, and everything else comes again.

use std::collections::HashSet;

use parloir_client::{Client, v1::WhenParked};

use super::stage::{Member, create, policy, text};
use crate::{
    process::{AGENT, Setup},
    support::{
        platform::FakeServer,
        webhook::{post, says},
    },
};

#[tokio::test]
async fn what_was_not_acknowledged_when_the_server_was_killed_comes_again() {
    let platform = FakeServer::start().await;
    let setup = Setup::new(&platform.url(), "");
    let mut server = setup.start(&[]);
    server.ready().await;
    let client = Client::builder(setup.grpc_url());
    let client = client.connect().await.expect("a server that listens");
    create(&client, policy(5, WhenParked::Release)).await;
    let mut said = HashSet::new();
    for number in 0..20 {
        let body = says(&format!("C-{}", number % 5), &number.to_string());
        let reply = post(setup.webhooks, AGENT, &[], body.as_bytes()).await;
        assert_eq!(reply.status, 200);
        said.insert(number.to_string());
    }
    let mut member = Member::join(&client, "m").started().await;
    for number in 0..20 {
        let event = member.event().await;
        if number % 2 == 0 {
            member.done(&event).await;
            said.remove(&text(&event));
        }
    }
    server.kill();
    let mut server = setup.start(&[]);
    server.ready().await;
    // The same member comes back by itself.
    while !said.is_empty() {
        let event = member.event().await;
        assert_eq!(event.attempt, 2, "{}", text(&event));
        assert!(said.remove(&text(&event)), "{} was done", text(&event));
        member.done(&event).await;
    }
}
