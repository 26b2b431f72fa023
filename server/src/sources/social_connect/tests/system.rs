//! The system as the shared suite needs it: a simulated Social Connect, with the handover or the tag.

use std::cell::RefCell;

use bytes::Bytes;
use reqwest::Url;

use super::{
    super::Ownership,
    fixture::{Place, TODAY},
};
use crate::{
    domain::{inbound::Webhook, ports::Source, source::Item},
    simulate::social_connect::Contact,
    sources::conformance::{Shown, System},
    tests::fake_server::{Behaviour, FakeServer, Request},
};

thread_local! {
    /// What [`System::server`] made for [`System::source`]: a test runs on one thread.
    static PLACE: RefCell<Option<Place>> = const { RefCell::new(None) };
}

pub(super) struct FakeSocialConnect<const HANDOVER: bool>(Place);

#[async_trait::async_trait]
impl<const HANDOVER: bool> System for FakeSocialConnect<HANDOVER> {
    async fn server() -> FakeServer {
        let place = Place::new(|_| {});
        let server = place.serve().await;
        PLACE.set(Some(place));
        server
    }

    fn source(server: &FakeServer) -> (Box<dyn Source>, Self) {
        let place = PLACE.take().expect("a server of this thread");
        let source = place.source(&server.url(), |config| {
            config.ownership = if HANDOVER {
                Ownership::Handover
            } else {
                Ownership::Tag
            };
            config.text_chars = 1600;
        });
        (Box::new(source), Self(place))
    }

    fn says(&self, who: &str, id: &str, text: &str) -> Webhook {
        let channel = if HANDOVER { "twilio" } else { "twitter" };
        let body = self
            .0
            .platform
            .visitor_says_as(&Contact::new(channel, who), id, text);
        self.0.webhook(&body)
    }

    fn chooses(&self, _who: &str, _id: &str, _offer: &Item, _number: usize) -> Option<Webhook> {
        None
    }

    fn unknown(&self) -> Option<Webhook> {
        Some(
            self.0
                .webhook(r#"{"made_by_an_administrator":{"topic":46283}}"#),
        )
    }

    fn with_body(&self, _webhook: Webhook, body: Bytes) -> Webhook {
        let signature = self.0.platform.signature(&body);
        let mut webhook = super::fixture::unsigned("");
        webhook
            .headers
            .insert("x-signature", signature.parse().expect("a header"));
        webhook.body = body;
        webhook
    }

    fn forged(&self, who: &str, id: &str, text: &str) -> Webhook {
        let mut webhook = self.says(who, id, text);
        let mut body = webhook.body.to_vec();
        // Still the same JSON: only the signature can tell.
        body.insert(body.len() - 1, b' ');
        webhook.body = body.into();
        webhook
    }

    fn understand(request: &Request) -> Option<Shown> {
        let is_shown = request.method == "POST" && request.path.ends_with("/publisher/add");
        let mut form = Url::parse("http://localhost/").expect("a URL");
        form.set_query(Some(std::str::from_utf8(&request.body).ok()?));
        let mut fields = form
            .query_pairs()
            .filter(|(name, _)| is_shown && name == "message");
        Some(Shown {
            text: fields.next()?.1.into_owned(),
            options: Vec::new(),
        })
    }

    fn is_busy(seconds: u64) -> Behaviour {
        let until = TODAY + i64::try_from(seconds).expect("a short time");
        Behaviour::answer(
            400,
            r#"{"code":400,"error":"rate_limit_reached","error_details":[]}"#,
        )
        .with_header("X-RateLimit-Reset", &until.to_string())
    }
}
