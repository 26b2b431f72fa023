//! A server that asks who we are, over TLS or not.

use std::{fs, path::PathBuf, time::Duration};

use parloir::{config::NatsAccessConfig, nats::Link, secret::Secret};
use tempfile::TempDir;

use super::broker::{Broker, PATIENCE};

async fn until_connected(link: &Link) {
    let wait = async {
        while !link.is_connected() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let connected = tokio::time::timeout(PATIENCE, wait).await;
    assert!(connected.is_ok(), "it is not let in");
}

struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).expect("a file");
        path
    }
}

#[tokio::test]
async fn a_password_is_read_anew_with_every_connection() {
    let users = r#"authorization { users = [{ user: "parloir", password: "right" }] }"#;
    let (broker, files) = (Broker::configured(users), Files::new());
    let password = files.write("password", "wrong\n");
    let access = NatsAccessConfig {
        user: Some("parloir".to_owned()),
        password: Some(Secret::in_file(password)),
        ..NatsAccessConfig::default()
    };
    let link = Link::open(&broker.url, &access, "test")
        .await
        .expect("opens");
    assert!(!link.is_connected());
    files.write("password", "right\n");
    until_connected(&link).await;
}

#[tokio::test]
async fn a_token_is_shown() {
    let (broker, files) = (
        Broker::configured(r#"authorization { token: "right" }"#),
        Files::new(),
    );
    let access = NatsAccessConfig {
        token: Some(Secret::in_file(files.write("token", "right\n"))),
        ..NatsAccessConfig::default()
    };
    let link = Link::open(&broker.url, &access, "test").await;
    until_connected(&link.expect("opens")).await;
}

#[tokio::test]
async fn certificates_are_shown_and_looked_at() {
    let files = Files::new();
    let ca_key = rcgen::KeyPair::generate().expect("a key");
    let mut ca = rcgen::CertificateParams::new(Vec::new()).expect("a root");
    ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root = ca.self_signed(&ca_key).expect("signed");
    let issuer = rcgen::Issuer::from_params(&ca, &ca_key);
    let made = |name: &str| {
        let key = rcgen::KeyPair::generate().expect("a key");
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let signed = rcgen::CertificateParams::new(names)
            .expect("names")
            .signed_by(&key, &issuer)
            .expect("signed");
        (
            files.write(&format!("{name}.pem"), &signed.pem()),
            files.write(&format!("{name}.key"), &key.serialize_pem()),
        )
    };
    let ca = files.write("ca.pem", &root.pem());
    let ((server, server_key), (own, own_key)) = (made("server"), made("own"));
    let broker = Broker::configured(&format!(
        r#"tls {{ cert_file: "{}", key_file: "{}", ca_file: "{}", verify: true }}"#,
        server.display(),
        server_key.display(),
        ca.display()
    ));
    let url = broker.url.replace("nats://", "tls://");
    let access = NatsAccessConfig {
        ca: Some(ca),
        certificate: Some(own),
        private_key: Some(own_key),
        ..NatsAccessConfig::default()
    };
    let link = Link::open(&url, &access, "test").await.expect("opens");
    until_connected(&link).await;
    // Without a certificate of ours, and with the roots of the system alone, it is not.
    let stranger = Link::open(&url, &NatsAccessConfig::default(), "test").await;
    let stranger = stranger.expect("opens");
    let again = Link::open(&url, &access, "test").await.expect("opens");
    until_connected(&again).await;
    assert!(!stranger.is_connected());
}

#[tokio::test]
async fn what_is_no_credentials_file_is_said_and_not_repeated() {
    let files = Files::new();
    let access = NatsAccessConfig {
        credentials: Some(Secret::in_file(files.write("creds", "hunter2"))),
        ..NatsAccessConfig::default()
    };
    let refused = Link::open("nats://127.0.0.1:1", &access, "test").await;
    let told = format!("{:#}", refused.expect_err("no credentials"));
    assert!(told.contains(".creds"), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
}
