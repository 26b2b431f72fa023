//! Messages out, and the look at what became of one.

use std::time::Duration;

use serde_json::json;

use super::fixture::{Stage, changed_source, twitter, whatsapp};
use crate::{
    domain::{
        Clock,
        outbound::{Refusal, Sent},
        ports::Source,
        source::{Arrival, Author, NotRead},
    },
    simulate::social_connect::{Call, Contact, Failure, Speaker},
    sources::conformance::text as item,
    tests::fake_server::Behaviour,
};

#[tokio::test]
async fn qsc_31_a_message_is_one_form_posted_to_the_publisher() {
    let stage = Stage::new().await;
    let source = stage.by_tag();
    let contact = stage.met(&source, &twitter());
    let sent = source
        .deliver(&contact.address, &item("Bonjour & merci +1"))
        .await;
    assert!(matches!(sent, Sent::AcknowledgedAs { .. }), "{sent:?}");
    let requests = stage.server.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(
        (requests[0].method.as_str(), requests[0].path.as_str()),
        ("POST", "/1417/publisher/add")
    );
    assert_eq!(
        requests[0].header("content-type"),
        "application/x-www-form-urlencoded"
    );
    let seen = stage.place.platform.calls().remove(0);
    let expected = [
        ("type", "privatemessage"),
        (
            "services",
            r#"[{"service_id":"99887766","type":"twitter"}]"#,
        ),
        ("message", "Bonjour & merci +1"),
        ("status", "queued"),
        ("topic_id", "46283"),
        ("mention_id", "43769358878509001"),
    ];
    let fields: Vec<_> = seen
        .fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(fields, expected);
    let lines = stage.place.platform.lines(&twitter());
    assert_eq!(
        (lines[1].from, lines[1].text.as_str()),
        (Speaker::Bot, "Bonjour & merci +1")
    );
}

#[tokio::test]
async fn qsc_32_without_a_place_on_the_list_a_message_is_refused_or_put_before_people() {
    let stage = Stage::with(|settings| settings.may_publish = false).await;
    let source = stage.by_tag();
    let contact = stage.met(&source, &twitter());
    let sent = source.deliver(&contact.address, &item("Hello")).await;
    let Sent::Refused { refusal, detail } = sent else {
        panic!("{sent:?}");
    };
    assert_eq!(
        (refusal, detail.as_str()),
        (Refusal::Credentials, "no_permission (HTTP 403)")
    );
    assert_eq!(stage.place.platform.count(Call::Publish), 1);
    assert!(
        stage.place.platform.awaiting_approval().is_empty(),
        "not unless configured"
    );
    let source = stage.source(|config| config.approval_fallback = true);
    let sent = source.deliver(&contact.address, &item("Hello")).await;
    assert!(matches!(sent, Sent::AcknowledgedAs { .. }), "{sent:?}");
    assert_eq!(stage.place.platform.awaiting_approval(), ["Hello"]);
    assert_eq!(
        stage.place.platform.lines(&twitter()).len(),
        1,
        "nobody was shown it"
    );
}

#[tokio::test]
async fn what_a_human_says_begins_with_their_name_where_that_is_wanted_and_fits() {
    let stage = Stage::new().await;
    let long = "é".repeat(1598);
    for (wanted, words, expected) in [
        (true, "Hello", "Lee: Hello"),
        (false, "Hello", "Hello"),
        (true, long.as_str(), long.as_str()),
    ] {
        let source = stage.source(|config| config.name_humans = wanted);
        let contact = stage.met(&source, &twitter());
        let mut said = item(words);
        said.author = Author::Human {
            name: " Lee ".to_owned(),
            avatar_url: String::new(),
        };
        let since = stage.place.clock.now();
        source.deliver(&contact.address, &said).await;
        let line = stage.place.platform.lines(&twitter()).pop();
        assert_eq!(line.map(|line| line.text).as_deref(), Some(expected));
        let found = source.read_back(&contact.address, &said, since).await;
        assert!(matches!(found, Ok(Arrival::Arrived { .. })), "{found:?}");
    }
}

#[tokio::test]
async fn qsc_39_what_was_published_without_an_answer_is_found_again() {
    let stage = Stage::new().await;
    let source = stage.by_tag();
    let contact = stage.met(&source, &twitter());
    // Said before, and to another visitor at the same time: neither is it.
    let other = stage.met(&source, &whatsapp());
    source.deliver(&contact.address, &item("Hello <b>")).await;
    stage.place.clock.advance(Duration::from_mins(1));
    source.deliver(&other.address, &item("Other words")).await;
    let since = stage.place.clock.now();
    for (processed, arrival) in [(true, true), (false, false)] {
        let text = format!("Hello <b> & {processed}");
        stage
            .place
            .platform
            .fail_next(Call::Publish, Failure::reset(processed));
        let sent = source.deliver(&contact.address, &item(&text)).await;
        assert_eq!(sent, Sent::Unclear);
        let before = stage.server.requests().len();
        let read = source
            .read_back(&contact.address, &item(&text), since)
            .await;
        assert_eq!(stage.server.requests().len(), before + 1, "one call");
        if arrival {
            assert!(matches!(read, Ok(Arrival::Arrived { .. })), "{read:?}");
        } else {
            let after = Some(Duration::from_secs(30));
            assert_eq!(read, Err(NotRead::Later { after }), "it may still turn up");
        }
    }
    stage.place.clock.advance(Duration::from_secs(31));
    let missing = source
        .read_back(&contact.address, &item("Hello <b> & false"), since)
        .await;
    assert_eq!(missing, Ok(Arrival::Missing));
    let before_since = source
        .read_back(&contact.address, &item("Hello <b>"), since)
        .await;
    assert_eq!(
        before_since,
        Ok(Arrival::Missing),
        "sent before, and not again"
    );
}

