//! Streams of a tenant, while another one's events come.

use parloir_client::v1::{
    DeliveredEvent, EventFilter, StartPosition, SubscribeEventsRequest,
    subscribe_events_request::Start,
};

use super::town::{COMMON, SHARED, Tenant, Town};

fn earliest() -> Start {
    Start::Position(StartPosition::Earliest.into())
}

/// Every way in which a stranger may point at the other's events.
fn wishes(other: &Tenant) -> Vec<SubscribeEventsRequest> {
    let filters = [
        EventFilter::default(),
        EventFilter {
            accounts: vec![SHARED.into(), other.own("account")],
            ..Default::default()
        },
        EventFilter {
            conversation_ids: vec![COMMON.into(), other.own("conversation")],
            ..Default::default()
        },
    ];
    let starts = [earliest(), Start::AfterCursor(other.cursor.clone())];
    let mut wishes = Vec::new();
    for filter in filters {
        for start in &starts {
            wishes.push(SubscribeEventsRequest {
                filter: Some(filter.clone()),
                start: Some(start.clone()),
                ..Default::default()
            });
        }
    }
    wishes
}

#[track_caller]
fn assert_own(event: &DeliveredEvent, wish: &SubscribeEventsRequest) {
    let event = event.event.as_ref().expect("an event");
    assert_eq!(event.tenant, "bolt", "{wish:?}");
    assert!(!format!("{event:?}").contains("acme"), "{event:?}");
}

#[tokio::test]
async fn no_stream_shows_an_event_of_another_tenant_whatever_it_asks_for() {
    let town = Town::start().await;
    let (acme, bolt) = (&town.acme, &town.bolt);
    let wishes = wishes(acme);
    let mut streams = Vec::new();
    for wish in &wishes {
        let mut stream = bolt.caller.subscribe(wish).await.expect("a stream");
        for event in stream.caught_up().await {
            assert_own(&event, wish);
        }
        streams.push(stream);
    }
    // Live: what the other says comes first in the log, and only what bolt says comes out.
    for round in 0..3 {
        acme.says(SHARED, COMMON, &format!("live-{round}")).await;
        let id = format!("own-{round}");
        bolt.says(SHARED, COMMON, &id).await;
        for (stream, wish) in streams.iter_mut().zip(&wishes) {
            loop {
                let event = stream.event().await;
                assert_own(&event, wish);
                if format!("{event:?}").contains(&id) {
                    break;
                }
            }
        }
    }
}
