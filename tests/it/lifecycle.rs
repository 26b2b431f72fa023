//! A server's life: it starts alone, runs full, forgets what is old, and goes without losing anybody.

mod disk;
mod full;
mod retention;
mod slow;
mod stopping;

use parloir_client::v1::{
    Event, StartPosition, SubscribeEventsRequest, SubscribeEventsResponse,
    conversation_service_client::ConversationServiceClient, subscribe_events_request::Start,
    subscribe_events_response::Message,
};
use tonic::{Status, Streaming, transport::Channel};

type Calls = ConversationServiceClient<Channel>;
type Stream = Streaming<SubscribeEventsResponse>;

/// A generated client, which neither reconnects nor reads ahead.
async fn calls(url: String) -> Calls {
    let endpoint = Channel::from_shared(url).expect("an address");
    // What HTTP/2 begins with: what is not read soon holds the server back.
    let endpoint = endpoint.initial_stream_window_size(65_535);
    let endpoint = endpoint.initial_connection_window_size(1 << 20);
    Calls::new(endpoint.connect().await.expect("a server that listens"))
}

async fn follow(calls: &mut Calls, start: Start) -> Result<Stream, Status> {
    let request = SubscribeEventsRequest {
        start: Some(start),
        ..SubscribeEventsRequest::default()
    };
    calls
        .subscribe_events(request)
        .await
        .map(tonic::Response::into_inner)
}

fn earliest() -> Start {
    Start::Position(StartPosition::Earliest.into())
}

/// The next message of a stream that is open.
async fn next(stream: &mut Stream) -> Message {
    let message = tokio::time::timeout(std::time::Duration::from_secs(30), stream.message()).await;
    let message = message.expect("a message in time").expect("an open stream");
    message
        .expect("a message")
        .message
        .expect("of a known kind")
}

/// Skips to the next event.
async fn next_event(stream: &mut Stream) -> (Event, String) {
    loop {
        if let Message::Event(delivered) = next(stream).await {
            return (delivered.event.expect("an event"), delivered.cursor);
        }
    }
}
