//! Test 16 of the reliability bar: oversized, slow, silent and flooding peers. A real process, with shortened limits: each
//! of them is gone in time, its memory stays where it was, and a caller beside them is answered. `PARLOIR_FULL=1` sends
//! ten times as many.

mod frames;
mod peers;

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parloir_client::{Client, Code};

use crate::{
    process::{ACCOUNT, Setup},
    support::platform::FakeServer,
};

/// The limits that count for each peer are a second or two; this leaves room for a machine that does other things.
const GONE: Duration = Duration::from_secs(30);
/// What a caller may wait beside all of it.
const ANSWERED: Duration = Duration::from_secs(10);
const MORE_MEMORY: u64 = 64 * 1024 * 1024;

const SETTINGS: &str = r#"
    webhooks.header_timeout = "1s"
    webhooks.body_timeout = "2s"
    webhooks.idle_timeout = "2s"
    webhooks.max_body_bytes = 1048576
    webhooks.max_buffered_bytes = 8388608
    grpc.first_bytes_timeout = "1s"
    grpc.keep_alive_interval = "1s"
    grpc.keep_alive_timeout = "1s"
"#;

fn times(reduced: usize) -> usize {
    let is_full = std::env::var("PARLOIR_FULL").is_ok_and(|full| full == "1");
    if is_full { reduced * 10 } else { reduced }
}

/// So many peers at a time, each of which must see its connection end.
async fn all_gone<F>(what: &'static str, count: usize, peer: impl Fn() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let peers: Vec<_> = (0..count).map(|_| tokio::spawn(peer())).collect();
    for peer in peers {
        let gone = tokio::time::timeout(GONE, peer).await;
        let gone = gone.unwrap_or_else(|_| panic!("{what}: not gone after {GONE:?}"));
        gone.expect(what);
    }
}

/// Calls until told to stop; how many calls were answered, each in time.
async fn calls(client: Client, stop: Arc<AtomicBool>) -> u64 {
    let mut answered = 0;
    while !stop.load(Ordering::SeqCst) {
        let id = format!("m{answered}");
        let said = client.say(ACCOUNT, "beside", &id, "hello");
        let said = tokio::time::timeout(ANSWERED, said).await;
        said.expect("an answer in time").expect("an answer");
        answered += 1;
    }
    answered
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_and_flooding_peers_are_gone_in_time_and_cost_nobody_anything() {
    let agent = FakeServer::start().await;
    let setup = Setup::new(&agent.url(), SETTINGS);
    let mut server = setup.start(&[]);
    server.ready().await;
    let client = Client::builder(setup.grpc_url()).connect().await;
    let client = client.expect("a server that listens");
    client
        .say(ACCOUNT, "warm", "m", "hello")
        .await
        .expect("an answer");
    let before = server.peak_memory();
    let stop = Arc::new(AtomicBool::new(false));
    let caller = tokio::spawn(calls(client.clone(), Arc::clone(&stop)));
    let (http, grpc) = (setup.webhooks, setup.grpc);
    tokio::join!(
        all_gone("silent at the webhooks", times(100), || peers::silent(http)),
        all_gone("silent at the calls", times(100), || peers::silent(grpc)),
        all_gone("half a header", times(100), || peers::says(
            http,
            b"POST /webhooks/shop HTTP/1.1\r\nx-a: "
        )),
        all_gone("half a preface", times(20), || peers::says(
            grpc,
            b"PRI * HTTP"
        )),
        all_gone("headers byte by byte", times(10), || peers::drips(
            http,
            b"POST /webhooks/shop HTTP/1.1\r\nx-a: "
        )),
        all_gone("a body byte by byte", times(10), || {
            peers::drips(
                http,
                b"POST /webhooks/shop HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n",
            )
        }),
        all_gone("headers without an end", times(3), || peers::pours(
            http,
            b"GET / HTTP/1.1\r\n".to_vec(),
            b"x-a: aaaaaaaaaaaaaaaaaaaaaaaaaa\r\n".repeat(100)
        )),
        all_gone("a body without an end", times(5), || {
            let head =
                b"POST /webhooks/shop HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
                    .to_vec();
            let chunk = [b"10000\r\n".to_vec(), vec![b' '; 0x10000], b"\r\n".to_vec()].concat();
            peers::pours(http, head, chunk)
        }),
        all_gone("greets and is silent", times(20), || peers::says(
            grpc,
            &frames::GREETING
        )),
        all_gone("asks with a closed window", times(20), || peers::says_all(
            grpc,
            frames::with_closed_window()
        )),
    );
    // Floods, one kind after the other, so that each is seen to end by itself.
    all_gone("rapid resets", times(2), || {
        peers::pours(grpc, frames::GREETING.to_vec(), frames::resets())
    })
    .await;
    all_gone("continuations", times(2), || {
        peers::pours(grpc, frames::begun_headers(), frames::continuation())
    })
    .await;
    all_gone("settings", times(2), || {
        peers::pours(grpc, frames::GREETING.to_vec(), frames::settings())
    })
    .await;
    all_gone("pings", times(2), || {
        peers::pours(grpc, frames::GREETING.to_vec(), frames::pings())
    })
    .await;
    all_gone("empty data", times(2), || {
        peers::pours(grpc, frames::opened(), frames::empty_data())
    })
    .await;
    let too_large = "x".repeat(1024 * 1024);
    let refused = client.say(ACCOUNT, "large", "m", &too_large).await;
    let code = refused.map_err(|error| error.code()).err();
    assert_eq!(code, Some(Code::ResourceExhausted));
    stop.store(true, Ordering::SeqCst);
    assert!(caller.await.expect("every call was answered") > 0);
    let more = server.peak_memory().saturating_sub(before);
    assert!(more < MORE_MEMORY, "{more} bytes more");
}
