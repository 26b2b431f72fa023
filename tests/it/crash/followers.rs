//! Subscribers: some through the client crate, which resumes by itself, some with nothing but the generated client, so
//! that nothing stands between the server's stream and the journal.

use std::{sync::Arc, time::Duration};

use parloir_client::{
    Client, Item, Subscription,
    v1::{
        EventFilter, StartPosition, SubscribeEventsRequest,
        conversation_service_client::ConversationServiceClient, subscribe_events_request::Start,
        subscribe_events_response::Message,
    },
};
use tonic::Status;

use super::{facts::logged, gallery::Gallery, load::conversation};
use crate::{journal::Logged, process::ACCOUNT};

/// Between two tries: those who lost their server do not wait, but do not spin either.
const PAUSE: Duration = Duration::from_millis(20);

/// So many subscribers, each by its name and what it follows: every other one a conversation, the rest everything.
pub fn followed(followers: usize, conversations: usize) -> Vec<(String, Vec<String>)> {
    let followed = (0..followers).map(|number| {
        let conversations = if number.is_multiple_of(2) {
            Vec::new()
        } else {
            vec![conversation(number % conversations)]
        };
        (format!("follower-{number}"), conversations)
    });
    followed.collect()
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
                    self.gallery.said_goodbye(&self.name);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// What follows these conversations, or all where none is named, after the cursor or from the beginning.
pub fn request(conversations: &[String], cursor: Option<String>) -> SubscribeEventsRequest {
    let filter = EventFilter {
        accounts: vec![ACCOUNT.to_owned()],
        conversation_ids: conversations.to_vec(),
        kinds: Vec::new(),
    };
    SubscribeEventsRequest {
        filter: (!conversations.is_empty()).then_some(filter),
        start: Some(cursor.map_or(
            Start::Position(StartPosition::Earliest.into()),
            Start::AfterCursor,
        )),
        ..SubscribeEventsRequest::default()
    }
}

/// The whole log from its beginning to what was committed when the stream had caught up.
pub async fn replay(url: &str) -> Vec<Logged> {
    let mut messages = open(url, request(&[], None))
        .await
        .expect("the replay can be opened");
    let mut replay = Vec::new();
    while let Some(message) = messages.message().await.expect("the replay goes on") {
        match message.message {
            Some(Message::Event(delivered)) => replay.push(logged(&delivered)),
            Some(Message::CaughtUp(_)) => return replay,
            _ => {}
        }
    }
    panic!("the replay ended before it had caught up");
}

pub async fn open(
    url: &str,
    request: SubscribeEventsRequest,
) -> Result<tonic::Streaming<parloir_client::v1::SubscribeEventsResponse>, Status> {
    let mut service = ConversationServiceClient::connect(url.to_owned())
        .await
        .map_err(|error| Status::unavailable(error.to_string()))?;
    Ok(service.subscribe_events(request).await?.into_inner())
}
