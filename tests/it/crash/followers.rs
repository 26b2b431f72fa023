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

use super::{facts::logged, recorder::Recorder};
use crate::{journal::Logged, process::ACCOUNT};

const PAUSE: Duration = Duration::from_millis(20);

pub struct Follower {
    pub recorder: Arc<Recorder>,
    pub name: String,
    /// None: all.
    pub conversations: Vec<String>,
}

impl Follower {
    /// Through the client crate, without an end.
    pub async fn run_with_client(self, client: Client) {
        self.recorder.subscribed(&self.name, &self.conversations);
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
                Item::Started(_) => {
                    connection += 1;
                    self.recorder.resumed();
                }
                Item::Event(delivered) => {
                    self.recorder
                        .delivered(&self.name, connection, logged(&delivered));
                }
                Item::Gap(gap) => panic!("{}: {gap:?}", self.name),
                _ => {}
            }
        }
    }

    /// With the generated client, without an end.
    pub async fn run_by_hand(self, url: String) {
        self.recorder.subscribed(&self.name, &self.conversations);
        let mut cursor = None;
        for connection in 1.. {
            // However it ended: resume after the last event that came.
            let _ = self.follow(&url, connection, &mut cursor).await;
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn follow(
        &self,
        url: &str,
        connection: u32,
        cursor: &mut Option<String>,
    ) -> Result<(), Status> {
        let mut messages = open(url, request(&self.conversations, cursor.clone())).await?;
        while let Some(message) = messages.message().await? {
            match message.message {
                Some(Message::Started(_)) => self.recorder.resumed(),
                Some(Message::Event(delivered)) => {
                    self.recorder
                        .delivered(&self.name, connection, logged(&delivered));
                    *cursor = Some(delivered.cursor);
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
