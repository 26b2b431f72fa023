//! The server is killed: what was acknowledged stays so, and everything else comes again.

use std::collections::HashSet;

use parloir_client::{Client, v1::WhenParked};

use super::stage::{Member, create, policy, text};
use crate::{
    process::{AGENT, Server, Setup},
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

/// What a member had goes to another one at the next server, whose leases do not have to run out first: `lease` says how
/// long that would take.
async fn others_have_it_after(lease: &str, end: impl AsyncFnOnce(&mut Server)) {
    let platform = FakeServer::start().await;
    let setup = Setup::new(
        &platform.url(),
        &format!("subscriptions.lease = \"{lease}\""),
    );
    let mut server = setup.start(&[]);
    server.ready().await;
    let connect = async || {
        let client = Client::builder(setup.grpc_url());
        client.connect().await.expect("a server that listens")
    };
    let client = connect().await;
    create(&client, policy(5, WhenParked::Release)).await;
    for text in ["one", "two"] {
        let reply = post(setup.webhooks, AGENT, &[], says("C", text).as_bytes()).await;
        assert_eq!(reply.status, 200);
    }
    let mut first = Member::join(&client, "first").started().await;
    first.hears("one").await;
    end(&mut server).await;
    let mut server = setup.start(&[]);
    server.ready().await;
    // The first one does not look, and so does not come back.
    let mut second = Member::join(&connect().await, "second").started().await;
    for text in ["one", "two"] {
        let event = second.hears(text).await;
        assert_eq!(event.attempt, 2);
        second.done(&event).await;
    }
    drop(first);
}

#[tokio::test]
async fn a_server_that_stops_in_good_order_gives_its_members_leases_back_at_once() {
    let stop = async |server: &mut Server| {
        server.terminate();
        assert!(server.exited().await.success());
    };
    Box::pin(others_have_it_after("5m", stop)).await;
}

#[tokio::test]
async fn leases_of_a_server_that_was_killed_run_out() {
    let kill = async |server: &mut Server| server.kill();
    Box::pin(others_have_it_after("3s", kill)).await;
}
