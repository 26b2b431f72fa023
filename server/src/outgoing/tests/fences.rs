//! Real connections, counted where none may arrive: at another address of this machine.

use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use http::Method;
use tokio::net::TcpListener;

use super::super::{Client, Limits, client, client_asking, guard::Lookup, unanswered, whole_body};
use crate::tests::fake_server::{Behaviour, FakeServer};

/// Counts the connections that come to where none may.
struct Forbidden {
    at: SocketAddr,
    count: Arc<AtomicUsize>,
}

impl Forbidden {
    /// Everything below 127.0.0.0/8 is this machine.
    async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.2:0").await.expect("a port");
        let at = listener.local_addr().expect("an address");
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                counted.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { at, count }
    }

    #[track_caller]
    fn assert_untouched(&self) {
        assert_eq!(self.count.load(Ordering::SeqCst), 0);
    }
}

/// Answers each look-up with the next of the answers.
#[derive(Debug)]
struct Turning(Mutex<VecDeque<IpAddr>>);

impl Turning {
    fn between(answers: &[&str]) -> Arc<Self> {
        let answers = answers.iter().map(|text| text.parse().expect("an address"));
        Arc::new(Self(Mutex::new(answers.collect())))
    }
}

#[async_trait]
impl Lookup for Turning {
    async fn look_up(&self, _: &str) -> io::Result<Vec<SocketAddr>> {
        let next = self.0.lock().expect("whole").pop_front();
        let next = next.ok_or_else(|| io::Error::other("asked too often"))?;
        Ok(vec![SocketAddr::new(next, 0)])
    }
}

fn limits(base: &str) -> Limits {
    Limits {
        base: base.parse().expect("a URL"),
        connect_timeout: Duration::from_secs(5),
        read_timeout: Duration::from_secs(5),
        allow_private_addresses: false,
    }
}

/// Asks for `url`; true: it was certainly not sent.
async fn is_kept_in(client: &Client, url: &str) -> bool {
    match client.get(url).send().await {
        Ok(_) => false,
        Err(error) => unanswered("the test", &error),
    }
}

#[tokio::test]
async fn whatever_a_platform_names_leads_to_no_other_place_than_its_own() {
    let (server, forbidden) = (FakeServer::start().await, Forbidden::listen().await);
    let client = client(&limits(&server.url())).expect("a client");
    let own = server.url();
    let (own_host, port) = (own.trim_start_matches("http://"), forbidden.at.port());
    let disguises = [
        format!("http://127.0.0.2:{port}/"),
        format!("http://127.2:{port}/"),
        format!("http://2130706434:{port}/"),
        format!("http://0x7f000002:{port}/"),
        format!("http://0x7f.2:{port}/"),
        format!("http://0177.0.0.2:{port}/"),
        format!("http://017700000002:{port}/"),
        format!("http://127.0.0.2.:{port}/"),
        format!("http://%31%32%37.0.0.2:{port}/"),
        format!("http://[::ffff:127.0.0.2]:{port}/"),
        format!("http://[::ffff:7f00:2]:{port}/"),
        format!("http://{own_host}@127.0.0.2:{port}/"),
        format!("http://{own_host}%2f@127.0.0.2:{port}/"),
        format!("http://127.0.0.2:{port}\\@{own_host}/"),
        format!("http:\\\\127.0.0.2:{port}/"),
        format!("http://user:word@{own_host}/"),
        format!("https://{own_host}/"),
        format!("ftp://{own_host}/"),
        "file:///etc/passwd".to_owned(),
        "//127.0.0.2/".to_owned(),
        String::new(),
    ];
    for url in &disguises {
        assert!(is_kept_in(&client, url).await, "{url}");
        let posted = client.request(Method::POST, url.as_str()).body("x").send();
        assert!(posted.await.is_err(), "{url}");
    }
    forbidden.assert_untouched();
    assert!(server.requests().is_empty());
    // The fence has a gate: its own place.
    let answer = client.get(format!("{own}/deep?x=1")).send().await;
    assert!(answer.expect("an answer").status().is_success());
    assert_eq!(server.requests()[0].path, "/deep?x=1");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_leads_nowhere() {
    let (server, forbidden) = (FakeServer::start().await, Forbidden::listen().await);
    let client = client(&limits(&server.url())).expect("a client");
    for status in [301, 302, 303, 307, 308] {
        let to = format!("http://{}/", forbidden.at);
        server.next(Behaviour::answer(status, "").with_header("location", &to));
        let answer = client.post(server.url()).send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), status);
    }
    forbidden.assert_untouched();
    assert_eq!(server.requests().len(), 5);
}

