//! Members of a subscription, and what they are given.

use std::time::Duration;

use parloir_client::{
    Client, Consumer, Error, Item, Outcome, Subscription,
    v1::{
        AckResult, CreateSubscriptionRequest, DeliveredEvent, EventFilter, EventKind,
        NamedSubscription, StartPosition, SubscriptionPolicy, WhenParked,
        create_subscription_request::Start, event::Body,
    },
};

use crate::support::{server::TestServer, webhook::says};

pub const NAME: &str = "crm";

const PATIENCE: Duration = Duration::from_mins(1);

/// Makes the subscription: everything that agents say, from the first event on.
pub async fn create(client: &Client, policy: SubscriptionPolicy) {
    let subscription = NamedSubscription {
        name: NAME.to_owned(),
        filter: Some(EventFilter {
            kinds: vec![EventKind::AgentMessage.into()],
            ..EventFilter::default()
        }),
        policy: Some(policy),
        ..NamedSubscription::default()
    };
    let request = CreateSubscriptionRequest {
        subscription: Some(subscription),
        start: Some(Start::Position(StartPosition::Earliest.into())),
    };
    let made = client.create_subscription(request).await;
    made.expect("a subscription");
}

pub fn policy(max_attempts: u32, when_parked: WhenParked) -> SubscriptionPolicy {
    SubscriptionPolicy {
        max_attempts,
        when_parked: when_parked.into(),
        ..SubscriptionPolicy::default()
    }
}

/// A member of the subscription.
pub struct Member(pub Consumer);

impl Member {
    pub fn join(client: &Client, id: &str) -> Self {
        Self::with(client, id, 64)
    }

    pub fn with(client: &Client, id: &str, max_in_flight: u32) -> Self {
        let subscription = Subscription::new()
            .named(NAME, id)
            .max_in_flight(max_in_flight);
        Self(client.consume(subscription))
    }

    /// Until its stream has begun.
    pub async fn started(mut self) -> Self {
        loop {
            if let Item::Started(_) = self.item().await.expect("a stream") {
                return self;
            }
        }
    }

    pub async fn item(&mut self) -> Result<Item, Error> {
        let next = tokio::time::timeout(PATIENCE, self.0.item()).await;
        next.expect("something in time").expect("an open stream")
    }

    pub async fn event(&mut self) -> DeliveredEvent {
        let next = async {
            loop {
                if let Item::Event(event) = self.item().await.expect("an open stream") {
                    return *event;
                }
            }
        };
        let next = tokio::time::timeout(PATIENCE, next).await;
        next.expect("an event in time")
    }

    /// The next event, whose words are these.
    pub async fn hears(&mut self, words: &str) -> DeliveredEvent {
        let event = self.event().await;
        assert_eq!(text(&event), words);
        event
    }

    pub fn says(
        &self,
        event: &DeliveredEvent,
        outcome: Outcome,
    ) -> impl Future<Output = AckResult> + use<> {
        let said = self.0.ack(event, outcome);
        async { said.await.expect("a result") }
    }

    pub async fn done(&self, event: &DeliveredEvent) {
        assert_eq!(self.says(event, Outcome::Done).await, AckResult::Ok);
    }
}

/// The words of an agent's message.
pub fn text(event: &DeliveredEvent) -> String {
    let event = event.event.as_ref().expect("an event");
    match &event.body {
        Some(Body::AgentMessage(message)) => message.text.clone(),
        other => panic!("no message: {other:?}"),
    }
}

/// The agent says these words, one after the other.
pub async fn say(server: &TestServer, conversation: &str, words: &[&str]) {
    for text in words {
        server.taken(&says(conversation, text)).await;
    }
}

/// How the subscription stands.
pub async fn standing(client: &Client) -> NamedSubscription {
    let request = parloir_client::v1::GetSubscriptionRequest {
        name: NAME.to_owned(),
    };
    let found = client.get_subscription(request).await;
    found.expect("a subscription").subscription.expect("it")
}

/// Waits until it stands like this.
pub async fn stands(
    client: &Client,
    like: impl Fn(&NamedSubscription) -> bool,
) -> NamedSubscription {
    let looking = async {
        loop {
            let found = standing(client).await;
            if like(&found) {
                return found;
            }
        }
    };
    let found = tokio::time::timeout(PATIENCE, looking).await;
    found.expect("it comes to stand like this")
}
