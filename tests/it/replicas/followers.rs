//! Subscribers that know several replicas: where each is, how far it has come, and how long it went without anything.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use parloir_client::{
    Client, Item, Subscription,
    v1::{SubscribeEventsRequest, subscribe_events_response::Message},
};
use tokio::{sync::watch, time::Instant};
use tonic::Status;

use crate::{
    crash::{
        facts::logged,
        followers::{open, request},
        recorder::Recorder,
    },
    journal::Logged,
    process::ACCOUNT,
};

/// Between two tries: those who lost their replica do not wait, but do not spin either.
const PAUSE: Duration = Duration::from_millis(50);

/// What is known of one subscriber.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The replica that it turned to; unknown behind a load balancer.
    pub at: Option<usize>,
    pub connection: u32,
    pub position: u64,
    /// Streams that the server ended itself, with a cursor to resume from.
    pub goodbyes: u32,
    last: Instant,
    /// The longest time without an event.
    pub longest: Duration,
}

/// All subscribers of a run.
pub struct Gallery {
    recorder: Arc<Recorder>,
    seen: Mutex<BTreeMap<String, Seen>>,
    changed: watch::Sender<()>,
}

impl Gallery {
    pub fn new(recorder: &Arc<Recorder>) -> Arc<Self> {
        Arc::new(Self {
            recorder: Arc::clone(recorder),
            seen: Mutex::default(),
            changed: watch::Sender::new(()),
        })
    }

    pub fn seen(&self) -> BTreeMap<String, Seen> {
        self.lock().clone()
    }

    /// Counts the time without an event from now on.
    pub fn measure(&self) {
        for seen in self.lock().values_mut() {
            (seen.last, seen.longest) = (Instant::now(), Duration::ZERO);
        }
    }

    /// Waits until `enough` holds of every subscriber. Answers since when it does.
    pub async fn until(&self, enough: impl Fn(&str, &Seen) -> bool) -> Instant {
        let mut changed = self.changed.subscribe();
        while !self.lock().iter().all(|(name, seen)| enough(name, seen)) {
            changed.changed().await.expect("the sender is our own");
        }
        Instant::now()
    }

    fn subscribed(&self, name: &str, conversations: &[String]) {
        self.recorder.subscribed(name, conversations);
        let seen = Seen {
            at: None,
            connection: 0,
            position: 0,
            goodbyes: 0,
            last: Instant::now(),
            longest: Duration::ZERO,
        };
        self.lock().insert(name.to_owned(), seen);
    }

    fn connected(&self, name: &str, at: Option<usize>) -> u32 {
        self.recorder.resumed();
        let connection = self.change(name, |seen| {
            seen.at = at;
            seen.connection += 1;
            seen.connection
        });
        self.changed.send_replace(());
        connection
    }

    fn delivered(&self, name: &str, connection: u32, logged: Logged) {
        let position = logged.position;
        self.recorder.delivered(name, connection, logged);
        self.change(name, |seen| {
            let now = Instant::now();
            seen.position = seen.position.max(position);
            seen.longest = seen.longest.max(now - seen.last);
            seen.last = now;
        });
        self.changed.send_replace(());
    }

    fn change<T>(&self, name: &str, change: impl FnOnce(&mut Seen) -> T) -> T {
        change(self.lock().get_mut(name).expect("it has subscribed"))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub struct Follower {
    gallery: Arc<Gallery>,
    name: String,
    /// None: all.
    conversations: Vec<String>,
}

impl Follower {
    /// Of these conversations, or of all where none is named. From now on it is waited for.
    pub fn new(gallery: &Arc<Gallery>, name: String, conversations: Vec<String>) -> Self {
        gallery.subscribed(&name, &conversations);
        Self {
            gallery: Arc::clone(gallery),
            name,
            conversations,
        }
    }

    /// Through the client crate, wherever its address leads, without an end.
    pub async fn behind_a_front(self, client: Client) {
        let mut subscription = Subscription::new().from_earliest();
        if !self.conversations.is_empty() {
            subscription = subscription
                .accounts([ACCOUNT])
                .conversations(self.conversations.clone());
        }
        let mut events = client.subscribe(subscription);
        let mut connection = 0;
        while let Some(item) = events.next().await {
            match item.unwrap_or_else(|error| panic!("{}: {error}", self.name)) {
                Item::Started(_) => connection = self.gallery.connected(&self.name, None),
                Item::Event(delivered) => {
                    self.gallery
                        .delivered(&self.name, connection, logged(&delivered));
                }
                Item::Gap(gap) => panic!("{}: {gap:?}", self.name),
                _ => {}
            }
        }
    }

    /// With the generated client: whenever a stream ends, it resumes at the next replica. Without an end.
    pub async fn go_from_one_to_the_next(self, urls: Vec<String>, first: usize) {
        let mut cursor = None;
        for try_ in first.. {
            let at = try_ % urls.len();
            // However it ended: resume after the last event that came.
            let _ = self.follow(&urls[at], at, &mut cursor).await;
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn follow(
        &self,
        url: &str,
        at: usize,
        cursor: &mut Option<String>,
    ) -> Result<(), Status> {
        let request: SubscribeEventsRequest = request(&self.conversations, cursor.clone());
        let mut messages = open(url, request).await?;
        let mut connection = 0;
        while let Some(message) = messages.message().await? {
            match message.message {
                Some(Message::Started(_)) => {
                    connection = self.gallery.connected(&self.name, Some(at));
                }
                Some(Message::Event(delivered)) => {
                    self.gallery
                        .delivered(&self.name, connection, logged(&delivered));
                    *cursor = Some(delivered.cursor);
                }
                Some(Message::GoingAway(goodbye)) => {
                    assert!(!goodbye.resume_cursor.is_empty(), "{}", self.name);
                    *cursor = Some(goodbye.resume_cursor);
                    self.gallery.change(&self.name, |seen| seen.goodbyes += 1);
                }
                _ => {}
            }
        }
        Ok(())
    }
}
