//! What is on its way to the agent: waiting, sent once, unknown, and the session it goes into.

mod parameters;
mod queued;
mod resent;
mod restarted;
mod sessions;
mod together;

use parloir_client::v1::{DeliveryChanged, delivery_changed::Subject, event::Body};
use tokio::net::TcpListener;

use crate::support::{
    events::Events,
    platform::{FakeServer, Request},
    server::TestServer,
};

/// The next change of this message's delivery.
async fn changed(events: &mut Events, message_id: &str) -> DeliveryChanged {
    events
        .find(|body, _| match body {
            Body::DeliveryChanged(changed)
                if changed.subject == Some(Subject::MessageId(message_id.to_owned())) =>
            {
                Some(changed)
            }
            _ => None,
        })
        .await
}

/// Waits until this message is recorded.
async fn recorded(events: &mut Events, message_id: &str) {
    events
        .find(|body, _| match body {
            Body::VisitorMessage(message) => (message.message_id == message_id).then_some(()),
            _ => None,
        })
        .await;
}

/// The words of all messages that the platform has got.
fn texts(platform: &FakeServer) -> Vec<String> {
    let requests = platform.requests();
    let bodies = requests.iter().map(Request::json);
    let messages = bodies.filter(|body| body["eventType"] == "message");
    let text = |body: serde_json::Value| body["text"].as_str().expect("text").to_owned();
    messages.map(text).collect()
}

/// The platform that was stopped, back at its address.
async fn back(server: &TestServer) -> FakeServer {
    let url = server.platform.url();
    let address = url.strip_prefix("http://").expect("a URL");
    let listener = TcpListener::bind(address).await;
    FakeServer::start_on(listener.expect("the address is free again"))
}

async fn conversation(server: &TestServer) -> parloir_client::v1::Conversation {
    let known = server.client.conversation("demo", "C").await;
    known.expect("an answer").expect("a conversation")
}
