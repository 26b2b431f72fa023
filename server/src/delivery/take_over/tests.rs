//! What is found in one look, whatever else waits.

use std::{sync::Arc, time::Duration};

use super::*;
use crate::{
    committer::{CommitterSettings, Observers},
    conversations::Desk,
    delivery::{Backoff, BreakerSettings, Breakers, Lanes, Parts},
    domain::{
        AgentSettings, Clock, Conversation, ConversationKey, Delivery, DeliveryKind, DeliveryState,
        Direction, Directory, Reason, Subject, Timestamp,
    },
    hub::tests::support,
    live::{Live, Setup},
    metrics::Metrics,
    store::tests::{Scratch, id},
    waiters::Waiters,
};

const NOW: Timestamp = Timestamp(1_000_000_000_000);
const PATIENCE: Duration = Duration::from_secs(20);

/// A replica's lanes on a real database, at a time that stands still. Agent `slow` may take a minute.
struct Stage {
    scratch: Scratch,
    committer: Committer,
    live: Arc<Live>,
    lanes: Arc<Lanes>,
}

impl Stage {
    async fn new() -> Self {
        let scratch = Scratch::new().await;
        scratch.clock.set(NOW.0);
        let metrics = Metrics::new();
        let observers = Observers {
            publish: Box::new(|_| ()),
            fatal: Box::new(|| panic!("nobody knows what was committed")),
            metrics: Arc::clone(&metrics),
        };
        let settings = CommitterSettings::default();
        let committer = Committer::start(scratch.store.clone(), settings, observers);
        let live = live();
        let clock: Arc<dyn Clock> = scratch.clock.clone();
        let lanes = Lanes::new(Parts {
            desk: Desk {
                waiters: Arc::new(Waiters::default()),
                live: Arc::clone(&live),
            },
            breakers: Arc::new(Breakers::new(BreakerSettings {
                failures: 3,
                open_for: Duration::from_secs(5),
            })),
            backoff: Backoff {
                base: Duration::from_secs(1),
                max: Duration::from_secs(1),
            },
            clock,
            metrics,
        });
        lanes.attach(committer.clone());
        Self {
            scratch,
            committer,
            live,
            lanes,
        }
    }

    async fn add(&self, deliveries: impl Iterator<Item = Delivery>) {
        self.scratch
            .commit(async |tx| {
                for delivery in deliveries {
                    tx.add_delivery(&delivery).await.expect("adds");
                }
            })
            .await;
    }

    async fn state(&self, name: &str) -> (DeliveryState, Option<Reason>) {
        let found = crate::domain::ports::Store::delivery(&*self.scratch.store, &id(name)).await;
        let found = found.expect("reads").expect("is there");
        (found.state, found.reason)
    }
}

fn live() -> Arc<Live> {
    let directory = support::live().directory();
    let agents = directory.agents().map(|agent| AgentSettings {
        send_timeout: if agent.name == id("other") {
            Duration::from_mins(1)
        } else {
            agent.send_timeout
        },
        ..AgentSettings::clone(agent)
    });
    Live::fixed(Setup {
        directory: Arc::new(Directory::new(agents.collect(), Vec::new())),
        ..Setup::default()
    })
}

fn key(conversation: &str) -> ConversationKey {
    ConversationKey {
        tenant: id("default"),
        account: id("a"),
        id: id(conversation),
    }
}

fn delivery(name: &str, agent: &str, state: DeliveryState, age: Duration) -> Delivery {
    Delivery {
        id: id(name),
        key: key(name),
        agent: id(agent),
        direction: Direction::Agent,
        kind: DeliveryKind::Message,
        subject: Subject::Message(name.to_owned()),
        order: 1,
        sequence: 1,
        state,
        reason: None,
        detail: String::new(),
        attempt: 0,
        session: 0,
        new_session: false,
        owner_epoch: 1,
        queued_at: NOW - age,
        not_before: Timestamp(0),
        part: 0,
        unclear: false,
        read_back_since: None,
        remote_id: String::new(),
        attempted_at: NOW - age,
        awaits_owner: false,
    }
}

#[tokio::test]
async fn one_look_finds_the_lane_that_was_left_behind_among_a_thousand_that_wait() {
    let stage = Stage::new().await;
    let age = LEFT_BEHIND + Duration::from_secs(1);
    // Nothing comes of ringing these: their conversations are not there.
    let waiting = (0..1000).map(|n| {
        let name = format!("c-{n:04}");
        delivery(&name, "bot", DeliveryState::Queued, age)
    });
    stage.add(waiting).await;
    // This one ends as soon as its lane runs.
    let left = delivery("left", "gone", DeliveryState::Queued, age);
    let talk = Conversation::new(key("left"), id("gone"), "left".into(), NOW);
    stage
        .scratch
        .commit(async |tx| tx.save_conversation(&talk).await.expect("saves"))
        .await;
    stage.add([left].into_iter()).await;
    let mut search = Search {
        store: stage.scratch.store.clone(),
        lanes: Arc::clone(&stage.lanes),
        after: None,
    };
    search.look().await.expect("looks");
    let ran = async {
        let ended = (DeliveryState::Failed, Some(Reason::AgentRemoved));
        while stage.state("left").await != ended {
            tokio::task::yield_now().await;
        }
    };
    let ran = tokio::time::timeout(PATIENCE, ran).await;
    assert!(ran.is_ok(), "the lane was not rung");
}

#[tokio::test]
async fn requests_that_may_still_be_under_way_hide_none_that_was_interrupted() {
    let stage = Stage::new().await;
    let name = |n: u64| format!("held-{n}");
    let age = |seconds: u64| Duration::from_secs(40 + seconds);
    let held =
        (0..200).map(|n| delivery(&name(n), "other", DeliveryState::Attempting, age(1 + n % 9)));
    stage.add(held).await;
    stage
        .add([delivery("left", "bot", DeliveryState::Attempting, age(0))].into_iter())
        .await;
    let directory = stage.live.directory();
    settle_interrupted(&stage.committer, &directory, true)
        .await
        .expect("settles");
    let settled = (DeliveryState::Failed, Some(Reason::Interrupted));
    assert_eq!(stage.state("left").await, settled);
    for n in 0..200 {
        assert_eq!(
            stage.state(&name(n)).await,
            (DeliveryState::Attempting, None)
        );
    }
}
