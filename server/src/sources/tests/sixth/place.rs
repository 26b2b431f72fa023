//! The system of the sixth source, as the suite meets it.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Value, json};

use super::Desk;
use crate::{
    domain::{inbound::Webhook, ports::Source, source::Item},
    outgoing::{self, Limits},
    sources::conformance::{SECRET, Shown, System, source_conformance_suite},
    tests::fake_server::{Behaviour, FakeServer, Request},
};

struct Place;

#[async_trait]
impl System for Place {
    async fn server() -> FakeServer {
        let owner = std::sync::Mutex::new(json!(false));
        FakeServer::answering(move |request| {
            let mut owner = owner.lock().expect("unpoisoned");
            if let Some(new) = request.json().get("human") {
                *owner = new.clone();
            }
            Behaviour::answer(200, &json!({ "human": *owner }).to_string())
        })
        .await
    }

    fn source(server: &FakeServer) -> (Box<dyn Source>, Self) {
        let limits = Limits {
            base: server.url().parse().expect("a URL"),
            connect_timeout: Duration::from_secs(5),
            read_timeout: Duration::from_secs(20),
            allow_private_addresses: false,
        };
        let client = outgoing::client(&limits).expect("a client");
        (Box::new(Desk(client, server.url())), Self)
    }

    fn says(&self, who: &str, id: &str, text: &str) -> Webhook {
        webhook(SECRET, &json!({ "who": who, "id": id, "says": text }))
    }

    fn chooses(&self, _: &str, _: &str, _: &Item, _: usize) -> Option<Webhook> {
        None
    }

    fn unknown(&self) -> Option<Webhook> {
        Some(webhook(SECRET, &json!({ "sings": "la" })))
    }

    fn with_body(&self, webhook: Webhook, body: Bytes) -> Webhook {
        Webhook { body, ..webhook }
    }

    fn forged(&self, who: &str, id: &str, text: &str) -> Webhook {
        webhook("no", &json!({ "who": who, "id": id, "says": text }))
    }

    fn understand(request: &Request) -> Option<Shown> {
        let text = request.json()["show"].as_str()?.to_owned();
        let options = Vec::new();
        Some(Shown { text, options })
    }

    fn is_busy(seconds: u64) -> Behaviour {
        Behaviour::answer(429, "").with_header("retry-after", &seconds.to_string())
    }
}

fn webhook(bell: &'static str, body: &Value) -> Webhook {
    Webhook {
        method: http::Method::POST,
        headers: [(
            http::HeaderName::from_static("bell"),
            http::HeaderValue::from_static(bell),
        )]
        .into_iter()
        .collect(),
        path: String::new(),
        query: String::new(),
        body: Bytes::from(body.to_string()),
    }
}

source_conformance_suite!(Place);
