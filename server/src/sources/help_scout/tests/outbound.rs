//! What goes out: replies, and the look whether one arrived.

use std::time::Duration;

use serde_json::json;

use super::{
    fake::{bot, user},
    fixture::{BOT, CHAT, CONVERSATION, REPLIED, Stage, conversation, customer, thread},
};
use crate::{
    domain::{
        Clock,
        outbound::{Refusal, Sent},
        ports::Source,
        source::{Arrival, Author, Item, ItemBody, NotRead},
    },
    sources::conformance::{handover, text},
    tests::fake_server::Behaviour,
};

const NOW: &str = "2026-11-20T00:00:00Z";
const BEFORE: &str = "2026-11-19T23:59:00Z";

async fn deliver(stage: &Stage, address: &str) -> Sent {
    stage
        .source
        .deliver(address, &text("Bonjour <3\nAna"))
        .await
}

fn made(id: u64) -> Sent {
    Sent::AcknowledgedAs {
        remote_id: id.to_string(),
    }
}

#[tokio::test]
async fn hs_04_a_reply_is_one_request_with_the_customers_id() {
    let stage = Stage::new().await;
    let asked = stage.told(
        REPLIED,
        &conversation(42, &[], &[thread(3, "customer", &customer(), "?")]),
    );
    let contact = asked.contact.expect("a contact");
    assert_eq!(deliver(&stage, &contact.address).await, made(1));
    let body = json!({
        "customer": { "id": 256 }, "text": "Bonjour &lt;3<br>Ana", "draft": false, "user": BOT,
    });
    let expected = (
        "POST".to_owned(),
        "/v2/conversations/42/reply".to_owned(),
        body,
    );
    assert_eq!(stage.asked(), [expected]);
}

#[tokio::test]
async fn an_address_without_a_customer_is_completed_first() {
    let stage = Stage::new().await;
    let address = r#"{"conversation":42}"#;
    assert_eq!(deliver(&stage, address).await, made(1));
    let asked: Vec<_> = stage
        .asked()
        .into_iter()
        .map(|(method, path, _)| (method, path))
        .collect();
    assert_eq!(
        asked[0],
        ("GET".to_owned(), "/v2/conversations/42".to_owned())
    );
    assert_eq!(asked.len(), 2);
    // Nothing was sent as long as it is not known.
    stage.server.next(Behaviour::answer(500, "{}"));
    assert_eq!(deliver(&stage, address).await, Sent::NotSent);
}

#[tokio::test]
async fn a_humans_name_stands_before_the_words_unless_switched_off() {
    let human = Item::text(
        Author::Human {
            name: "Lee".to_owned(),
            avatar_url: String::new(),
        },
        "Bonjour",
    );
    for (named, expected) in [(true, "Lee: Bonjour"), (false, "Bonjour")] {
        let stage = Stage::with(|config| config.name_humans = named).await;
        assert_eq!(stage.source.deliver(CONVERSATION, &human).await, made(1));
        assert_eq!(stage.asked()[0].2["text"], expected);
    }
}

#[tokio::test]
async fn hs_09_being_told_to_wait_is_told_with_its_time_after_one_request() {
    let stage = Stage::new().await;
    deliver(&stage, CONVERSATION).await;
    stage.world().left = Some(1);
    let retry_after = Some(Duration::from_secs(20));
    assert_eq!(
        deliver(&stage, CONVERSATION).await,
        Sent::Busy { retry_after }
    );
    assert_eq!(
        stage.asked().len(),
        2,
        "when to try again is not decided here"
    );
    let later = NotRead::Later { after: retry_after };
    stage.world().left = Some(0);
    assert_eq!(
        stage.source.read_owner(CONVERSATION).await,
        Err(later.clone())
    );
    let sent = stage.source.escalate(CONVERSATION, &handover()).await;
    assert_eq!(sent, Sent::Busy { retry_after });
    stage.world().left = None;
    assert_eq!(deliver(&stage, CONVERSATION).await, made(2));
}

#[tokio::test]
async fn hs_12_a_live_chat_is_never_called_unless_configured() {
    let stage = Stage::new().await;
    let source = &stage.source;
    for sent in [
        deliver(&stage, CHAT).await,
        source.escalate(CHAT, &handover()).await,
        source.resume(CHAT, "").await,
    ] {
        assert!(
            matches!(
                sent,
                Sent::Refused {
                    refusal: Refusal::Unreachable,
                    ..
                }
            ),
            "{sent:?}"
        );
    }
    assert!(matches!(
        source.read_owner(CHAT).await,
        Err(NotRead::Refused { .. })
    ));
    let now = stage.fixture.clock.now();
    let arrival = source.read_back(CHAT, &text("x"), now).await;
    assert!(matches!(arrival, Err(NotRead::Refused { .. })));
    assert!(stage.server.requests().is_empty(), "not even a token");

    let stage = Stage::with(|config| config.beacon_replies = true).await;
    deliver(&stage, CHAT).await;
    let (method, path, body) = stage.asked().remove(0);
    assert_eq!(
        (method.as_str(), path.as_str()),
        ("POST", "/v2/conversations/0aa1-b2/chats")
    );
    assert_eq!(
        body,
        json!({ "customer": { "id": 256 }, "text": "Bonjour &lt;3<br>Ana" })
    );
}

