//! Deliveries that a replica was killed over are brought to their end by another.

use std::time::Duration;

use parloir_client::{
    Subscription,
    v1::{DeliveryState, delivery_changed::Subject},
};
use tokio::time::{Instant, timeout};

use super::stage::{Stage, Wishes};
use crate::{
    process::ACCOUNT,
    support::{events::Events, platform::FakeServer, server::state},
};

/// What was under way is left alone for the agent's time limit and 15 s, and looked for every 2 s.
const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(28);

/// The state in which the message ends.
pub async fn settled(events: &mut Events, message: &str) -> DeliveryState {
    loop {
        let changed = events.delivery_changed().await;
        let is_it = matches!(&changed.subject, Some(Subject::MessageId(id)) if id == message);
        let is_final = !matches!(
            changed.state(),
            DeliveryState::Queued | DeliveryState::Attempting
        );
        if is_it && is_final {
            return changed.state();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_replica_takes_over_a_lane_whose_replica_was_killed_over_a_request() {
    let platform = FakeServer::start().await;
    let wishes = Wishes {
        settings: r#"grpc.answer_within = "100ms""#,
        agent: r#"send_timeout = "1s""#,
    };
    let mut stage = Stage::running(&platform.url(), 2, wishes).await;
    let (here, there) = (stage.client(0), stage.client(1));
    let mut events = Events::new(there.subscribe(Subscription::new().from_earliest()));
    here.start(ACCOUNT, "C", "start").await.expect("started");
    let begun = platform.requests().len();
    platform.hold();
    let said = here.say(ACCOUNT, "C", "1", "one").await;
    assert_ne!(state(&said), DeliveryState::Delivered);
    platform.wait_for(begun + 1).await;
    let waits = here.say(ACCOUNT, "C", "2", "two").await;
    assert_eq!(state(&waits), DeliveryState::Queued);
    stage.replicas[0].kill();
    let killed = Instant::now();
    platform.release();

    let ended = async {
        let first = settled(&mut events, "1").await;
        (first, settled(&mut events, "2").await)
    };
    let ended = timeout(TAKEN_OVER_WITHIN, ended).await;
    println!("taken over after {} ms", killed.elapsed().as_millis());
    // The first may have arrived, so it is not sent again; the second was never sent.
    assert_eq!(
        ended,
        Ok((DeliveryState::Unknown, DeliveryState::Delivered))
    );
    let texts: Vec<_> = platform.requests()[begun..]
        .iter()
        .map(|request| request.json()["text"].clone())
        .collect();
    assert_eq!(texts, ["one", "two"], "each once, in order");
}
