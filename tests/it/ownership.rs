//! Who answers the visitor, and what crosses a handover.

mod ended;
mod escalated;
mod handed_back;
mod held;
mod transferred;

use parloir_client::v1::{
    ConversationEnded, DeliveryChanged, Owner, OwnerChanged, TransferConversationRequest,
    event::Body,
};

use crate::support::{
    events::Events,
    questions::{ask, escalation_requested, reply},
    server::{ACCOUNT, TestServer},
    webhook::escalate,
};

/// The agent asks for a human in "C", and one takes over.
async fn escalated(server: &TestServer, events: &mut Events) {
    let asked = ask(server, &escalate("C"));
    let request = escalation_requested(events).await;
    let accepted = server.client.decide_escalation(&request, true).await;
    accepted.expect("a decision");
    assert_eq!(reply(asked).await.status, 200);
}

async fn hand_over(server: &TestServer, command: &str, to: Owner, note: &str) -> u64 {
    let handed = server
        .client
        .hand_over(ACCOUNT, "C", command, to, note)
        .await;
    let handed = handed.expect("a transfer");
    assert_eq!(handed.owner(), to);
    handed.owner_epoch
}

fn transfer(command: &str, to: Owner, expected_epoch: u64) -> TransferConversationRequest {
    TransferConversationRequest {
        account: ACCOUNT.to_owned(),
        conversation_id: "C".to_owned(),
        command_id: command.to_owned(),
        to: to.into(),
        note: String::new(),
        expected_owner_epoch: Some(expected_epoch),
    }
}

async fn conversation(server: &TestServer) -> parloir_client::v1::Conversation {
    let known = server.client.conversation(ACCOUNT, "C").await;
    known.expect("an answer").expect("a conversation")
}

async fn owner_changed(events: &mut Events) -> OwnerChanged {
    events
        .find(|body, _| match body {
            Body::OwnerChanged(changed) => Some(changed),
            _ => None,
        })
        .await
}

async fn ended(events: &mut Events) -> ConversationEnded {
    events
        .find(|body, _| match body {
            Body::ConversationEnded(ended) => Some(ended),
            _ => None,
        })
        .await
}

/// The next change of this message's delivery.
async fn changed(events: &mut Events, message_id: &str) -> DeliveryChanged {
    use parloir_client::v1::delivery_changed::Subject;
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

/// The words of all messages that the platform has got, with the ids they came under.
fn heard(server: &TestServer) -> Vec<(String, String)> {
    let requests = server.platform.requests();
    let bodies = requests.iter().map(crate::support::platform::Request::json);
    let messages = bodies.filter(|body| body["eventType"] == "message");
    let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
    messages
        .map(|body| (text(&body["platformConversationId"]), text(&body["text"])))
        .collect()
}

fn pairs(heard: &[(String, String)]) -> Vec<(&str, &str)> {
    let each = heard.iter();
    each.map(|(id, text)| (id.as_str(), text.as_str()))
        .collect()
}
