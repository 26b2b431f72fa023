//! The standard services beside ours: health and reflection.

use std::time::Duration;

use tonic::Code;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::{v1, v1alpha};

use super::channel;
use crate::support::server::{TestServer, Wishes};

const SERVICE: &str = "parloir.v1.ConversationService";

fn check(service: &str) -> HealthCheckRequest {
    HealthCheckRequest {
        service: service.to_owned(),
    }
}

#[tokio::test]
async fn health_tells_the_server_and_the_service_apart() {
    let server = TestServer::start().await;
    let mut health = HealthClient::new(channel(&server).await);
    for service in ["", SERVICE] {
        let answer = health.check(check(service)).await.expect("known");
        assert_eq!(
            answer.into_inner().status(),
            ServingStatus::Serving,
            "{service:?}"
        );
    }
    let unknown = health.check(check("parloir.v9.Nothing")).await;
    assert_eq!(unknown.expect_err("unknown").code(), Code::NotFound);
}

#[tokio::test]
async fn a_watcher_of_health_sees_the_end_before_it_comes() {
    let server = TestServer::start().await;
    let mut health = HealthClient::new(channel(&server).await);
    let watched = health.watch(check(SERVICE)).await.expect("a watch");
    let mut watched = watched.into_inner();
    let now = watched.message().await.expect("OK").expect("at once");
    assert_eq!(now.status(), ServingStatus::Serving);
    let stopped = tokio::spawn(server.app.stop());
    let then = watched.message().await.expect("OK").expect("the change");
    assert_eq!(then.status(), ServingStatus::NotServing);
    drop(watched);
    let stopped = tokio::time::timeout(Duration::from_secs(30), stopped).await;
    stopped.expect("in time").expect("no panic");
}

#[tokio::test]
async fn reflection_lists_the_service_in_both_versions() {
    let server = TestServer::start().await;
    let channel = channel(&server).await;

    let ask = v1::ServerReflectionRequest {
        message_request: Some(v1::server_reflection_request::MessageRequest::ListServices(
            String::new(),
        )),
        ..Default::default()
    };
    let mut client = v1::server_reflection_client::ServerReflectionClient::new(channel.clone());
    let answers = client.server_reflection_info(tokio_stream::once(ask)).await;
    let answer = answers
        .expect("OK")
        .into_inner()
        .message()
        .await
        .expect("OK");
    let Some(v1::server_reflection_response::MessageResponse::ListServicesResponse(list)) =
        answer.expect("an answer").message_response
    else {
        panic!("not a list");
    };
    assert!(list.service.iter().any(|service| service.name == SERVICE));

    let ask = v1alpha::ServerReflectionRequest {
        message_request: Some(
            v1alpha::server_reflection_request::MessageRequest::FileContainingSymbol(
                SERVICE.to_owned(),
            ),
        ),
        ..Default::default()
    };
    let mut client = v1alpha::server_reflection_client::ServerReflectionClient::new(channel);
    let answers = client.server_reflection_info(tokio_stream::once(ask)).await;
    let answer = answers
        .expect("OK")
        .into_inner()
        .message()
        .await
        .expect("OK");
    let Some(v1alpha::server_reflection_response::MessageResponse::FileDescriptorResponse(file)) =
        answer.expect("an answer").message_response
    else {
        panic!("not a file");
    };
    assert!(!file.file_descriptor_proto.is_empty());
}

#[tokio::test]
async fn reflection_can_be_switched_off() {
    let server = TestServer::start_with(Wishes {
        top: "grpc.reflection = false",
        ..Wishes::default()
    })
    .await;
    let channel = channel(&server).await;
    let mut client = v1::server_reflection_client::ServerReflectionClient::new(channel);
    let ask = v1::ServerReflectionRequest::default();
    let answer = client.server_reflection_info(tokio_stream::once(ask)).await;
    assert_eq!(answer.expect_err("off").code(), Code::Unimplemented);
}
