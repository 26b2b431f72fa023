//! TLS and client certificates, with real sockets.

use std::{fs, path::Path, time::Duration};

use parloir_client::{Client, Code, Error, Item, Subscription, v1::ListAccountsRequest};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};

use super::{
    certificates::{Authority, COUNTS, Certified, Years},
    house::{House, PATIENCE, caller, fresh_key},
};

const CRM: &str = "spiffe://acme/crm";

/// A server with TLS, and the authorities of both sides.
struct Secured {
    house: House,
    servers: Authority,
    clients: Authority,
}

impl Secured {
    /// `more` goes into `[grpc.tls]`.
    async fn start(more: &str) -> Self {
        let (servers, clients) = (Authority::new("servers"), Authority::new("clients"));
        let house = House::start(|folder| {
            servers.server().write(folder);
            fs::write(folder.join("clients.pem"), clients.pem()).expect("written");
            let keyed = caller(folder, "keyed", "\"converse\", \"subscribe\"", "");
            format!(
                "{}client_ca = \"{}\"\n{more}\n{keyed}\
                 [[callers]]\nname = \"crm\"\nscopes = [\"converse\", \"subscribe\"]\ncertificates = [\"{CRM}\"]\n",
                listener("grpc", folder),
                folder.join("clients.pem").display(),
            )
        })
        .await;
        Self {
            house,
            servers,
            clients,
        }
    }

    async fn client(&self, shown: Option<&Certified>, key: Option<&str>) -> Result<Client, Error> {
        let url = format!("https://{}", self.house.app.grpc());
        let mut builder = Client::builder(url)
            .attempts(1)
            .deadline(PATIENCE)
            .tls_root(self.servers.pem());
        if let Some(shown) = shown {
            builder = builder.client_certificate(&shown.certificate, &shown.private_key);
        }
        if let Some(key) = key {
            builder = builder.key(key);
        }
        builder.connect().await
    }

    /// Connects and calls.
    async fn ask(&self, shown: Option<&Certified>, key: Option<&str>) -> Result<(), Error> {
        let client = self.client(shown, key).await?;
        client.list_accounts(ListAccountsRequest {}).await.map(drop)
    }
}

pub fn listener(name: &str, folder: &Path) -> String {
    format!(
        "[{name}.tls]\ncertificate = \"{}\"\nprivate_key = \"{}\"\n",
        folder.join("server.pem").display(),
        folder.join("server.key").display()
    )
}

/// Test 18: no certificate, no token; a wrong SAN; an expired certificate, one that does not count yet, one of another
/// authority.
#[tokio::test]
async fn a_certificate_counts_for_its_caller_and_everything_else_is_refused() {
    let secured = Secured::start("").await;
    let good = secured.clients.client(CRM, COUNTS);
    secured
        .ask(Some(&good), None)
        .await
        .expect("the caller's certificate");
    let key = secured.house.key("keyed");
    secured.ask(None, Some(&key)).await.expect("a key over TLS");

    let error = secured.ask(None, None).await.expect_err("nothing is shown");
    assert_eq!(
        (error.code(), error.reason()),
        (Code::Unauthenticated, Some("CREDENTIALS_MISSING"))
    );
    for name in ["spiffe://acme/other", "spiffe://acme/crm/", "spiffe://acme"] {
        let other = secured.clients.client(name, COUNTS);
        let error = secured.ask(Some(&other), None).await.expect_err(name);
        assert_eq!(
            (error.code(), error.reason()),
            (Code::Unauthenticated, Some("CREDENTIALS_INVALID"))
        );
    }
    // A wrong key is not made good by a good certificate.
    let error = secured
        .ask(Some(&good), Some(&fresh_key()))
        .await
        .expect_err("a key of nobody");
    assert_eq!(error.reason(), Some("CREDENTIALS_INVALID"));
    // These do not get as far as a call.
    let stranger = Authority::new("clients").client(CRM, COUNTS);
    let expired = secured.clients.client(CRM, Years(2020, 2021));
    let early = secured.clients.client(CRM, Years(2089, 2090));
    for (shown, what) in [
        (stranger, "another authority"),
        (expired, "expired"),
        (early, "early"),
    ] {
        let error = secured.ask(Some(&shown), Some(&key)).await.expect_err(what);
        assert_eq!(error.reason(), None, "{what}: {error}");
        assert_ne!(
            error.code(),
            Code::Unauthenticated,
            "{what} shook hands: {error}"
        );
    }
    secured.ask(Some(&good), None).await.expect("it goes on");
}

/// Test 18: no certificate where one is required, whatever key is shown.
#[tokio::test]
async fn where_a_certificate_is_required_a_key_alone_does_not_get_in() {
    let secured = Secured::start("require_client_certificate = true").await;
    let key = secured.house.key("keyed");
    let error = secured
        .ask(None, Some(&key))
        .await
        .expect_err("no certificate");
    assert_eq!(error.reason(), None, "{error}");
    let good = secured.clients.client(CRM, COUNTS);
    secured.ask(Some(&good), Some(&key)).await.expect("both");
    // The client's side: a server of another authority is not spoken to.
    let url = format!("https://{}", secured.house.app.grpc());
    let builder = Client::builder(url).tls_root(Authority::new("servers").pem());
    let error = builder
        .key(key)
        .connect()
        .await
        .expect_err("not our server");
    assert_eq!(error.code(), Code::Unavailable, "{error}");
}

