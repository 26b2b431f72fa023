//! Rings between replicas: heard by the others alone, and never the worse for what somebody else sends.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use parloir::{
    config::NatsAccessConfig,
    domain::Position,
    doorbell::{Doorbell, Ears},
    nats::{Link, NatsDoorbell},
};
use tokio_util::sync::CancellationToken;

use super::broker::{Broker, PATIENCE};

const LOG: u64 = 0x00ab_cdef_0123_4567;

/// What one replica heard.
#[derive(Default)]
struct Heard {
    heads: Mutex<Vec<u64>>,
    connected: Mutex<Vec<bool>>,
}

impl Ears for Heard {
    fn heard(&self, head: Option<Position>) {
        let head = head.expect("it is always told");
        self.heads.lock().expect("whole").push(head.0);
    }

    fn connected(&self, is_connected: bool) {
        self.connected.lock().expect("whole").push(is_connected);
    }
}

impl Heard {
    fn heads(&self) -> Vec<u64> {
        self.heads.lock().expect("whole").clone()
    }

    async fn until_connected(&self, is_connected: bool) {
        until("the other state of the connection", || {
            self.connected.lock().expect("whole").last() == Some(&is_connected)
        })
        .await;
    }
}

struct Replica {
    bell: Arc<dyn Doorbell>,
    heard: Arc<Heard>,
    stop: CancellationToken,
}

impl Replica {
    async fn start(url: &str, log: u64) -> Self {
        let link = Link::open(url, &NatsAccessConfig::default(), "test").await;
        let bell: Arc<dyn Doorbell> =
            Arc::new(NatsDoorbell::new(link.expect("opens"), "test.parloir", log));
        let heard = Arc::new(Heard::default());
        let stop = CancellationToken::new();
        tokio::spawn(Arc::clone(&bell).run(heard.clone(), stop.clone()));
        Self { bell, heard, stop }
    }

    fn ring(&self, head: u64) {
        self.bell.ring(Position(head));
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    assert!(
        tokio::time::timeout(PATIENCE, wait).await.is_ok(),
        "no {what} within {PATIENCE:?}"
    );
}

/// Rings until it is heard: a subscription may be younger than its connection.
async fn ring_until_heard(from: &Replica, by: &Replica, head: u64) {
    until("ring", || {
        from.ring(head);
        by.heard.heads().last() == Some(&head)
    })
    .await;
}

#[tokio::test]
async fn the_others_hear_and_whoever_rang_does_not() {
    let broker = Broker::start();
    let (one, two) = (
        Replica::start(&broker.url, LOG).await,
        Replica::start(&broker.url, LOG).await,
    );
    one.heard.until_connected(true).await;
    two.heard.until_connected(true).await;
    ring_until_heard(&one, &two, 7).await;
    ring_until_heard(&two, &one, 8).await;
    assert_eq!(one.heard.heads().first(), Some(&8), "its own was not heard");
}

#[tokio::test]
async fn many_rings_are_told_as_few_and_the_last_of_them_is() {
    let broker = Broker::start();
    let (one, two) = (
        Replica::start(&broker.url, LOG).await,
        Replica::start(&broker.url, LOG).await,
    );
    ring_until_heard(&one, &two, 1).await;
    let before = two.heard.heads().len();
    for head in 2..=10_000 {
        one.ring(head);
    }
    until("last ring", || two.heard.heads().last() == Some(&10_000)).await;
    let heard = two.heard.heads().len() - before;
    assert!(heard < 1_000, "{heard} rings were heard of 10000");
}

#[tokio::test]
async fn garbage_and_rings_of_another_log_are_none_and_lies_are_passed_on_as_hints() {
    let broker = Broker::start();
    let replica = Replica::start(&broker.url, LOG).await;
    let other = Replica::start(&broker.url, LOG + 1).await;
    let liar = broker.client().await;
    let subject = "test.parloir.log.0";
    let lie = format!("{LOG:016x}/{}", u64::MAX);
    let long = vec![b'x'; 100_000];
    let garbage = [&b""[..], b"\xff\xfe", b"nothing", b"1/2/3", &long];
    // Until the subscription is there.
    while replica.heard.heads().is_empty() {
        for sent in garbage.into_iter().chain([lie.as_bytes()]) {
            let sent = liar.publish(subject, sent.to_vec().into()).await;
            sent.expect("sent");
        }
        liar.flush().await.expect("sent");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(replica.heard.heads().iter().all(|head| *head == u64::MAX));
    assert_eq!(other.heard.heads(), Vec::<u64>::new());
    // And what is true is heard after it.
    let third = Replica::start(&broker.url, LOG).await;
    ring_until_heard(&third, &replica, 3).await;
}

#[tokio::test]
async fn a_broker_that_goes_and_comes_is_noticed_both_times() {
    let broker = Broker::start();
    let (one, two) = (
        Replica::start(&broker.url, LOG).await,
        Replica::start(&broker.url, LOG).await,
    );
    ring_until_heard(&one, &two, 1).await;
    broker.kill();
    one.heard.until_connected(false).await;
    two.heard.until_connected(false).await;
    // Nobody waits for anything, and nothing of this is sent later.
    for head in 2..=5_000 {
        one.ring(head);
    }
    broker.start_again();
    two.heard.until_connected(true).await;
    ring_until_heard(&one, &two, 5_001).await;
}

#[tokio::test]
async fn a_broker_that_stands_still_counts_as_gone() {
    let broker = Broker::start();
    let replica = Replica::start(&broker.url, LOG).await;
    replica.heard.until_connected(true).await;
    broker.pause();
    replica.heard.until_connected(false).await;
    broker.resume();
    replica.heard.until_connected(true).await;
}

#[tokio::test]
async fn a_broker_that_comes_later_is_found() {
    let broker = Broker::start();
    broker.kill();
    let replica = Replica::start(&broker.url, LOG).await;
    replica.heard.until_connected(false).await;
    broker.start_again();
    replica.heard.until_connected(true).await;
}