#[tokio::test]
async fn what_cannot_be_said_here_is_refused_unsent() {
    let stage = Stage::new().await;
    let cards = Item {
        author: Author::Agent,
        body: ItemBody::Cards(Vec::new()),
    };
    let request = |sent: Sent| {
        matches!(
            sent,
            Sent::Refused {
                refusal: Refusal::Request,
                ..
            }
        )
    };
    assert!(request(stage.source.deliver(CONVERSATION, &cards).await));
    assert!(request(deliver(&stage, "nowhere").await));
    assert!(stage.server.requests().is_empty());
}

#[tokio::test]
async fn a_conversation_that_is_gone_cannot_be_reached() {
    let stage = Stage::new().await;
    let sent = deliver(&stage, r#"{"conversation":99,"customer":1}"#).await;
    let Sent::Refused { refusal, detail } = sent else {
        panic!("{sent:?}");
    };
    assert_eq!(refusal, Refusal::Unreachable);
    assert_eq!(detail, "HTTP 404: Bad request; id: no such conversation");
    let sent = deliver(&stage, r#"{"conversation":42,"customer":1}"#).await;
    assert!(
        matches!(
            sent,
            Sent::Refused {
                refusal: Refusal::Request,
                ..
            }
        ),
        "{sent:?}"
    );
}

#[tokio::test]
async fn hs_10_a_list_without_anything_embedded_is_empty() {
    let stage = Stage::new().await;
    let since = stage.fixture.clock.now();
    stage.fixture.clock.advance(Duration::from_mins(10));
    let arrival = stage
        .source
        .read_back(CONVERSATION, &text("Bonjour"), since)
        .await;
    // Not even the customer's thread is there: the list is not yet what it will be.
    assert_eq!(arrival, Err(NotRead::Later { after: None }));
    let (_, path, _) = stage.asked().remove(0);
    assert_eq!(path, "/v2/conversations/42/threads?page=1");
    // No note stands there either, so one is written.
    let sent = stage.source.escalate(CONVERSATION, &handover()).await;
    assert_eq!(sent, Sent::Acknowledged);
    let kinds: Vec<_> = stage.world().conversations[&42]
        .threads
        .iter()
        .map(|thread| thread["type"].clone())
        .collect();
    assert_eq!(kinds, ["note"]);
}

#[tokio::test]
async fn a_reply_is_missing_only_once_it_had_the_time_to_arrive() {
    let stage = Stage::new().await;
    let since = stage.fixture.clock.now();
    stage.world().add(42, "customer", &customer(), "?", BEFORE);
    let look = async || {
        let item = text("Bonjour");
        stage.source.read_back(CONVERSATION, &item, since).await
    };
    let later = |seconds| {
        let after = Some(Duration::from_secs(seconds));
        Err(NotRead::Later { after })
    };
    assert_eq!(look().await, later(30));
    stage.fixture.clock.advance(Duration::from_secs(29));
    assert_eq!(look().await, later(1));
    stage.fixture.clock.advance(Duration::from_secs(1));
    assert_eq!(look().await, Ok(Arrival::Missing));
}

#[tokio::test]
async fn a_reply_with_an_unclear_end_is_found_by_its_words() {
    let stage = Stage::new().await;
    let now = stage.fixture.clock.now();
    stage.fixture.clock.advance(Duration::from_secs(30));
    let look = async |words: &str| {
        let item = text(words);
        stage
            .source
            .read_back(CONVERSATION, &item, now)
            .await
            .expect("it can be read")
    };
    {
        let mut world = stage.world();
        world.add(42, "message", &bot(), "Trop vieux", BEFORE);
        world.add(42, "message", &bot(), "Bonjour &lt;3<br>\nAna", NOW);
        world.add(42, "message", &user(9), "D'une autre", NOW);
        world.add(42, "note", &bot(), "Une note", NOW);
        for _ in 0..5 {
            world.add(42, "customer", &customer(), "Du client", NOW);
        }
    }
    let remote_id = "2".to_owned();
    assert_eq!(
        look("Bonjour <3\nAna").await,
        Arrival::Arrived { remote_id }
    );
    for absent in [
        "Bonjour",
        "Trop vieux",
        "D'une autre",
        "Une note",
        "Du client",
    ] {
        assert_eq!(look(absent).await, Arrival::Missing, "{absent}");
    }
    stage.server.next(Behaviour::answer(500, "{}"));
    let later = stage.source.read_back(CONVERSATION, &text("x"), now).await;
    assert_eq!(later, Err(NotRead::Later { after: None }));
}
