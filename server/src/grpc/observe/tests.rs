//! A whole gRPC server on a real socket: what callers see of panics and limits, what is counted, how it drains.

use std::{net::SocketAddr, time::Duration};

use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse,
    health_client::HealthClient,
    health_server::{Health, HealthServer},
};
use tonic_types::StatusExt;

use super::*;
use crate::{
    config::GrpcConfig,
    grpc::{reflection, server},
    metrics::Listener,
    net::{Acceptor, Gate},
};

const PATIENCE: Duration = Duration::from_secs(10);
const SOON: Duration = Duration::from_millis(100);
const LIMIT: usize = 1000;

/// Does what the service name asks for.
struct Moody;

#[tonic::async_trait]
impl Health for Moody {
    async fn check(
        &self,
        request: tonic::Request<HealthCheckRequest>,
    ) -> Result<tonic::Response<HealthCheckResponse>, Status> {
        match request.into_inner().service.as_str() {
            "panic" => panic!("on purpose"),
            "range" => Err(Status::out_of_range("a cursor, say")),
            _ => Ok(HealthCheckResponse::default().into()),
        }
    }

    type WatchStream = BoxStream<'static, Result<HealthCheckResponse, Status>>;

    async fn watch(
        &self,
        request: tonic::Request<HealthCheckRequest>,
    ) -> Result<tonic::Response<Self::WatchStream>, Status> {
        let first = stream::iter([Ok(HealthCheckResponse::default())]);
        let then: Self::WatchStream = match request.into_inner().service.as_str() {
            "panic" => stream::poll_fn(|_| panic!("on purpose")).boxed(),
            _ => stream::pending().boxed(),
        };
        Ok(first.chain(then).boxed().into())
    }
}

struct Fixture {
    address: SocketAddr,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
    task: JoinHandle<Result<(), tonic::transport::Error>>,
}

async fn fixture() -> Fixture {
    let config = GrpcConfig {
        first_bytes_timeout: SOON,
        max_message_bytes: LIMIT,
        ..GrpcConfig::default()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound listener");
    let metrics = Metrics::new();
    let gate = Gate::new(Listener::Grpc, 100, 0, metrics.clone());
    let acceptor = Acceptor::new(listener, gate);
    let everybody = Arc::new(crate::access::Callers::open(Arc::new(
        crate::domain::SystemClock,
    )));
    let router = server::server(&config, everybody, None, metrics.clone())
        .add_service(HealthServer::new(Moody).max_decoding_message_size(LIMIT))
        .add_service(reflection::v1().expect("valid descriptors"));
    let stop = CancellationToken::new();
    let (until, drain) = (stop.clone(), PATIENCE / 10);
    let serving = async move { server::serve(&config, router, acceptor, until, drain).await };
    let task = tokio::spawn(serving);
    Fixture {
        address,
        metrics,
        stop,
        task,
    }
}

impl Fixture {
    async fn client(&self) -> HealthClient<Channel> {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.address)).expect("a URL");
        HealthClient::new(endpoint.connect().await.expect("a listening server"))
    }

    /// Waits until a line of the metrics begins like this.
    async fn shows(&self, line: &str) {
        let shown = async {
            while !self.metrics.render().lines().any(|shown| shown == line) {
                tokio::task::yield_now().await;
            }
        };
        let shown = timeout(PATIENCE, shown).await;
        assert!(shown.is_ok(), "no {line} in\n{}", self.metrics.render());
    }
}

fn asking(service: &str) -> HealthCheckRequest {
    HealthCheckRequest {
        service: service.to_owned(),
    }
}

fn counted(call: &str, code: &str, count: u32) -> String {
    format!(
        "parloir_rpc_total{{tenant=\"\",method=\"/grpc.health.v1.Health/{call}\",code=\"{code}\"}} {count}"
    )
}