/// Test 18: a certificate that expires, or whose caller is gone, takes its streams along.
#[tokio::test]
async fn a_stream_of_a_certificate_that_expires_ends() {
    let secured = Secured::start("").await;
    let good = secured.clients.client(CRM, Years(2020, 2080));
    let client = secured.client(Some(&good), None).await.expect("connected");
    let mut stream = client.subscribe(Subscription::new());
    let first = timeout(PATIENCE, stream.next()).await.expect("in time");
    assert!(matches!(first, Some(Ok(Item::Started(_)))), "{first:?}");
    let since = Instant::now();
    secured
        .house
        .clock
        .advance(Duration::from_hours(24 * 365 * 60));
    let end = async {
        loop {
            match stream.next().await {
                Some(Ok(_)) => {}
                Some(Err(error)) => return error,
                None => panic!("ended without a word"),
            }
        }
    };
    let error = timeout(PATIENCE, end).await.expect("it ends");
    assert_eq!(error.code(), Code::Unauthenticated, "{error}");
    assert!(
        since.elapsed() < Duration::from_secs(3),
        "{:?}",
        since.elapsed()
    );
    let error = client
        .list_accounts(ListAccountsRequest {})
        .await
        .expect_err("expired");
    assert_eq!(error.code(), Code::Unauthenticated, "{error}");
}

/// Test 18: plaintext on a TLS port.
#[tokio::test]
async fn plaintext_on_a_tls_port_is_answered_nothing_of_ours() {
    let secured = Secured::start("").await;
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let answer = exchange(&secured, preface).await;
    // A TLS alert at most; a frame of HTTP/2 would begin with a zero.
    assert!(
        answer.first().is_none_or(|byte| *byte == ALERT),
        "{answer:?}"
    );
    let builder = secured.house.builder().key(secured.house.key("keyed"));
    let called = async {
        builder
            .connect()
            .await?
            .list_accounts(ListAccountsRequest {})
            .await
    };
    let error = called.await.expect_err("no TLS");
    assert_eq!(error.reason(), None, "{error}");
}

/// Test 18: TLS 1.1.
#[tokio::test]
async fn tls_1_1_is_refused_by_its_version() {
    let secured = Secured::start("").await;
    let answer = exchange(&secured, &client_hello([3, 2])).await;
    assert_eq!(answer.first(), Some(&ALERT), "{answer:?}");
    assert_eq!(
        answer.get(5..7),
        Some(&[2, PROTOCOL_VERSION][..]),
        "{answer:?}"
    );
    // The same greeting with TLS 1.2 gets further, so that the version it was.
    let answer = exchange(&secured, &client_hello([3, 3])).await;
    assert_ne!(answer.get(6), Some(&PROTOCOL_VERSION), "{answer:?}");
}

const ALERT: u8 = 21;
const PROTOCOL_VERSION: u8 = 70;

/// A greeting of this version, with suites and signatures of that time.
fn client_hello(version: [u8; 2]) -> Vec<u8> {
    let mut body = version.to_vec();
    body.extend([7; 32]);
    body.push(0);
    // ECDHE with ECDSA or RSA and AES-128-GCM; without compression.
    body.extend([0, 4, 0xc0, 0x2b, 0xc0, 0x2f, 1, 0]);
    // Curves, point formats, signatures.
    let extensions = [
        [0, 10, 0, 4, 0, 2, 0, 23].as_slice(),
        &[0, 11, 0, 2, 1, 0],
        &[0, 13, 0, 6, 0, 4, 4, 3, 4, 1],
    ]
    .concat();
    body.extend([0, u8::try_from(extensions.len()).expect("short")]);
    body.extend(extensions);
    let length = u8::try_from(body.len()).expect("short");
    [&[22, 3, 1, 0, length + 4, 1, 0, 0, length][..], &body].concat()
}

/// What the server answers to these bytes before it hangs up or waits for more.
async fn exchange(secured: &Secured, bytes: &[u8]) -> Vec<u8> {
    let mut socket = TcpStream::connect(secured.house.app.grpc())
        .await
        .expect("a listener");
    socket.write_all(bytes).await.expect("written");
    let mut answer = vec![0; 1024];
    let read = timeout(PATIENCE, socket.read(&mut answer))
        .await
        .expect("an answer or an end");
    answer.truncate(read.unwrap_or_default());
    answer
}

#[tokio::test]
async fn a_peer_that_does_not_shake_hands_keeps_nobody_waiting_and_is_closed() {
    let secured = Secured::start("handshake_timeout = \"300ms\"").await;
    let mut silent = TcpStream::connect(secured.house.app.grpc())
        .await
        .expect("a listener");
    let key = secured.house.key("keyed");
    secured
        .ask(None, Some(&key))
        .await
        .expect("others are served");
    let mut byte = [0; 1];
    let closed = timeout(PATIENCE, silent.read(&mut byte))
        .await
        .expect("closed in time");
    assert_eq!(closed.unwrap_or_default(), 0);
}

#[tokio::test]
async fn a_renewed_certificate_counts_without_a_restart_and_a_broken_one_does_not() {
    let secured = Secured::start("").await;
    let key = secured.house.key("keyed");
    let url = format!("https://{}", secured.house.app.grpc());
    let renewed = Authority::new("new servers");
    let certified = renewed.server();
    certified.write(secured.house.path("").as_path());
    let by_new = async || {
        let builder = Client::builder(&url).tls_root(renewed.pem()).key(&key);
        builder.connect().await.is_ok()
    };
    timeout(PATIENCE, async { while !by_new().await {} })
        .await
        .expect("it counts by itself");
    secured
        .ask(None, Some(&key))
        .await
        .expect_err("the old one is gone");
    // A key that is not the certificate's: seen by the looks that follow, and left out.
    fs::write(
        secured.house.path("server.key"),
        Authority::new("x").server().private_key,
    )
    .expect("written");
    let looked = Instant::now();
    while looked.elapsed() < Duration::from_millis(2500) {
        assert!(by_new().await, "the good one stays in force");
    }
}
