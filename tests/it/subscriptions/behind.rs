//! Members that are slow, and retention that is faster than they are.

use std::time::Duration;

use parloir_client::{Item, v1::WhenParked};

use super::stage::{Member, create, policy, say, standing, text};
use crate::support::{
    questions::metric,
    server::{TestServer, Wishes},
};

const LABELS: &str = r#"{tenant="default",subscription="crm"}"#;

/// With a memory of the newest events that is soon full.
async fn forgetful() -> TestServer {
    TestServer::start_with(Wishes {
        top: "log.sweep_interval = \"10ms\"\nstream.ring_events = 16",
        ..Wishes::default()
    })
    .await
}

async fn caught_up(member: &mut Member) {
    while !matches!(member.item().await, Ok(Item::CaughtUp(_))) {}
}

#[tokio::test]
async fn a_slow_member_is_told_that_it_fell_behind_and_when_it_is_level_again() {
    let server = forgetful().await;
    create(&server.client, policy(5, WhenParked::Release)).await;
    let mut member = Member::with(&server.client, "m", 1);
    caught_up(&mut member).await;
    for number in 0..40 {
        say(&server, &format!("C-{number}"), &["hello"]).await;
    }
    let mut told = Vec::new();
    let mut handled = 0;
    loop {
        match member.item().await.expect("an open stream") {
            Item::Event(event) => {
                member.done(&event).await;
                handled += 1;
            }
            Item::FellBehind(_) => told.push(("fell behind", handled)),
            Item::CaughtUp(_) => {
                told.push(("caught up", handled));
                break;
            }
            _ => {}
        }
    }
    let (first, last) = (told[0], told[told.len() - 1]);
    assert!(first.0 == "fell behind" && first.1 < 40, "{told:?}");
    assert_eq!(last, ("caught up", 40));
}

#[tokio::test]
async fn before_retention_overtakes_a_subscription_there_is_an_alarm_and_afterwards_a_gap() {
    let server = forgetful().await;
    create(&server.client, policy(5, WhenParked::Release)).await;
    say(&server, "C", &["one", "two", "three"]).await;
    let at_risk = format!("parloir_subscription_at_risk{LABELS}");
    metric(&server, &format!("{at_risk} 0")).await;
    // Within two days of the 30 that events stay.
    server.clock.advance(Duration::from_hours(28 * 24 + 1));
    metric(&server, &format!("{at_risk} 1")).await;
    let before = standing(&server.client).await;
    let lag = before.lag.expect("figures");
    assert!(lag.log_events >= 3, "{lag:?}");
    assert!(
        lag.oldest_undone_age
            .is_some_and(|age| age.seconds > 28 * 24 * 3600)
    );
    server.clock.advance(Duration::from_hours(3 * 24));
    for _ in 0..32 {
        say(&server, "C", &["four"]).await;
    }
    metric(&server, "parloir_events_removed_total 3").await;
    let mut member = Member::join(&server.client, "m");
    let gap = loop {
        match member.item().await.expect("an open stream") {
            Item::Gap(gap) => break gap,
            Item::Event(event) => panic!("no gap but {}", text(&event)),
            _ => {}
        }
    };
    assert_ne!(gap.asked_cursor, gap.resumed_cursor);
    for _ in 0..32 {
        let event = member.hears("four").await;
        assert_eq!(event.attempt, 1);
        member.done(&event).await;
    }
    let gaps = format!("parloir_subscription_gaps_total{LABELS} 1");
    metric(&server, &gaps).await;
    metric(&server, &format!("{at_risk} 0")).await;
}
