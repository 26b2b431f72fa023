//! Health as the protocol tells it, asked through the service itself.

use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::timeout;
use tonic::Code;

use super::*;

const SERVICES: &[&str] = &["parloir.v1.ConversationService"];

struct Fixture {
    reporter: HealthReporter,
    service: HealthService,
    stop: CancellationToken,
}

fn fixture() -> Fixture {
    let stop = CancellationToken::new();
    let (sender, serving) = watch::channel(false);
    let service = HealthService {
        services: SERVICES,
        serving,
        stop: stop.clone(),
    };
    Fixture {
        reporter: HealthReporter(sender),
        service,
        stop,
    }
}

fn asking(service: &str) -> Request<HealthCheckRequest> {
    Request::new(HealthCheckRequest {
        service: service.to_owned(),
    })
}

impl Fixture {
    async fn check(&self, service: &str) -> Result<ServingStatus, Code> {
        let answer = self.service.check(asking(service)).await;
        answer
            .map(|answer| answer.into_inner().status())
            .map_err(|status| status.code())
    }

    async fn watch(&self, service: &str) -> Watch {
        let answer = self.service.watch(asking(service)).await;
        Watch(answer.expect("a watch is never refused").into_inner())
    }
}

struct Watch(<HealthService as Health>::WatchStream);

impl Watch {
    async fn next(&mut self) -> Option<Result<ServingStatus, Code>> {
        let next = timeout(Duration::from_secs(10), self.0.next()).await;
        let answer = next.expect("an answer in time")?;
        Some(
            answer
                .map(|answer| answer.status())
                .map_err(|status| status.code()),
        )
    }
}

#[tokio::test]
async fn the_process_is_alive_before_its_services_are_ready() {
    let fixture = fixture();
    assert_eq!(fixture.check("").await, Ok(ServingStatus::Serving));
    assert_eq!(
        fixture.check(SERVICES[0]).await,
        Ok(ServingStatus::NotServing)
    );
    fixture.reporter.set_serving(true);
    assert_eq!(fixture.check(SERVICES[0]).await, Ok(ServingStatus::Serving));
}

#[tokio::test]
async fn an_unknown_service_is_not_found_and_its_watch_goes_on() {
    let fixture = fixture();
    assert_eq!(fixture.check("other").await, Err(Code::NotFound));
    let mut watch = fixture.watch("other").await;
    assert_eq!(watch.next().await, Some(Ok(ServingStatus::ServiceUnknown)));
    fixture.reporter.set_serving(true);
    fixture.stop.cancel();
    assert_eq!(watch.next().await, Some(Err(Code::Unavailable)));
    assert_eq!(watch.next().await, None);
}

#[tokio::test]
async fn a_watch_sees_each_change_and_not_serving_before_its_end() {
    let fixture = fixture();
    let mut watch = fixture.watch(SERVICES[0]).await;
    assert_eq!(watch.next().await, Some(Ok(ServingStatus::NotServing)));
    fixture.reporter.set_serving(true);
    assert_eq!(watch.next().await, Some(Ok(ServingStatus::Serving)));
    fixture.reporter.set_serving(false);
    assert_eq!(watch.next().await, Some(Ok(ServingStatus::NotServing)));
    fixture.stop.cancel();
    assert_eq!(watch.next().await, Some(Err(Code::Unavailable)));
    assert_eq!(watch.next().await, None);
}

#[tokio::test]
async fn every_watch_ends_with_not_serving_also_that_of_the_process() {
    let fixture = fixture();
    fixture.reporter.set_serving(true);
    for service in ["", SERVICES[0]] {
        let mut watch = fixture.watch(service).await;
        assert_eq!(watch.next().await, Some(Ok(ServingStatus::Serving)));
    }
    let (mut process, mut service) = (fixture.watch("").await, fixture.watch(SERVICES[0]).await);
    fixture.stop.cancel();
    for watch in [&mut process, &mut service] {
        assert_eq!(watch.next().await, Some(Ok(ServingStatus::NotServing)));
        assert_eq!(watch.next().await, Some(Err(Code::Unavailable)));
    }
}