#[tokio::test]
async fn a_name_that_points_elsewhere_the_second_time_is_looked_at_again() {
    let server =
        FakeServer::answering(|_| Behaviour::answer(200, "").with_header("connection", "close"))
            .await;
    let forbidden = Forbidden::listen().await;
    // Loopback is meant here, and the name's owner points to the machine's credentials next.
    let own = server.url().replace("127.0.0.1", "localhost");
    let lookup = Turning::between(&["127.0.0.1", "169.254.169.254", "::ffff:10.0.0.1"]);
    let client = client_asking(&limits(&own), lookup).expect("a client");
    assert!(client.get(&own).send().await.is_ok());
    for _ in 0..2 {
        let error = client
            .get(&own)
            .send()
            .await
            .expect_err("a private address");
        assert!(error.is_connect(), "{error:?}");
        let causes = format!("{error:?}");
        assert!(
            causes.contains("resolves to private addresses alone"),
            "{causes}"
        );
    }
    assert_eq!(server.requests().len(), 1);
    // A public name that points here from the first time on.
    let base = format!("https://api.example.org:{}", forbidden.at.port());
    let lookup = Turning::between(&["127.0.0.2", "::ffff:127.0.0.2"]);
    let client = client_asking(&limits(&base), lookup).expect("a client");
    for _ in 0..2 {
        assert!(is_kept_in(&client, &base).await);
    }
    forbidden.assert_untouched();
}

#[tokio::test]
async fn a_base_in_any_disguise_of_a_private_address_makes_no_client() {
    for base in [
        "https://10.0.0.1",
        "https://169.254.169.254",
        "https://2852039166",
        "https://0xa9fea9fe",
        "https://0251.0376.0251.0376",
        "https://[::ffff:169.254.169.254]",
        "https://[64:ff9b::a9fe:a9fe]",
        "https://[2002:a9fe:a9fe::]",
        "https://[2001:0:4136:e378:8000:63bf:5601:5601]",
        "https://[fe80::1]",
        "https://[fd00:ec2::254]",
        "https://0.0.0.0",
        "https://user@8.8.8.8",
    ] {
        assert!(client(&limits(base)).is_err(), "{base}");
    }
}

#[tokio::test]
async fn a_body_without_an_end_is_read_up_to_its_bound() {
    let server = FakeServer::start().await;
    let client = client(&limits(&server.url())).expect("a client");
    server.next(Behaviour::Endless(200));
    let answer = client.get(server.url()).send().await.expect("an answer");
    assert_eq!(whole_body(answer, 100_000).await, None);
    server.next(Behaviour::answer(200, "exactly"));
    let answer = client.get(server.url()).send().await.expect("an answer");
    assert_eq!(
        whole_body(answer, 7).await.as_deref(),
        Some(&b"exactly"[..])
    );
    server.next(Behaviour::answer(200, "too long"));
    let answer = client.get(server.url()).send().await.expect("an answer");
    assert_eq!(whole_body(answer, 7).await, None);
}

#[tokio::test]
async fn a_compressed_body_is_not_blown_up() {
    let server = FakeServer::start().await;
    let client = client(&limits(&server.url())).expect("a client");
    server.next(Behaviour::answer(200, "tiny").with_header("content-encoding", "gzip"));
    let answer = client.get(server.url()).send().await.expect("an answer");
    assert_eq!(whole_body(answer, 100).await.as_deref(), Some(&b"tiny"[..]));
    assert!(!server.requests()[0].headers.contains_key("accept-encoding"));
}
