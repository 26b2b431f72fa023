//! What an agent asks and waits for, from both ends.

use parloir_client::{
    Error,
    v1::{
        ActionRequested, Availability, AvailabilityRequested, Disposition, RequestClosed,
        RespondToAgentRequest, RespondToAgentResponse, SetAvailabilityRequest, event::Body,
        respond_to_agent_request::Answer, set_availability_request::Scope,
    },
};
use tokio::task::JoinHandle;

use super::{
    events::Events,
    http::Reply,
    server::{AGENT, TestServer},
    webhook::post,
};

/// Posts a question without waiting for its answer.
pub fn ask(server: &TestServer, body: &str) -> JoinHandle<Reply> {
    let (to, body) = (server.webhooks, body.to_owned());
    tokio::spawn(async move { post(to, AGENT, &[], body.as_bytes()).await })
}

/// What the platform got in the end.
pub async fn reply(asked: JoinHandle<Reply>) -> Reply {
    let answered = tokio::time::timeout(std::time::Duration::from_secs(30), asked).await;
    answered.expect("in time").expect("an answer")
}

pub async fn action_requested(events: &mut Events) -> ActionRequested {
    events
        .find(|body, _| match body {
            Body::ActionRequested(asked) => Some(asked),
            _ => None,
        })
        .await
}

/// The id of the next escalation that is asked for.
pub async fn escalation_requested(events: &mut Events) -> String {
    events
        .find(|body, _| match body {
            Body::EscalationRequested(asked) => Some(asked.request_id),
            _ => None,
        })
        .await
}

pub async fn availability_requested(events: &mut Events) -> AvailabilityRequested {
    events
        .find(|body, _| match body {
            Body::AvailabilityRequested(asked) => Some(asked),
            _ => None,
        })
        .await
}

pub async fn request_closed(events: &mut Events) -> RequestClosed {
    events
        .find(|body, _| match body {
            Body::RequestClosed(closed) => Some(closed),
            _ => None,
        })
        .await
}

/// Answers as this responder.
pub async fn respond(
    server: &TestServer,
    request_id: &str,
    responder: &str,
    answer: Answer,
) -> Result<RespondToAgentResponse, Error> {
    let request = RespondToAgentRequest {
        request_id: request_id.to_owned(),
        answer: Some(answer),
        responder: responder.to_owned(),
    };
    server.client.respond_to_agent(request).await
}

pub fn disposition(responded: &Result<RespondToAgentResponse, Error>) -> Disposition {
    responded.as_ref().expect("a response").disposition()
}

/// Publishes whether the team "billing" is online, for a minute. Answers whether it is, all publishers together.
pub async fn publish(server: &TestServer, publisher: &str, online: bool) -> bool {
    let request = SetAvailabilityRequest {
        scope: Some(Scope::Agent(AGENT.to_owned())),
        publisher: publisher.to_owned(),
        availability: Some(Availability {
            team: "billing".to_owned(),
            online,
            time_to_live: Some(prost_types::Duration {
                seconds: 60,
                nanos: 0,
            }),
        }),
    };
    let said = server.client.set_availability(request).await;
    said.expect("a word").online
}

/// Waits until a line of the metrics begins with this.
pub async fn metric(server: &TestServer, line: &str) {
    let looking = async {
        let known = async || server.metrics().await;
        while !known().await.lines().any(|known| known.starts_with(line)) {}
    };
    let found = tokio::time::timeout(std::time::Duration::from_secs(30), looking).await;
    assert!(found.is_ok(), "no metric {line}");
}