#[tokio::test]
async fn a_panic_in_a_handler_is_answered_and_the_connection_goes_on() {
    let fixture = fixture().await;
    let mut client = fixture.client().await;
    let status = client.check(asking("panic")).await.expect_err("it panics");
    assert_eq!(
        (status.code(), status.message()),
        (Code::Internal, "internal error")
    );
    client
        .check(asking(""))
        .await
        .expect("the next call is served");
    fixture.shows(&counted("Check", "INTERNAL", 1)).await;
    fixture.shows(&counted("Check", "OK", 1)).await;
}

#[tokio::test]
async fn a_panic_in_a_stream_is_answered() {
    let fixture = fixture().await;
    let mut client = fixture.client().await;
    let answers = client.watch(asking("panic")).await;
    let mut answers = answers.expect("it begins").into_inner();
    // What stood before the panic may or may not have left.
    let status = loop {
        match answers.message().await {
            Ok(answer) => assert!(answer.is_some(), "ended as if nothing had happened"),
            Err(status) => break status,
        }
    };
    assert_eq!(status.code(), Code::Internal);
    fixture.shows(&counted("Watch", "INTERNAL", 1)).await;
}

#[tokio::test]
async fn a_request_that_is_too_large_is_a_matter_of_resources() {
    let fixture = fixture().await;
    let mut client = fixture.client().await;
    let status = client
        .check(asking(&"x".repeat(LIMIT)))
        .await
        .expect_err("too large");
    assert_eq!(status.code(), Code::ResourceExhausted);
    let details = status.get_error_details();
    let info = details.error_info().expect("a reason");
    assert_eq!(
        (info.domain.as_str(), info.reason.as_str()),
        ("parloir", "LIMIT_REACHED")
    );
    assert_eq!(info.metadata["limit"], LIMIT.to_string());
    assert!(
        details.retry_info().is_none(),
        "it would be too large again"
    );
}

#[tokio::test]
async fn our_own_out_of_range_stays_what_it_is() {
    let status = fixture().await.client().await.check(asking("range")).await;
    assert_eq!(status.expect_err("refused").code(), Code::OutOfRange);
}

#[tokio::test]
async fn a_call_that_its_caller_gives_up_is_counted_as_cancelled() {
    let fixture = fixture().await;
    let mut client = fixture.client().await;
    let mut answers = client
        .watch(asking(""))
        .await
        .expect("it begins")
        .into_inner();
    answers.message().await.expect("an answer");
    drop(answers);
    fixture.shows(&counted("Watch", "CANCELLED", 1)).await;
}

#[tokio::test]
async fn a_silent_peer_is_closed_in_time() {
    let fixture = fixture().await;
    let mut silent = TcpStream::connect(fixture.address)
        .await
        .expect("a listening server");
    let read = timeout(PATIENCE, silent.read_to_end(&mut Vec::new())).await;
    // Nothing but the server's own first frames, then the end.
    read.expect("closed in time").expect("an orderly close");
}

#[tokio::test]
async fn a_drain_ends_at_its_deadline_under_open_streams_and_a_silent_peer() {
    let mut fixture = fixture().await;
    let mut client = fixture.client().await;
    let mut answers = client
        .watch(asking(""))
        .await
        .expect("it begins")
        .into_inner();
    answers.message().await.expect("an answer");
    let _silent = TcpStream::connect(fixture.address)
        .await
        .expect("a listening server");
    fixture.stop.cancel();
    let served = timeout(PATIENCE, &mut fixture.task).await.expect("in time");
    served.expect("no panic").expect("an orderly end");
    assert!(TcpStream::connect(fixture.address).await.is_err());
}

#[tokio::test]
async fn a_drain_ends_at_once_when_nothing_is_open() {
    let mut fixture = fixture().await;
    let mut client = fixture.client().await;
    client.check(asking("")).await.expect("served");
    fixture.stop.cancel();
    let served = timeout(PATIENCE / 20, &mut fixture.task).await;
    served
        .expect("before the deadline")
        .expect("no panic")
        .expect("an orderly end");
}
