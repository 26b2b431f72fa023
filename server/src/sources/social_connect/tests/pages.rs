//! The look at what no webhook brought.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::json;

use super::fixture::{Stage, events, text, twitter};
use crate::{
    domain::{Clock, Timestamp, ports::Source, source::NotRead},
    simulate::social_connect::Contact,
    sources::conformance::SECRET,
    tests::fake_server::Behaviour,
};

/// All that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn page(next_url: Option<&str>) -> Behaviour {
    let response = json!({ "count": 1, "data": [], "paging": { "next_url": next_url } });
    Behaviour::answer(
        200,
        &json!({ "meta": { "code": 200 }, "response": response }).to_string(),
    )
}

#[tokio::test]
async fn qsc_10_two_pages_are_two_requests_and_no_token_is_logged() {
    let log = Log::default();
    let lines = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || lines.clone())
        .finish();
    let _logged = tracing::subscriber::set_default(subscriber);
    let stage = Stage::new().await;
    let source = stage.by_tag();
    for number in 0..101 {
        stage
            .place
            .platform
            .visitor_says(&twitter(), &format!("message {number}"));
    }
    let found = source.look(stage.place.clock.now()).await.expect("a list");
    let texts: Vec<_> = found.iter().map(|event| text(event).to_owned()).collect();
    let expected: Vec<_> = (0..101).map(|number| format!("message {number}")).collect();
    assert_eq!(texts, expected, "all of them, in order");
    let requests = stage.server.requests();
    assert_eq!(requests.len(), 2);
    assert!(
        requests[1].path.contains("page_token=100"),
        "{}",
        requests[1].path
    );
    assert!(
        !requests[1].path.contains("access_token"),
        "{}",
        requests[1].path
    );
    tracing::info!("the end");
    assert!(log.text().contains("the end"), "something is logged");
    assert!(!log.text().contains(SECRET), "{}", log.text());
}

#[tokio::test]
async fn qsc_11_a_page_that_leads_to_itself_is_read_once() {
    let stage = Stage::new().await;
    let source = stage.by_tag();
    let since = stage.place.clock.now();
    source.look(since).await.expect("a list");
    let own = format!("{}{}", stage.server.url(), stage.server.last_request().path);
    for next in [own.clone(), format!("{own}&access_token=leaked")] {
        let before = stage.server.requests().len();
        stage.server.next(page(Some(&next)));
        source.look(since).await.expect("a list");
        assert_eq!(stage.server.requests().len(), before + 1);
    }
}

#[tokio::test]
async fn pages_without_end_are_left_after_a_hundred_and_nothing_is_taken_for_looked_at() {
    let stage = Stage::new().await;
    let source = stage.by_tag();
    for number in 0..101 {
        let next = format!(
            "{}/1417/inbox/mentions?page_token={number}",
            stage.server.url()
        );
        stage.server.next(page(Some(&next)));
    }
    let looked = source.look(stage.place.clock.now()).await;
    let after = Some(Duration::from_hours(1));
    assert_eq!(looked.err(), Some(NotRead::Later { after }));
    assert_eq!(stage.server.requests().len(), 100);
    stage.place.clock.advance(Duration::from_mins(20));
    let looked = source.look(stage.place.clock.now()).await;
    let after = Some(Duration::from_mins(40));
    assert_eq!(looked.err(), Some(NotRead::Later { after }));
    assert_eq!(
        stage.server.requests().len(),
        100,
        "what would be as many again waits"
    );
}

#[tokio::test]
async fn qsc_12_a_page_on_another_host_is_not_asked_for() {
    let stage = Stage::new().await;
    let source = stage.by_tag();
    for next in [
        "https://evil.example.org/1417/inbox/mentions?page_token=2",
        "//evil",
        "file:///etc",
    ] {
        let before = stage.server.requests().len();
        stage.server.next(page(Some(next)));
        let looked = source.look(stage.place.clock.now()).await;
        let Err(NotRead::Refused { detail }) = looked else {
            panic!("{looked:?}");
        };
        assert!(
            detail.starts_with("next_url") && !detail.contains("evil"),
            "{detail}"
        );
        assert_eq!(stage.server.requests().len(), before + 1);
    }
}

#[tokio::test]
async fn a_look_begins_five_minutes_early_and_hears_what_a_webhook_would_have_told() {
    let stage = Stage::new().await;
    let source = stage.source(|config| config.topic_ids = "46283".to_owned());
    let webhook = stage.place.says(&twitter(), "Où est mon colis ? <3");
    stage
        .place
        .platform
        .agent_tags(&twitter(), "escalated to agent");
    let told = events(
        &source,
        &stage.place.says(&Contact::new("twitter", "77"), "hello"),
    )
    .remove(0);
    stage.place.platform.human_says(&twitter(), "Lee here.");
    stage.place.clock.advance(Duration::from_mins(4));
    let found = source.look(stage.place.clock.now()).await.expect("a list");
    assert_eq!(found.len(), 2, "the brand's own is not told");
    assert_eq!(found[0].event_id, events(&source, &webhook)[0].event_id);
    assert_eq!(text(&found[0]), "Où est mon colis ? <3");
    assert_eq!(found[1].event_id, told.event_id);
    assert_eq!(
        found[1].contact.as_ref().map(|one| &one.address),
        told.contact.as_ref().map(|one| &one.address)
    );
    let path = stage.server.last_request().path;
    let expected = "/1417/inbox/mentions?date_from=2026-11-19T23%3A59%3A00Z&sort=dateadd%3Aasc&limit=100&topic_ids=46283";
    assert_eq!(path, expected);
    stage.place.clock.advance(Duration::from_mins(5));
    let later = source.look(stage.place.clock.now()).await.expect("a list");
    assert!(later.is_empty());
    assert!(source.look(Timestamp(0)).await.is_ok());
}
