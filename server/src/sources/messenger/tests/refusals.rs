//! Checks FB-22 to FB-25, and the rest of the contract's table of errors.

use std::time::Duration;

use serde_json::json;

use super::{
    super::address::Address,
    fake::{INBOX, SOCIAL_CONNECT, TOKEN},
    fake_server::Behaviour,
    fixture::{Fixture, said},
};
use crate::domain::{
    outbound::{Refusal, Sent},
    ports::Source,
    source::NotRead,
};

fn error(status: u16, code: i64, subcode: i64) -> Behaviour {
    let error = json!({ "message": "my words", "code": code, "error_subcode": subcode });
    Behaviour::answer(status, &json!({ "error": error }).to_string())
}

fn refusal(sent: &Sent) -> Refusal {
    let Sent::Refused { refusal, detail } = sent else {
        panic!("{sent:?}");
    };
    assert!(!detail.is_empty() && detail.len() <= 512);
    assert!(
        !detail.contains("my words") && !detail.contains(TOKEN),
        "{detail}"
    );
    *refusal
}

#[tokio::test]
async fn fb_22_a_visitor_of_another_app_is_not_ours_and_control_is_not_taken() {
    let fixture = Fixture::new().await;
    fixture.says("ana", "m_1");
    fixture.fake.takes("ana", INBOX);
    let sent = fixture.deliver("ana", &said("hello")).await;
    assert_eq!(refusal(&sent), Refusal::NotOwner);
    assert_eq!(fixture.fake.calls().len(), 1);
    assert_eq!(fixture.fake.owner("ana").as_deref(), Some(INBOX));
}

#[tokio::test]
async fn fb_23_a_window_that_is_closed_is_told_as_that_and_nothing_is_repeated() {
    let fixture = Fixture::new().await;
    fixture.says("ana", "m_1");
    fixture.pass_time(Duration::from_hours(25));
    let sent = fixture.deliver("ana", &said("hello")).await;
    assert_eq!(refusal(&sent), Refusal::WindowClosed);
    assert_eq!(fixture.fake.calls().len(), 1);
}

#[tokio::test]
async fn fb_24_a_visitor_who_is_written_to_too_fast_waits_and_others_do_not() {
    let fixture = Fixture::new().await;
    fixture.fake.limit("ana", true);
    let minutes = |minutes| Sent::NotNow {
        after: Some(Duration::from_mins(minutes)),
    };
    assert_eq!(fixture.answers("ana").await, minutes(1));
    // Until then nothing is thrown at the platform, and it is told what is left.
    fixture.pass_time(Duration::from_secs(15));
    let left = Duration::from_secs(45);
    let sent = fixture.deliver("ana", &said("hello")).await;
    assert_eq!(sent, Sent::NotNow { after: Some(left) });
    assert_eq!(fixture.fake.calls().len(), 1);
    let other = fixture.answers("ben").await;
    assert!(matches!(other, Sent::AcknowledgedAs { .. }), "{other:?}");

    for (elapsed, next) in [
        (1, 2),
        (2, 4),
        (4, 8),
        (8, 16),
        (16, 32),
        (32, 60),
        (60, 60),
    ] {
        fixture.pass_time(Duration::from_mins(elapsed));
        let sent = fixture.deliver("ana", &said("hello")).await;
        assert_eq!(sent, minutes(next), "after {elapsed} minutes");
    }
    fixture.fake.limit("ana", false);
    fixture.pass_time(Duration::from_hours(1));
    let sent = fixture.deliver("ana", &said("hello")).await;
    assert!(matches!(sent, Sent::AcknowledgedAs { .. }), "{sent:?}");
    fixture.fake.limit("ana", true);
    assert_eq!(fixture.deliver("ana", &said("more")).await, minutes(1));
}

#[tokio::test]
async fn fb_25_a_refused_token_is_not_shown_again_and_the_next_one_counts_at_once() {
    let fixture = Fixture::new().await;
    fixture.says("ana", "m_1");
    fixture.says("ben", "m_2");
    fixture.fake.accept_token("another-5ecret");
    let sent = fixture.deliver("ana", &said("hello")).await;
    assert_eq!(refusal(&sent), Refusal::Credentials);
    // Nothing about the page leaves, whoever it is for and whatever it is.
    let sent = fixture.deliver("ben", &said("hello")).await;
    assert_eq!(refusal(&sent), Refusal::Credentials);
    let sent = fixture.source.resume(&Address::write("ben"), "").await;
    assert_eq!(refusal(&sent), Refusal::Credentials);
    let read = fixture.source.read_owner(&Address::write("ben")).await;
    assert!(matches!(read, Err(NotRead::Refused { .. })), "{read:?}");
    let calls = fixture.fake.calls();
    let called: Vec<_> = calls.iter().map(|call| call.psid.as_str()).collect();
    assert_eq!(called, ["ana"]);

    fixture.replace_token("another-5ecret");
    let sent = fixture.deliver("ana", &said("hello")).await;
    assert!(matches!(sent, Sent::AcknowledgedAs { .. }), "{sent:?}");
}

