//! A subscription that outlives its connections: it reopens, resumes and says where it stands.

mod connection;
mod item;
mod place;

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::Stream;
use parloir_proto::v1::{
    GoingAway, GoingAwayReason, SubscribeEventsRequest, subscribe_events_response::Message,
};
use tokio::time::{Sleep, sleep};
use tonic::Status;

use crate::{Client, Error, backoff::Backoff};
use connection::{Broken, Connection};
use place::Place;

pub use item::Item;

/// The shortest and the longest pause before a stream is opened again.
const PAUSE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));

/// A stream that lived for so long was of use: whatever ended it, the next one is not made to wait for what was before.
const OF_USE: Duration = Duration::from_secs(2);

/// Events as they are recorded, without an end.
///
/// # What is processed
///
/// Asking for the next item confirms the one before it. [`cursor`](Self::cursor) is the place up to which everything
/// has been confirmed: store that, and a later [`Subscription::after`](crate::Subscription::after) goes on exactly
/// behind it. Whoever stores after every event confirms it without asking for more, by [`processed`](Self::processed):
///
/// ```no_run
/// # use parloir_client::{Client, Error, Item, Subscription, v1::DeliveredEvent};
/// # fn process(_: &DeliveredEvent) {}
/// # fn store(_: &str) {}
/// # async fn example(client: Client, stored: String) -> Result<(), Error> {
/// let mut events = client.subscribe(Subscription::new().accounts(["demo"]).after(stored));
/// while let Some(item) = events.next().await {
///     if let Item::Event(delivered) = item? {
///         process(&delivered);
///     }
///     if let Some(cursor) = events.processed() {
///         store(cursor);
///     }
/// }
/// # Ok(())
/// # }
/// ```
///
/// Do not put a buffer behind the stream: it would ask, and so confirm, before anything is processed. A crash between
/// processing and storing brings events again, so remove duplicates by `event_id` where doing things twice hurts.
///
/// # What it takes care of
///
/// - A broken stream is opened again after 0.2 to 10 seconds, or when the server asks for it, and resumes where it
///   was. Nothing is missed and nothing is handed out twice.
/// - Silence for twice the heartbeat that the server announced counts as broken, and so does a stream that is not
///   opened within 10 seconds. The next one uses another connection.
/// - An error that will not go away by itself (a bad filter, an expired or foreign cursor) is the last item.
///
/// Waiting may be given up at any time, as in `tokio::select!`: nothing is lost by dropping [`next`](Self::next).
pub struct EventStream {
    client: Client,
    request: SubscribeEventsRequest,
    place: Place,
    backoff: Backoff,
    state: State,
}

enum State {
    Idle,
    Waiting(Pin<Box<Sleep>>),
    Connected(Box<Connection>),
    Ended,
}

impl EventStream {
    pub(crate) fn new(client: Client, request: SubscribeEventsRequest) -> Self {
        let place = Place::of(&request);
        Self {
            client,
            request,
            place,
            backoff: Backoff::new(PAUSE.0, PAUSE.1),
            state: State::Idle,
        }
    }

    /// Confirms the item before and waits for the next one. `None` comes after an error only.
    pub async fn next(&mut self) -> Option<Result<Item, Error>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// The cursor of the place up to which everything has been confirmed. `None` while a stream that was not given a
    /// cursor has not begun.
    pub fn cursor(&self) -> Option<&str> {
        self.place.processed()
    }

    /// Confirms the item handed out last, without asking for another, and gives the cursor to store.
    pub fn processed(&mut self) -> Option<&str> {
        self.place.confirm();
        self.place.processed()
    }

    fn receive(&mut self, message: Message) -> Option<Result<Item, Error>> {
        match message {
            Message::Started(started) => {
                self.place.begin(&started.cursor);
                Some(Ok(Item::Started(Box::new(started))))
            }
            Message::Event(delivered) => self
                .place
                .hand_out(&delivered)
                .then(|| Ok(Item::Event(Box::new(delivered)))),
            Message::Checkpoint(checkpoint) => {
                // Every event before it has been confirmed, or this message would not have been asked for.
                self.place
                    .reach(&checkpoint.cursor)
                    .then(|| Ok(Item::Checkpoint(checkpoint)))
            }
            Message::CaughtUp(caught_up) => {
                self.place.reach(&caught_up.cursor);
                Some(Ok(Item::CaughtUp(caught_up)))
            }
            Message::FellBehind(fell_behind) => Some(Ok(Item::FellBehind(fell_behind))),
            Message::Gap(gap) => {
                self.place.hand_out_gap(&gap);
                Some(Ok(Item::Gap(gap)))
            }
            Message::GoingAway(going_away) => self.leave(&going_away),
        }
    }

    /// The server ends the stream: come back when it asks for it, or never when another stream took over.
    fn leave(&mut self, going_away: &GoingAway) -> Option<Result<Item, Error>> {
        self.place.reach(&going_away.resume_cursor);
        if going_away.reason() == GoingAwayReason::Replaced {
            self.state = State::Ended;
            return Some(Err(Status::aborted(
                "another stream with the same member_id took over",
            )
            .into()));
        }
        let pause = going_away
            .reconnect_after
            .and_then(|after| after.try_into().ok())
            .unwrap_or(PAUSE.0);
        self.state = State::Waiting(Box::pin(sleep(pause)));
        None
    }

    fn broke(&mut self, broken: Broken) -> Result<Item, Error> {
        if broken.error.ends_a_subscription() {
            self.state = State::Ended;
            return Err(broken.error);
        }
        // A server that takes the stream and drops it at once is not one that is back.
        if broken.lived >= OF_USE {
            self.backoff.reset();
        }
        let retry_in = self
            .backoff
            .next_delay()
            .max(broken.error.retry_after().unwrap_or_default());
        self.state = State::Waiting(Box::pin(sleep(retry_in)));
        Ok(Item::Interrupted {
            error: broken.error,
            retry_in,
        })
    }

    fn open(&mut self) {
        let connection = Connection::open(&self.client, self.place.request(&self.request));
        self.state = State::Connected(Box::new(connection));
    }
}

impl Stream for EventStream {
    type Item = Result<Item, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        this.place.confirm();
        loop {
            let message = match &mut this.state {
                State::Ended => return Poll::Ready(None),
                State::Idle => {
                    this.open();
                    continue;
                }
                State::Waiting(pause) => {
                    ready!(pause.as_mut().poll(context));
                    this.state = State::Idle;
                    continue;
                }
                State::Connected(connection) => ready!(connection.poll_message(context)),
            };
            let item = match message {
                Ok(message) => this.receive(message),
                Err(broken) => Some(this.broke(broken)),
            };
            if item.is_some() {
                return Poll::Ready(item);
            }
        }
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Idle => "idle",
            State::Waiting(_) => "waiting",
            State::Connected(_) => "connected",
            State::Ended => "ended",
        };
        f.debug_struct("EventStream")
            .field("state", &state)
            .field("cursor", &self.cursor())
            .finish_non_exhaustive()
    }
}
