//! How many calls are under way at one time, with a service that answers when it is told to.

use std::sync::Arc;

use http_body_util::BodyExt;
use secrecy::ExposeSecret;
use tokio::sync::Notify;
use tonic::Code;
use tower::ServiceExt;

use super::*;
use crate::{
    access::{Anonymous, CallerRecord, Configured, Key, KeyRecord, Limits, OwnLimits, Pepper},
    config::LimitsConfig,
    domain::{Scope, SystemClock},
};

fn limited(limits: &LimitsConfig) -> (GuardLayer, Key, Arc<Metrics>) {
    let callers = Callers::new(
        Pepper::of_this_process(),
        Anonymous::Never,
        Configured::default(),
        Arc::new(Limits::new(limits, &[])),
        Arc::new(SystemClock),
    );
    let key = Key::generate().expect("random");
    let (tenant, name) = (Id::trusted("acme"), Id::trusted("crm"));
    let caller = CallerRecord {
        tenant: tenant.clone(),
        name: name.clone(),
        scopes: [Scope::Converse].into_iter().collect(),
        certificates: Vec::new(),
        disabled: false,
        limits: OwnLimits::default(),
    };
    let record = KeyRecord {
        id: key.id(),
        digest: callers.digest(&key),
        tenant,
        caller: name,
        expires_at: None,
        revoked: false,
    };
    callers.replace_stored(vec![caller], vec![record]);
    let metrics = Metrics::new();
    (
        GuardLayer::new(Arc::new(callers), Arc::clone(&metrics), None),
        key,
        metrics,
    )
}

fn request(key: &Key) -> Request<Body> {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = "/parloir.v1.ConversationService/SendMessage"
        .parse()
        .expect("a path");
    let shown = format!("Bearer {}", key.text().expose_secret());
    request
        .headers_mut()
        .insert(AUTHORIZATION, shown.parse().expect("a header"));
    request
}

async fn assert_one_at_a_time(limits: LimitsConfig, setting: &str) {
    let (layer, key, metrics) = limited(&limits);
    let told = Arc::new(Notify::new());
    let waits = Arc::clone(&told);
    let guard = layer.layer(tower::service_fn(move |request: Request<Body>| {
        let waits = Arc::clone(&waits);
        async move {
            assert!(
                request
                    .extensions()
                    .get::<crate::domain::Identity>()
                    .is_some()
            );
            waits.notified().await;
            Ok::<_, Infallible>(Response::new(Body::empty()))
        }
    }));
    let first = guard.clone().oneshot(request(&key));
    let mut first = Box::pin(first);
    assert!(futures_util::poll!(first.as_mut()).is_pending());
    let refused = guard.clone().oneshot(request(&key)).await;
    let refused = refused.unwrap_or_else(|never| match never {});
    let status = Status::from_header_map(refused.headers()).expect("a status");
    assert_eq!(status.code(), Code::ResourceExhausted);
    let shown = metrics.render();
    let line = format!("parloir_limited_total{{tenant=\"acme\",limit=\"{setting}\"}} 1");
    assert!(shown.contains(&line), "no {line} in\n{shown}");

    told.notify_one();
    let answered = first.await.unwrap_or_else(|never| match never {});
    answered.into_body().collect().await.expect("an answer");
    told.notify_one();
    let third = guard.oneshot(request(&key)).await;
    let third = third.unwrap_or_else(|never| match never {});
    assert!(
        Status::from_header_map(third.headers()).is_none(),
        "a place got free"
    );
}

#[tokio::test]
async fn a_callers_call_waits_for_no_place_but_is_refused() {
    let limits = LimitsConfig {
        caller_calls_in_flight: 1,
        ..LimitsConfig::default()
    };
    assert_one_at_a_time(limits, "limits.caller_calls_in_flight").await;
}

#[tokio::test]
async fn a_tenants_calls_under_way_are_counted_together() {
    let limits = LimitsConfig {
        tenant_calls_in_flight: 1,
        ..LimitsConfig::default()
    };
    assert_one_at_a_time(limits, "limits.tenant_calls_in_flight").await;
}

#[tokio::test(start_paused = true)]
async fn a_call_that_cannot_be_answered_in_time_is_refused_with_the_remedy() {
    let (layer, key, _) = limited(&LimitsConfig::default());
    let guard = layer.layer(tower::service_fn(|_: Request<Body>| {
        std::future::pending::<std::result::Result<Response<Body>, Infallible>>()
    }));
    let mut request = request(&key);
    let headers = request.headers_mut();
    headers.insert("grpc-timeout", HeaderValue::from_static("10S"));
    let began = tokio::time::Instant::now();
    let refused = guard.oneshot(request).await;
    let refused = refused.unwrap_or_else(|never| match never {});
    let status = Status::from_header_map(refused.headers()).expect("a status");
    assert_eq!(status.code(), Code::Unavailable);
    let details = tonic_types::StatusExt::get_details_error_info(&status).expect("a reason");
    assert_eq!(details.reason, "STORE_UNAVAILABLE");
    assert_eq!(began.elapsed().as_millis(), 9900);
}