#[tokio::test]
async fn codes_and_subcodes_decide_as_the_contract_says() {
    let fixture = Fixture::new().await;
    fixture.says("ana", "m_1");
    for (code, subcode, expected) in [
        (10, 2_018_300, Refusal::NotOwner),
        (2_018_300, 0, Refusal::NotOwner),
        (100, 2_534_037, Refusal::NotOwner),
        (10, 2_018_278, Refusal::WindowClosed),
        (10, 2_534_022, Refusal::WindowClosed),
        (10, 2_018_065, Refusal::WindowClosed),
        (10, 2_018_108, Refusal::Unreachable),
        (551, 0, Refusal::Unreachable),
        (551, 1_545_041, Refusal::Unreachable),
        (200, 1_545_041, Refusal::Unreachable),
        (100, 2_018_001, Refusal::Unreachable),
        (100, 33, Refusal::Unreachable),
        (100, 2_018_164, Refusal::Request),
        (100, 2_018_014, Refusal::Request),
        (2_018_171, 0, Refusal::Request),
        (100, 2_018_234, Refusal::Request),
        (200, 2_018_028, Refusal::Credentials),
        (10, 0, Refusal::Credentials),
        (987, 654, Refusal::Request),
    ] {
        fixture.server.next(error(400, code, subcode));
        let sent = fixture.deliver("ana", &said("hello")).await;
        assert_eq!(refusal(&sent), expected, "{code}/{subcode}");
        let Sent::Refused { detail, .. } = sent else {
            continue;
        };
        let numbers = format!("code {code}, subcode {subcode}");
        assert!(detail.contains(&numbers), "{detail}");
    }
}

#[tokio::test]
async fn what_may_have_been_processed_is_unclear_and_what_came_too_fast_was_not() {
    for (status, code, subcode) in [
        (500, 1, 0),
        (400, 2, 0),
        (503, 2, 0),
        (503, 0, 0),
        (408, 0, 0),
    ] {
        let fixture = Fixture::new().await;
        fixture.says("ana", "m_1");
        fixture.server.next(error(status, code, subcode));
        let sent = fixture.deliver("ana", &said("hello")).await;
        assert_eq!(sent, Sent::Unclear, "{status} {code}");
    }
    for (status, code, subcode) in [
        (400, 4, 0),
        (400, 613, 2_534_040),
        (400, 613, 2_018_338),
        (400, 2_018_321, 0),
        (400, 10, 2_018_321),
        (429, 0, 0),
    ] {
        let fixture = Fixture::new().await;
        fixture.says("ana", "m_1");
        fixture.server.next(error(status, code, subcode));
        let sent = fixture.deliver("ana", &said("hello")).await;
        let after = Some(Duration::from_mins(1));
        assert_eq!(sent, Sent::NotNow { after }, "{code}/{subcode}");
    }
}

#[tokio::test]
async fn without_a_code_the_status_decides_and_a_success_needs_no_body() {
    let fixture = Fixture::new().await;
    fixture.says("ana", "m_1");
    for (status, expected) in [
        (400, Refusal::Request),
        (401, Refusal::Credentials),
        (403, Refusal::Credentials),
        (404, Refusal::Request),
    ] {
        fixture.server.next(Behaviour::answer(status, "<html>"));
        let sent = fixture.deliver("ana", &said("hello")).await;
        assert_eq!(refusal(&sent), expected, "{status}");
    }
    for taken in [Behaviour::answer(200, ""), Behaviour::Truncated(200)] {
        fixture.server.next(taken);
        let sent = fixture.deliver("ana", &said("hello")).await;
        assert_eq!(sent, Sent::Acknowledged);
    }
    fixture.server.next(error(200, 10, 2_018_300));
    let sent = fixture.deliver("ana", &said("hello")).await;
    assert_eq!(
        refusal(&sent),
        Refusal::NotOwner,
        "a success that holds an error is none"
    );
    fixture
        .server
        .next(Behaviour::answer(302, "").with_header("location", "http://127.0.0.1:9/"));
    assert_eq!(fixture.deliver("ana", &said("hello")).await, Sent::Unclear);
}

#[tokio::test]
async fn a_visitor_who_blocked_the_page_or_was_never_there_is_unreachable() {
    let fixture = Fixture::new().await;
    fixture.fake.block("ana");
    assert_eq!(refusal(&fixture.answers("ana").await), Refusal::Unreachable);
    let sent = fixture.deliver("nobody", &said("hello")).await;
    assert_eq!(refusal(&sent), Refusal::Unreachable);
}

#[tokio::test]
async fn a_step_of_control_that_did_not_succeed_or_is_unclear_is_told_as_that() {
    let fixture = Fixture::new().await;
    fixture.fake.passes("ana", SOCIAL_CONNECT);
    let resume = async || fixture.source.resume(&Address::write("ana"), "").await;
    fixture
        .server
        .next(Behaviour::answer(200, "{\"success\":false}"));
    assert_eq!(refusal(&resume().await), Refusal::Request);
    fixture.server.next(Behaviour::CloseBeforeAnswer);
    assert_eq!(resume().await, Sent::Unclear);
    fixture.server.next(error(400, 613, 0));
    let after = Some(Duration::from_mins(1));
    assert_eq!(resume().await, Sent::NotNow { after });
}