#[tokio::test]
async fn the_same_words_to_another_visitor_prove_nothing() {
    let stage = Stage::new().await;
    let source = stage.by_tag();
    let contact = stage.met(&source, &twitter());
    let other = stage.met(&source, &Contact::new("twitter", "77"));
    source.deliver(&other.address, &item("Hello")).await;
    stage.place.clock.advance(Duration::from_mins(1));
    let since = stage.place.clock.now() - Duration::from_mins(1);
    let read = source
        .read_back(&contact.address, &item("Hello"), since)
        .await;
    assert!(matches!(read, Err(NotRead::Refused { .. })), "{read:?}");
}

#[tokio::test]
async fn a_list_that_is_not_understood_never_means_missing() {
    let stage = Stage::new().await;
    let source = stage.by_tag();
    let contact = stage.met(&source, &twitter());
    let since = stage.place.clock.now();
    stage.place.clock.advance(Duration::from_mins(5));
    let date = since.0 / 1_000_000;
    let old = date - 60;
    let page = |data: serde_json::Value, next: Option<&str>| {
        let response = json!({ "data": data, "paging": { "next_url": next } });
        json!({ "meta": { "code": 200 }, "response": response }).to_string()
    };
    let item_at = |date: i64| json!({ "message": "Other", "date": { "added": date } });
    for untold in [
        r#"{"meta":{"code":200},"response":{"items":[]}}"#.to_owned(),
        page(json!([{ "id": 1 }]), None),
        page(json!([item_at(date + 5)]), Some("https://next")),
        page(
            json!([item_at(old), item_at(date + 5)]),
            Some("https://next"),
        ),
    ] {
        stage.server.next(Behaviour::answer(200, &untold));
        let read = source
            .read_back(&contact.address, &item("Hello"), since)
            .await;
        assert!(matches!(read, Err(NotRead::Refused { .. })), "{untold}");
    }
    for whole in [
        page(json!([]), None),
        page(
            json!([item_at(date + 5), item_at(old)]),
            Some("https://next"),
        ),
    ] {
        stage.server.next(Behaviour::answer(200, &whole));
        let read = source
            .read_back(&contact.address, &item("Hello"), since)
            .await;
        assert_eq!(read, Ok(Arrival::Missing), "{whole}");
    }
}

#[tokio::test]
async fn the_profile_that_answers_is_a_setting_or_comes_from_the_message() {
    let stage = Stage::new().await;
    for (url, profile, setting, expected) in [
        (
            "https://twitter.com/11223344/dm",
            json!(null),
            None,
            Some("11223344"),
        ),
        (
            "https://www.facebook.com/t/555",
            json!(null),
            None,
            Some("555"),
        ),
        (
            "https://twitter.com/11223344/dm",
            json!(42),
            None,
            Some("42"),
        ),
        (
            "https://twitter.com/11223344/dm",
            json!("42"),
            Some("7"),
            Some("7"),
        ),
        ("https://example.org/11223344/dm", json!(null), None, None),
        ("https://nottwitter.com/11223344", json!(null), None, None),
    ] {
        let source = stage.source(|config| {
            let profile = setting.map(|id: &str| ("twitter".to_owned(), id.to_owned()));
            config.profiles = profile.into_iter().collect();
        });
        let contact = changed_source(&stage, &source, url, &profile);
        let sent = source.deliver(&contact.address, &item("Hello")).await;
        match (expected, sent) {
            (Some(id), _) => {
                let seen = stage.place.platform.calls().pop().expect("a call");
                let services = json!([{ "type": "twitter", "service_id": id }]).to_string();
                assert_eq!(seen.field("services"), Some(services.as_str()));
            }
            (None, Sent::Refused { detail, .. }) => {
                assert!(detail.contains("profiles.twitter"), "{detail}");
            }
            (None, other) => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn what_is_too_long_for_the_channel_is_refused_for_good() {
    let stage = Stage::new().await;
    let source = stage.by_tag();
    let contact = stage.met(&source, &Contact::new("twilio", "+32470000001"));
    let sent = source
        .deliver(&contact.address, &item(&"é".repeat(1601)))
        .await;
    let Sent::Refused { refusal, detail } = sent else {
        panic!("{sent:?}");
    };
    assert_eq!(
        (refusal, detail.as_str()),
        (Refusal::Request, "limit_exceeded (HTTP 400)")
    );
    assert_eq!(source.capabilities().text_chars, 1600);
}
