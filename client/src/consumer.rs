//! A member of a named subscription: takes events, and says what became of each.

use std::time::Duration;

use parloir_proto::v1::{
    AckEventsRequest, AckResult, DeliveredEvent, EventAck, EventDone, EventPark, event_ack,
};

use crate::{Client, Error, EventStream, Item, Subscription};

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It is done.
    Done,
    /// It is done, and so is everything of its conversation that was handed out before it.
    DoneUpToHere,
    /// It is to be handed out again after this time.
    RetryAfter(Duration),
    /// It is set aside until somebody redrives it.
    Park,
}

/// A member of a named subscription. Made by [`Client::consume`].
///
/// ```no_run
/// # use parloir_client::{Client, Error, Outcome, Subscription, v1::DeliveredEvent};
/// # async fn handle(_: &DeliveredEvent) -> Result<(), std::io::Error> { Ok(()) }
/// # async fn example(client: Client) -> Result<(), Error> {
/// let subscription = Subscription::new().named("crm", "crm-1").from_earliest();
/// let mut consumer = client.consume(subscription);
/// while let Some(event) = consumer.next().await {
///     let event = event?;
///     let outcome = match handle(&event).await {
///         Ok(()) => Outcome::Done,
///         Err(_) => Outcome::RetryAfter(std::time::Duration::from_secs(10)),
///     };
///     consumer.ack(&event, outcome).await?;
/// }
/// # Ok(())
/// # }
/// ```
///
/// A stream that breaks is opened again under the same member id, which takes its leases over at once; what was not
/// acknowledged by then comes again, with a higher `attempt`. So do things in a way that may be repeated, or remember
/// `event_id`. When another stream with the same member id takes over, the last item is an error and nothing follows.
#[derive(Debug)]
pub struct Consumer {
    client: Client,
    subscription: String,
    events: EventStream,
}

impl Client {
    /// Becomes a member of a named subscription; see [`Subscription::named`].
    pub fn consume(&self, subscription: Subscription) -> Consumer {
        let request = subscription.into_request();
        Consumer {
            client: self.clone(),
            subscription: request.subscription.clone(),
            events: EventStream::new(self.clone(), request),
        }
    }
}

impl Consumer {
    /// Waits for the next event. `None` comes after an error only.
    pub async fn next(&mut self) -> Option<Result<DeliveredEvent, Error>> {
        loop {
            match self.item().await? {
                Ok(Item::Event(event)) => return Some(Ok(*event)),
                Ok(_) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// As [`Self::next`], and tells of everything else that happens on the stream.
    pub async fn item(&mut self) -> Option<Result<Item, Error>> {
        self.events.next().await
    }

    /// Says what became of one event. `Stale` means that it was handed out again meanwhile, to whoever has its
    /// conversation now. Nothing of the consumer is borrowed: this may be awaited beside [`Self::next`].
    ///
    /// # Errors
    ///
    /// The server could not be told: the event comes again when its time is over.
    pub fn ack(
        &self,
        event: &DeliveredEvent,
        outcome: Outcome,
    ) -> impl Future<Output = Result<AckResult, Error>> + Send + use<> {
        let results = self.tell(vec![said(event, outcome)]);
        async { Ok(results.await?.first().copied().unwrap_or_default()) }
    }

    /// Says what became of several events, in one call. One result for each.
    ///
    /// # Errors
    ///
    /// As [`Self::ack`].
    pub fn ack_all<'a, E>(
        &self,
        events: E,
    ) -> impl Future<Output = Result<Vec<AckResult>, Error>> + Send + use<E>
    where
        E: IntoIterator<Item = (&'a DeliveredEvent, Outcome)>,
    {
        let acks = events.into_iter();
        self.tell(acks.map(|(event, outcome)| said(event, outcome)).collect())
    }

    fn tell(
        &self,
        acks: Vec<EventAck>,
    ) -> impl Future<Output = Result<Vec<AckResult>, Error>> + Send + use<> {
        let request = AckEventsRequest {
            subscription: self.subscription.clone(),
            acks,
        };
        let client = self.client.clone();
        async move {
            let response = client.ack_events(request).await?;
            Ok(response.results().collect())
        }
    }
}

fn said(event: &DeliveredEvent, outcome: Outcome) -> EventAck {
    EventAck {
        ack_id: event.ack_id.clone(),
        outcome: Some(outcome.into()),
    }
}

impl From<Outcome> for event_ack::Outcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::Done(EventDone { cumulative: false }),
            Outcome::DoneUpToHere => Self::Done(EventDone { cumulative: true }),
            Outcome::RetryAfter(after) => {
                // What the contract's type cannot hold is cut to a day, the longest that the server takes.
                let after = after.min(Duration::from_hours(24));
                Self::RetryAfter(after.try_into().unwrap_or_default())
            }
            Outcome::Park => Self::Park(EventPark {}),
        }
    }
}
