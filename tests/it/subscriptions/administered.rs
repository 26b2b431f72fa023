//! Administrators see, change, move and delete, and it is recorded.

use parloir_client::{
    Code,
    v1::{
        DeleteSubscriptionRequest, GetSubscriptionRequest, ListAuditEntriesRequest,
        ListSubscriptionsRequest, MoveSubscriptionRequest, StartPosition, SubscriptionPolicy,
        UpdateSubscriptionRequest, WhenParked, audit_entry::Outcome, move_subscription_request::To,
    },
};

use super::stage::{Member, NAME, create, policy, say, standing};
use crate::support::{questions::metric, server::TestServer};

#[tokio::test]
async fn every_act_counts_and_is_recorded() {
    let server = TestServer::start().await;
    let client = &server.client;
    create(client, policy(5, WhenParked::Release)).await;
    let listed = client
        .list_subscriptions(ListSubscriptionsRequest::default())
        .await;
    let listed = listed.expect("a list").subscriptions;
    assert_eq!(listed.len(), 1);
    let update = |etag: &str| UpdateSubscriptionRequest {
        name: NAME.to_owned(),
        policy: Some(SubscriptionPolicy {
            max_attempts: 9,
            ..SubscriptionPolicy::default()
        }),
        etag: etag.to_owned(),
    };
    let changed = client.update_subscription(update(&listed[0].etag)).await;
    let changed = changed.expect("changed").subscription.expect("it");
    assert_eq!(changed.policy.map(|policy| policy.max_attempts), Some(9));
    let refused = client.update_subscription(update(&listed[0].etag)).await;
    assert_eq!(refused.expect_err("it moved").code(), Code::Aborted);

    say(&server, "C", &["one"]).await;
    let mut member = Member::join(client, "m").started().await;
    let one = member.hears("one").await;
    member.done(&one).await;
    let back = MoveSubscriptionRequest {
        name: NAME.to_owned(),
        to: Some(To::Position(StartPosition::Earliest.into())),
    };
    client.move_subscription(back).await.expect("moved");
    let again = member.hears("one").await;
    assert_eq!(again.attempt, 1);
    assert!(
        standing(client)
            .await
            .lag
            .is_some_and(|lag| lag.in_flight == 1)
    );

    let delete = DeleteSubscriptionRequest {
        name: NAME.to_owned(),
        ..DeleteSubscriptionRequest::default()
    };
    client.delete_subscription(delete).await.expect("deleted");
    let ended = loop {
        match member.item().await {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(ended.code(), Code::NotFound);
    let get = GetSubscriptionRequest {
        name: NAME.to_owned(),
    };
    let gone = client.get_subscription(get).await.expect_err("gone");
    assert_eq!(gone.reason(), Some("SUBSCRIPTION_NOT_FOUND"));

    let entries = client.list_audit_entries(ListAuditEntriesRequest {
        target: format!("subscriptions/{NAME}"),
        ..ListAuditEntriesRequest::default()
    });
    let entries = entries.await.expect("entries").entries;
    let acts: Vec<_> = entries
        .iter()
        .rev()
        .map(|entry| (entry.action.as_str(), entry.outcome()))
        .collect();
    let expected = [
        ("CreateSubscription", Outcome::Done),
        ("UpdateSubscription", Outcome::Done),
        ("UpdateSubscription", Outcome::Refused),
        ("MoveSubscription", Outcome::Done),
        ("DeleteSubscription", Outcome::Done),
    ];
    assert_eq!(acts, expected);
}

#[tokio::test]
async fn lag_and_what_is_parked_are_measured() {
    let server = TestServer::start_with(crate::support::server::Wishes {
        top: r#"log.sweep_interval = "1s""#,
        ..Default::default()
    })
    .await;
    create(&server.client, policy(5, WhenParked::Release)).await;
    say(&server, "C", &["one"]).await;
    let mut member = Member::join(&server.client, "m").started().await;
    let one = member.hears("one").await;
    member.says(&one, parloir_client::Outcome::Park).await;
    let labels = r#"{tenant="default",subscription="crm"}"#;
    metric(&server, &format!("parloir_subscription_parked{labels} 1")).await;
    metric(
        &server,
        &format!("parloir_subscription_lag_events{labels} 0"),
    )
    .await;
    metric(&server, &format!("parloir_subscription_at_risk{labels} 0")).await;
}
