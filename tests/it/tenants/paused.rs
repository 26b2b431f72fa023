//! An agent to which nothing is sent for now.

use std::{collections::HashSet, time::Duration};

use parloir::live::Managed;
use parloir_client::v1::{DeliveryState, delivery_changed::Subject, event::Body};

use crate::support::{
    server::{ACCOUNT, AGENT, TestServer, Wishes, state},
    webhook::says,
};

fn paused(agents: &[&str]) -> Managed {
    let paused: HashSet<_> = agents.iter().map(|&name| name.to_owned()).collect();
    Managed {
        paused,
        ..Managed::default()
    }
}

#[tokio::test]
async fn what_is_said_to_a_paused_agent_waits_in_order_and_goes_when_it_is_resumed() {
    let server = TestServer::start().await;
    let live = server.app.live();
    assert_eq!(
        state(&server.say("C", "1", "one").await),
        DeliveryState::Delivered
    );
    live.replace(&paused(&[AGENT])).expect("paused");
    let seen = server.platform.requests().len();
    for (id, text) in [("2", "two"), ("3", "three")] {
        let sent = server.say("C", id, text).await.expect("taken");
        let delivery = sent.delivery.expect("a delivery");
        assert_eq!(delivery.state(), DeliveryState::Queued);
        assert_eq!(delivery.reason, "AGENT_PAUSED");
    }
    // What the agent itself says is taken all the same.
    server.taken(&says("C", "still here")).await;
    let mut events = server.events();
    for id in ["2", "3"] {
        let changed = events
            .find(|body, _| match body {
                Body::DeliveryChanged(changed)
                    if changed.subject == Some(Subject::MessageId(id.to_owned())) =>
                {
                    Some(changed)
                }
                _ => None,
            })
            .await;
        assert_eq!(
            (changed.state(), changed.reason.as_str()),
            (DeliveryState::Queued, "AGENT_PAUSED"),
            "{id}"
        );
    }
    assert_eq!(events.agent_message().await.0.text, "still here");
    assert_eq!(server.platform.requests().len(), seen);
    live.replace(&Managed::default()).expect("resumed");
    server.platform.wait_for(seen + 2).await;
    let texts: Vec<_> = server.platform.requests()[seen..]
        .iter()
        .map(|request| request.json()["text"].clone())
        .collect();
    assert_eq!(texts, ["two", "three"]);
}

#[tokio::test]
async fn what_waits_too_long_for_a_paused_agent_has_failed() {
    let server = TestServer::start_with(Wishes {
        agent: r#"max_queue_age = "1m""#,
        ..Wishes::default()
    })
    .await;
    let live = server.app.live();
    live.replace(&paused(&[AGENT])).expect("paused");
    assert_eq!(
        state(&server.say("C", "1", "one").await),
        DeliveryState::Queued
    );
    let mut events = server.events();
    server.clock.advance(Duration::from_mins(2));
    // Whatever rings the lane.
    server
        .client
        .start(ACCOUNT, "C", "s")
        .await
        .expect("a start");
    let waits = events.delivery_changed().await;
    assert_eq!(waits.reason, "AGENT_PAUSED");
    // The start waits too, and is told of in its turn.
    let failed = events
        .find(|body, _| match body {
            Body::DeliveryChanged(changed) if changed.reason != "AGENT_PAUSED" => Some(changed),
            _ => None,
        })
        .await;
    assert_eq!(
        (failed.state(), failed.reason.as_str()),
        (DeliveryState::Failed, "QUEUED_TOO_LONG")
    );
    assert_eq!(server.platform.requests().len(), 0);
}
