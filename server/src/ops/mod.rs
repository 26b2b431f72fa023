//! For operators: metrics, liveness, readiness.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};

mod readiness;

pub use readiness::{NotReady, Readiness};

use crate::metrics::Metrics;

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `/metrics`; `/healthz`, 200 while the process lives; `/readyz`, 200 when work is welcome and 503 with the reason
/// when it is not.
pub fn router(metrics: Arc<Metrics>, readiness: Readiness) -> Router {
    Router::new()
        .route("/metrics", get(show_metrics))
        .with_state(metrics)
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(show_readiness))
        .with_state(readiness)
}

async fn show_metrics(State(metrics): State<Arc<Metrics>>) -> impl IntoResponse {
    ([(CONTENT_TYPE, OPENMETRICS)], metrics.render())
}

async fn show_readiness(State(readiness): State<Readiness>) -> (StatusCode, String) {
    match readiness.check() {
        Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicBool, Ordering},
        time::Duration,
    };

    use axum::body::{Body, to_bytes};
    use tower::ServiceExt;

    use super::*;

    async fn get(router: &Router, path: &str) -> (u16, String) {
        let request = http::Request::get(path).body(Body::empty());
        let answer = router.clone().oneshot(request.expect("a request")).await;
        let answer = answer.expect("never fails");
        let status = answer.status().as_u16();
        let body = to_bytes(answer.into_body(), 1 << 20).await.expect("a body");
        (status, String::from_utf8(body.to_vec()).expect("text"))
    }

    #[tokio::test]
    async fn readiness_follows_the_server_and_its_committer_while_liveness_does_not() {
        let stalled = Arc::new(AtomicBool::new(false));
        let oldest = stalled.clone();
        let readiness = Readiness::new(Duration::from_secs(5), move || {
            Duration::from_secs(if oldest.load(Ordering::Relaxed) { 6 } else { 0 })
        });
        let router = router(Metrics::new(), readiness.clone());
        assert_eq!(
            get(&router, "/readyz").await,
            (503, "starting\n".to_owned())
        );
        readiness.started();
        assert_eq!(get(&router, "/readyz").await, (200, "ready\n".to_owned()));
        stalled.store(true, Ordering::Relaxed);
        let (status, reason) = get(&router, "/readyz").await;
        assert!(
            status == 503 && reason.contains("commit"),
            "{status} {reason}"
        );
        stalled.store(false, Ordering::Relaxed);
        assert_eq!(get(&router, "/readyz").await.0, 200);
        readiness.stopping();
        assert_eq!(
            get(&router, "/readyz").await,
            (503, "stopping\n".to_owned())
        );
        readiness.started();
        assert_eq!(get(&router, "/readyz").await.0, 503, "a stop is final");
        assert_eq!(get(&router, "/healthz").await.0, 200);
    }

    #[tokio::test]
    async fn metrics_are_shown_in_the_open_form() {
        let readiness = Readiness::new(Duration::ZERO, || Duration::ZERO);
        let (status, text) = get(&router(Metrics::new(), readiness), "/metrics").await;
        assert_eq!(status, 200);
        assert!(
            text.contains("# TYPE parloir_streams_fell_behind counter")
                && text.ends_with("# EOF\n"),
            "{text}"
        );
    }
}
