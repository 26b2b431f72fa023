//! Events that a later version wrote, beside which this one runs.

use parloir_proto::v1;
use prost::Message;
use sea_orm::{ConnectionTrait, Statement};

use super::*;
use crate::domain::{EventKind, Position, ports::SubscriptionRead, query::EventQuery};

/// A case of `Event.body` that this version does not know: field 99, five bytes.
pub(crate) const BODY: &[u8] = b"\x9a\x06\x05hello";
pub(crate) const KIND: i32 = 9999;

impl Scratch {
    /// What stands at this place, as a later version would have written it.
    pub(crate) async fn write_later(&self, position: u64, kind: i32, body: &[u8]) {
        let db = self.behind().await;
        let sql = "UPDATE event SET kind = $1, body_key_id = 0, body = $2 WHERE position = $3";
        let position = i64::try_from(position).expect("small");
        let values = [kind.into(), body.into(), position.into()];
        let update = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
        let done = db.execute_raw(update).await.expect("is written");
        assert_eq!(done.rows_affected(), 1);
    }
}

fn unread() -> EventBody {
    EventBody::Unread {
        kind: EventKind::Later(KIND),
        body: BODY.to_vec(),
    }
}

/// Three events of a conversation, the second of them of a later version.
async fn written(kind: i32, body: &[u8]) -> Scratch {
    let scratch = Scratch::new().await;
    scratch
        .commit(async |tx| {
            for sequence in 1..=3 {
                tx.append(event("c", sequence, 1));
            }
        })
        .await;
    scratch.write_later(2, kind, body).await;
    scratch
}

async fn listed(scratch: &Scratch, kinds: &[EventKind]) -> Vec<u64> {
    let query = EventQuery {
        key: key("c"),
        kinds: kinds.to_vec(),
        newest_first: false,
        after: None,
        limit: 9,
        max_bytes: 1 << 20,
    };
    let events = scratch.store.events(&query).await.expect("reads");
    events.iter().map(|(sequence, _)| *sequence).collect()
}

#[tokio::test]
async fn a_kind_of_a_later_version_is_read_and_passed_on_with_its_bytes() {
    let scratch = written(KIND, BODY).await;
    let page = scratch.store.page(Position(0), 9, 1 << 20).await;
    let page = page.expect("reads");
    assert_eq!(page.len(), 3);
    let later = &page[1];
    assert_eq!(later.kind, EventKind::Later(KIND));
    assert!(later.bytes.ends_with(BODY));
    let wire = v1::Event::decode(later.bytes.clone()).expect("an event");
    assert_eq!((wire.sequence, wire.body), (2, None));
    assert!(!wire.event_id.is_empty());
    let tail = scratch.store.tail(Position(0), 9, 1 << 20).await;
    let (events, facts): (Vec<_>, Vec<_>) = tail.expect("reads").into_iter().unzip();
    assert_eq!(events, page);
    assert_eq!(facts[1].fact.event_id.as_str(), wire.event_id);
    assert_eq!(listed(&scratch, &[]).await, [1, 2, 3]);
    assert_eq!(listed(&scratch, &[EventKind::PlatformAlert]).await, [1, 3]);
    let at = scratch.store.events_at(&[Position(2)]).await;
    assert_eq!(at.expect("reads"), std::slice::from_ref(later));
    let mut tx = scratch.store.begin().await.expect("begins");
    for found in [
        tx.event(&key("c"), 2).await,
        tx.event_by_id(&wire.event_id).await,
    ] {
        let found = found.expect("reads").expect("is there");
        assert_eq!(found.fact.body, unread());
    }
    tx.roll_back().await.expect("rolls back");
}

#[tokio::test]
async fn a_value_of_a_later_version_in_a_known_kind_stops_nobody() {
    let cause = v1::ConversationEnded {
        cause: 77,
        ..v1::ConversationEnded::default()
    };
    let body = v1::Event {
        body: Some(v1::event::Body::ConversationEnded(cause)),
        ..v1::Event::default()
    };
    let kind = EventKind::ConversationEnded;
    let scratch = written(kind.number(), &body.encode_to_vec()).await;
    let tail = scratch.store.tail(Position(0), 9, 1 << 20).await;
    let kinds: Vec<_> = tail
        .expect("reads")
        .iter()
        .map(|(event, _)| event.kind)
        .collect();
    let alert = EventKind::PlatformAlert;
    assert_eq!(kinds, [alert, kind, alert]);
    assert_eq!(listed(&scratch, &[kind]).await, [2]);
}

#[tokio::test]
async fn what_is_sealed_of_a_later_version_is_opened_and_goes_with_its_key() {
    let scratch = Scratch::new().await;
    let batch = scratch
        .commit(async |tx| {
            tx.append(NewEvent {
                body: unread(),
                ..event("c", 1, 1)
            });
        })
        .await;
    assert!(batch.events[0].bytes.ends_with(BODY));
    let read = async || scratch.store.tail(Position(0), 9, 1 << 20).await;
    let expected = (batch.events[0].clone(), Arc::clone(&batch.facts[0]));
    assert_eq!(read().await, Ok(vec![expected]));
    scratch
        .commit(async |tx| tx.erase_words(&key("c")).await.expect("erases"))
        .await;
    let erased = read().await.expect("reads");
    assert_eq!(erased[0].0.kind, EventKind::Later(KIND));
    assert_eq!(erased[0].1.fact.body, EventBody::erased());
}
