//! Crowds of streams, and a source of events for them.

use anyhow::{Context, Result, bail};
use parloir_client::Client;
use parloir_proto::v1::{
    EventFilter, EventKind, Parameter, SubscribeEventsRequest, SubscribeEventsResponse,
    UpdateParametersRequest, conversation_service_client::ConversationServiceClient,
    subscribe_events_response::Message,
};
use tonic::{
    Streaming,
    transport::{Channel, Endpoint},
};

use super::Crowd;

/// The smallest window that HTTP/2 begins with: what an unread stream takes before it is stuck.
const SMALL_WINDOW: u32 = 65_535;

/// About 500 bytes an event, envelope included.
const PAYLOAD_BYTES: usize = 300;

/// Streams that are open.
pub struct Streams {
    open: Vec<Streaming<SubscribeEventsResponse>>,
}

impl Streams {
    /// Opens all of a crowd's streams, each up to the point where it is level.
    pub async fn open(crowd: &Crowd, count: usize) -> Result<Self> {
        let mut open = Vec::with_capacity(count);
        while open.len() < count {
            let client = connect(&crowd.server).await?;
            for _ in open.len()..count.min(open.len() + crowd.per_connection) {
                let mut stream = subscribe(client.clone(), None).await?;
                caught_up(&mut stream).await?;
                open.push(stream);
            }
        }
        Ok(Self { open })
    }

    pub fn len(&self) -> usize {
        self.open.len()
    }
}

/// Makes events in a conversation of its own.
#[derive(Clone)]
pub struct Source {
    client: Client,
    account: String,
    conversation_id: String,
}

impl Source {
    /// Starts a conversation and ends it: from then on its parameters are only kept, and nothing is sent anywhere.
    pub async fn new(server: &str, account: String) -> Result<Self> {
        let client = Client::builder(server).connect().await?;
        Self::over(client, account).await
    }

    /// As [`Self::new`], over a client that is there already.
    pub async fn over(client: Client, account: String) -> Result<Self> {
        let conversation_id = format!("bench-{}", uuid::Uuid::now_v7());
        let start = format!("{conversation_id}-start");
        client.start(&account, &conversation_id, start).await?;
        let end = format!("{conversation_id}-end");
        client.end(&account, &conversation_id, end).await?;
        Ok(Self {
            client,
            account,
            conversation_id,
        })
    }

    pub fn conversation_id(&self) -> &str {
        &self.conversation_id
    }

    /// Opens a stream of exactly the events that are made here.
    pub async fn follow(&self, server: &str) -> Result<Streaming<SubscribeEventsResponse>> {
        let filter = EventFilter {
            accounts: vec![self.account.clone()],
            conversation_ids: vec![self.conversation_id.clone()],
            kinds: vec![EventKind::ParametersUpdated.into()],
        };
        let mut stream = subscribe(connect(server).await?, Some(filter)).await?;
        caught_up(&mut stream).await?;
        Ok(stream)
    }

    /// Makes one event. Answers its cursor.
    pub async fn event(&self, number: usize) -> Result<String> {
        let request = UpdateParametersRequest {
            account: self.account.clone(),
            conversation_id: self.conversation_id.clone(),
            command_id: format!("{}-{number}", self.conversation_id),
            parameters: vec![Parameter {
                key: "bench".into(),
                value: "x".repeat(PAYLOAD_BYTES),
                ..Parameter::default()
            }],
        };
        let updated = self.client.update_parameters(request).await?;
        Ok(updated.cursor)
    }
}

async fn connect(server: &str) -> Result<ConversationServiceClient<Channel>> {
    let endpoint = Endpoint::from_shared(server.to_owned()).context("--server is no URL")?;
    let channel = endpoint
        .initial_stream_window_size(SMALL_WINDOW)
        .initial_connection_window_size(SMALL_WINDOW)
        .connect()
        .await
        .with_context(|| format!("no server answers at {server}"))?;
    Ok(ConversationServiceClient::new(channel))
}

async fn subscribe(
    mut client: ConversationServiceClient<Channel>,
    filter: Option<EventFilter>,
) -> Result<Streaming<SubscribeEventsResponse>> {
    let request = SubscribeEventsRequest {
        filter,
        ..SubscribeEventsRequest::default()
    };
    let response = client.subscribe_events(request).await;
    Ok(response.context("a stream was refused")?.into_inner())
}

async fn caught_up(stream: &mut Streaming<SubscribeEventsResponse>) -> Result<()> {
    while let Some(message) = stream.message().await? {
        if let Some(Message::CaughtUp(_)) = message.message {
            return Ok(());
        }
    }
    bail!("a stream ended before it was level")
}
