//! Two replicas are restarted one after the other, as at an upgrade, and nobody who behaves well notices more than a short
//! pause.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parloir_client::{
    Client, Code,
    v1::{StartConversationRequest, conversation_service_client::ConversationServiceClient},
};
use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};
use tonic::{Status, transport::Channel};
use tonic_types::StatusExt;

use super::stage::{Front, Stage, Wishes};
use crate::{
    crash::{
        followers::{Follower, followed, replay},
        gallery::Gallery,
        load::{Entrance, Load, Patience},
        verdict,
    },
    full::seed,
    process::{ACCOUNT, BOT},
};

/// The longest time that any subscriber may be without an event, under a load that never lets one rest.
const LONGEST_GAP: Duration = Duration::from_secs(3);
const LONGEST_EXIT: Duration = Duration::from_secs(25);
const LONGEST_REST: Duration = Duration::from_secs(30);

const CONVERSATIONS: usize = 10;
const FOLLOWERS: usize = 24;
const PACE: u64 = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_of_two_replicas_costs_well_behaved_clients_nothing_but_a_short_pause() {
    let seed = seed("replicas::rolling");
    let mut load = Load::new(seed, CONVERSATIONS, PACE).await;
    // Everything else as it is by default, the notice to load balancers too.
    let wishes = Wishes {
        settings: r#"grpc.answer_within = "100ms""#,
        ..Wishes::default()
    };
    let mut stage = Stage::running(&load.simulator.base_url(), 2, wishes).await;
    let front = Front::of(&stage).await;
    load.simulator.set_webhook_url(BOT, &front.webhook_url());
    // As the client comes: it repeats what is UNAVAILABLE, and nothing else.
    let client = || {
        let client = Client::builder(front.url()).connect_lazy();
        client.expect("a valid address")
    };
    let entrance = Entrance {
        clients: (0..8).map(|_| client()).collect(),
        webhooks: front.webhooks.address(),
    };
    let patience = Patience {
        calls: |_| false,
        webhooks: |answer| matches!(answer, Ok(503)),
    };
    load.begin(&entrance, patience);
    let gallery = Gallery::new(&load.recorder);
    let mut followers = JoinSet::new();
    let urls: Vec<_> = (0..2).map(|number| stage.url(number)).collect();
    for (number, (name, conversations)) in
        followed(FOLLOWERS, CONVERSATIONS).into_iter().enumerate()
    {
        let follower = Follower::new(&gallery, name, conversations);
        if number % 3 == 0 {
            followers.spawn(follower.behind_a_front(client()));
        } else {
            followers.spawn(follower.go_from_one_to_the_next(urls.clone(), number));
        }
    }
    let begun = gallery.until(|_, seen| seen.position > 0);
    timeout(LONGEST_REST, begun).await.expect("all begin");
    gallery.measure();

    let mut refusals = Refusals::default();
    for (number, url) in urls.iter().enumerate() {
        let before = gallery.seen();
        let there = before.values().filter(|seen| seen.at == Some(number));
        let there = there.count();
        assert!(there > 0, "nobody is at {number}");
        let told = before.values().map(|seen| seen.goodbyes).sum::<u32>();
        let gone = Arc::new(AtomicBool::new(false));
        let asking: Vec<_> = (0..4)
            .map(|asker| tokio::spawn(ask(url.clone(), asker, Arc::clone(&gone))))
            .collect();
        let terminated = Instant::now();
        let server = stage.replicas[number].server();
        server.terminate();
        let status = server.exited().await;
        let took = terminated.elapsed();
        assert_eq!(status.code(), Some(0), "{}", server.last_words());
        assert!(took <= LONGEST_EXIT, "{took:?}");
        println!("replica {number} ended in {} ms", took.as_millis());
        gone.store(true, Ordering::Relaxed);
        for asked in asking {
            refusals.add(asked.await.expect("an asker"));
        }
        let after = gallery.seen();
        let goodbyes = after.values().map(|seen| seen.goodbyes).sum::<u32>() - told;
        // By then some may have come from the other replica, and none may have left without a word.
        assert!(
            goodbyes as usize >= there,
            "{goodbyes} of {there}: {after:#?}"
        );

        stage.replicas[number].start(&[]);
        stage.replicas[number].ready().await;
        let newest = after.values().map(|seen| seen.position).max();
        let on = gallery.until(|_, seen| Some(seen.position) > newest);
        timeout(LONGEST_REST, on).await.expect("all go on");
        load.still_runs();
        assert!(followers.try_join_next().is_none(), "one gave up");
    }
    let longest = gallery.seen().values().map(|seen| seen.longest).max();
    let longest = longest.expect("some subscribers");

    load.end(LONGEST_REST).await;
    let replay = replay(&urls[0]).await;
    load.followed(&followed(FOLLOWERS, CONVERSATIONS), &replay, LONGEST_REST)
        .await;
    followers.shutdown().await;
    let end = replay.last().map_or(0, |logged| logged.position);
    println!(
        "{} operations acknowledged, none failed; the longest time without an event was {} ms; refused at the replicas that \
         ended: {refusals:?}",
        load.recorder.operations(),
        longest.as_millis()
    );
    let report = verdict("rolling", seed, &load.journals(end), &replay);
    assert!(report.acknowledged > 200, "hardly anything was under way");
    assert!(longest <= LONGEST_GAP, "{:#?}", gallery.seen());
    assert!(refusals.is_as_promised(), "{refusals:?}");
}

/// How calls failed at a replica that was asked to end, whose callers knew nothing of it.
#[derive(Debug, Default)]
struct Refusals(BTreeMap<String, usize>);

/// What a caller without anything around it makes of a failure.
fn kind(status: &Status) -> String {
    let info = status.get_details_error_info();
    match (status.code(), info, status.get_details_retry_info()) {
        (Code::Unavailable, Some(info), Some(_)) => format!("{}, to be repeated", info.reason),
        // No connection any more, in tonic's two ways to say so: nothing that a server said.
        (Code::Unavailable, None, None) => "no connection".to_owned(),
        (Code::Cancelled, None, None) if status.message().contains("operation was canceled") => {
            "no connection".to_owned()
        }
        _ => format!("BROKEN PROMISE {status:?}"),
    }
}

impl Refusals {
    fn add(&mut self, kinds: Vec<String>) {
        for kind in kinds {
            *self.0.entry(kind).or_default() += 1;
        }
    }

    fn is_as_promised(&self) -> bool {
        !self.0.is_empty() && !self.0.keys().any(|kind| kind.starts_with("BROKEN"))
    }
}

/// Calls one replica, one call after the other on one connection, until it is gone. Answers how calls failed.
async fn ask(url: String, asker: usize, gone: Arc<AtomicBool>) -> Vec<String> {
    let endpoint = Channel::from_shared(url).expect("an address");
    let channel = endpoint.connect().await.expect("it listens");
    let mut calls = ConversationServiceClient::new(channel);
    let mut kinds = Vec::new();
    for number in 0.. {
        let request = StartConversationRequest {
            account: ACCOUNT.to_owned(),
            conversation_id: format!("asker-{asker}"),
            command_id: format!("asker-{asker}-{number}"),
            ..StartConversationRequest::default()
        };
        let answered = calls.start_conversation(request).await;
        kinds.extend(answered.err().map(|status| kind(&status)));
        if gone.load(Ordering::Relaxed) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    kinds
}
