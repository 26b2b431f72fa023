//! `grpc.health.v1.Health`: `""` is alive, one entry per service is ready, and a watcher sees every change at once.

use std::pin::Pin;

use futures_util::{Stream, stream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse,
    health_check_response::ServingStatus,
    health_server::{Health, HealthServer},
};

/// Says whether the services are ready. Clones speak for the same server.
#[derive(Debug, Clone)]
pub struct HealthReporter(watch::Sender<bool>);

/// The health service of one server.
#[derive(Debug)]
pub struct HealthService {
    services: &'static [&'static str],
    serving: watch::Receiver<bool>,
    stop: CancellationToken,
}

/// The health of `services`, not serving until the reporter says so. After `stop` every watcher sees `NOT_SERVING`
/// and its stream ends `UNAVAILABLE`, so that no watcher holds a drain up.
pub fn health(
    services: &'static [&'static str],
    stop: CancellationToken,
) -> (HealthReporter, HealthServer<HealthService>) {
    let (sender, serving) = watch::channel(false);
    let service = HealthService {
        services,
        serving,
        stop,
    };
    (HealthReporter(sender), HealthServer::new(service))
}

impl HealthReporter {
    /// Tells watchers and whoever asks whether calls are welcome.
    pub fn set_serving(&self, serving: bool) {
        self.0.send_replace(serving);
    }
}

/// What one watcher looks at, and what it was told last.
struct Watcher {
    entry: Entry,
    serving: watch::Receiver<bool>,
    stop: CancellationToken,
    told: Option<ServingStatus>,
}

#[derive(Clone, Copy)]
enum Entry {
    /// `""`.
    Process,
    /// A service of ours.
    Service,
    Unknown,
}

#[tonic::async_trait]
impl Health for HealthService {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        match self.entry(&request).status(*self.serving.borrow()) {
            ServingStatus::ServiceUnknown => Err(Status::not_found("no such service")),
            status => Ok(Response::new(told(status))),
        }
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let watcher = Watcher {
            entry: self.entry(&request),
            serving: self.serving.clone(),
            stop: self.stop.clone(),
            told: None,
        };
        let answers = stream::unfold(
            Some(watcher),
            |watcher| async move { watcher?.next().await },
        );
        Ok(Response::new(Box::pin(answers)))
    }
}

impl HealthService {
    fn entry(&self, request: &Request<HealthCheckRequest>) -> Entry {
        match request.get_ref().service.as_str() {
            "" => Entry::Process,
            name if self.services.contains(&name) => Entry::Service,
            _ => Entry::Unknown,
        }
    }
}

impl Entry {
    fn status(self, serving: bool) -> ServingStatus {
        match (self, serving) {
            (Self::Unknown, _) => ServingStatus::ServiceUnknown,
            (Self::Service, false) => ServingStatus::NotServing,
            (Self::Process, _) | (Self::Service, true) => ServingStatus::Serving,
        }
    }
}

impl Watcher {
    /// The next answer, and the watcher unless it was the last one.
    async fn next(mut self) -> Option<(Result<HealthCheckResponse, Status>, Option<Self>)> {
        loop {
            let stopping = self.stop.is_cancelled();
            let status = match self.entry.status(*self.serving.borrow_and_update()) {
                ServingStatus::Serving if stopping => ServingStatus::NotServing,
                status => status,
            };
            if self.told != Some(status) {
                self.told = Some(status);
                return Some((Ok(told(status)), Some(self)));
            }
            if stopping {
                return Some((Err(Status::unavailable("the server is stopping")), None));
            }
            tokio::select! {
                Ok(()) = self.serving.changed() => {}
                () = self.stop.cancelled() => {}
            }
        }
    }
}

fn told(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse {
        status: status.into(),
    }
}

#[cfg(test)]
mod tests;
