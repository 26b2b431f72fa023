//! The platform as the shared suite needs it: it reads our calls and signs its webhooks.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    fake::{self, FakeMessenger},
    fake_server::{Behaviour, FakeServer, Request},
    fixture::{self, Secrets},
};
use crate::{
    domain::{
        inbound::Webhook,
        ports::Source,
        source::{Item, ItemBody, OfferKind, OfferedAction},
        time::SystemClock,
    },
    sources::conformance::{Shown, System},
};

/// A page that every visitor in the world has just written to.
pub(super) struct Facebook {
    fake: FakeMessenger,
    /// Keeps the files of the secrets.
    _secrets: Secrets,
}

#[async_trait]
impl System for Facebook {
    async fn server() -> FakeServer {
        let fake = FakeMessenger::running();
        fake.know_everybody();
        fake.server().await
    }

    fn source(server: &FakeServer) -> (Box<dyn Source>, Self) {
        let secrets = Secrets::new();
        let config = fixture::config(&server.url(), &secrets);
        let source = fixture::source(&config, Arc::new(SystemClock));
        let facebook = Self {
            fake: FakeMessenger::running(),
            _secrets: secrets,
        };
        (Box::new(source), facebook)
    }

    fn says(&self, who: &str, id: &str, text: &str) -> Webhook {
        fixture::webhook(&self.fake.says(who, id, text))
    }

    fn chooses(&self, who: &str, id: &str, offer: &Item, number: usize) -> Option<Webhook> {
        let ItemBody::Offer { kind, options, .. } = &offer.body else {
            return None;
        };
        let chosen = options.get(number)?;
        let OfferedAction::Choose { payload } = &chosen.action else {
            return None;
        };
        let body = match kind {
            OfferKind::Buttons => self.fake.taps(who, id, &chosen.label, payload),
            _ => self.fake.chooses(who, id, &chosen.label, payload),
        };
        Some(fixture::webhook(&body))
    }

    fn unknown(&self) -> Option<Webhook> {
        let reaction = json!({ "reaction": { "mid": "m_1", "emoji": "❤", "action": "react" } });
        Some(fixture::webhook(&self.fake.update(
            "ana",
            "messaging",
            reaction,
        )))
    }

    fn with_body(&self, webhook: Webhook, body: Bytes) -> Webhook {
        let signature = fake::signature(fake::APP_SECRET, &body);
        Webhook {
            body: body.clone(),
            headers: fixture::signed(&body, &signature).headers,
            ..webhook
        }
    }

    fn forged(&self, who: &str, id: &str, text: &str) -> Webhook {
        let body = self.fake.says(who, id, text);
        fixture::signed(
            body.as_bytes(),
            &fake::signature("another-5ecret", body.as_bytes()),
        )
    }

    fn understand(request: &Request) -> Option<Shown> {
        if !request.path.ends_with("/messages") {
            return None;
        }
        let message = &request.json()["message"];
        let payload = &message["attachment"]["payload"];
        let text = message["text"].as_str().or(payload["text"].as_str());
        let options = [&message["quick_replies"], &payload["buttons"]];
        let options = options.into_iter().filter_map(Value::as_array).flatten();
        let labels = options.filter_map(|option| option["title"].as_str());
        Some(Shown {
            text: text.unwrap_or_default().to_owned(),
            options: labels.map(str::to_owned).collect(),
        })
    }

    fn refuses_credentials() -> Behaviour {
        error(190, 463)
    }

    /// The platform does not say for how long.
    fn is_busy(_seconds: u64) -> Behaviour {
        error(613, 2_018_338)
    }
}

fn error(code: i64, subcode: i64) -> Behaviour {
    let error = json!({
        "message": format!("{} is what you sent", fake::TOKEN), "code": code, "error_subcode": subcode,
    });
    Behaviour::answer(400, &json!({ "error": error }).to_string())
}
