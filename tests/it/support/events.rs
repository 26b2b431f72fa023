//! Events as a subscriber sees them, waited for and never slept for.

use std::time::Duration;

use parloir_client::{
    EventStream, Item,
    v1::{AgentMessage, DeliveredEvent, DeliveryChanged, Event, event::Body},
};

/// Longer than anything here takes on a busy machine: waiting in vain fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(30);

/// A stream of events.
pub struct Events(EventStream);

impl Events {
    pub fn new(stream: EventStream) -> Self {
        Self(stream)
    }

    /// The next thing of whatever kind.
    pub async fn item(&mut self) -> Item {
        let next = tokio::time::timeout(PATIENCE, self.0.next()).await;
        let item = next.expect("something in time").expect("an open stream");
        item.expect("no error")
    }

    pub async fn next(&mut self) -> DeliveredEvent {
        // An idle stream still sends signs of life.
        let next = async {
            loop {
                if let Some(delivered) = self.item().await.into_event() {
                    return delivered;
                }
            }
        };
        let next = tokio::time::timeout(PATIENCE, next).await;
        next.expect("an event in time")
    }

    /// Skips events until `pick` takes something from one.
    pub async fn find<T>(&mut self, mut pick: impl FnMut(Body, &Event) -> Option<T>) -> T {
        loop {
            let event = self.next().await.event.expect("an event");
            let body = event.body.clone().expect("a body");
            if let Some(found) = pick(body, &event) {
                return found;
            }
        }
    }

    /// The next event of the kind that `pick` knows, with what surrounds it.
    pub async fn agent_message(&mut self) -> (AgentMessage, Event) {
        self.find(|body, event| match body {
            Body::AgentMessage(message) => Some((message, event.clone())),
            _ => None,
        })
        .await
    }

    pub async fn texts(&mut self, count: usize) -> Vec<String> {
        let mut texts = Vec::new();
        while texts.len() < count {
            texts.push(self.agent_message().await.0.text);
        }
        texts
    }

    pub async fn delivery_changed(&mut self) -> DeliveryChanged {
        self.find(|body, _| match body {
            Body::DeliveryChanged(changed) => Some(changed),
            _ => None,
        })
        .await
    }
}
