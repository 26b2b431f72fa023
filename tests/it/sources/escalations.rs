//! The agent wants a human: what the source makes of it, and callers before it.

use parloir::simulate::social_connect::{Call, Failure};
use parloir_client::v1::{
    DeliveryState, Disposition, EscalationDecision, Owner, RequestOutcome,
    respond_to_agent_request::Answer,
};

use super::{counter::Counter, desk::Desk};
use crate::support::{
    questions::{ask, disposition, escalation_requested, reply, request_closed, respond},
    server::Wishes,
    webhook::{escalate, says},
};

#[tokio::test]
async fn a_source_that_refuses_lets_the_agent_go_on() {
    let mut counter = Counter::start(Desk::start("handover").await, "", "").await;
    let conversation = counter.asks("ask 1").await;
    let refused = Failure::error(403, "no_permission");
    counter.desk.platform.fail_next(Call::HandOver, refused);
    let status = counter.escalates(&conversation).await;
    assert!(status >= 400, "{status}");
    let failed = counter
        .story
        .comes_to("escalation", DeliveryState::Failed)
        .await;
    assert_eq!(failed.reason, "SOURCE_CREDENTIALS_REJECTED");
    counter.answers(&conversation, "Nobody is free.").await;
    counter.asks("ask 2").await;
    assert_eq!(counter.heard(), ["ask 1", "ask 2"]);
}

#[tokio::test]
async fn a_source_that_answers_too_late_hands_over_all_the_same_and_the_fallback_is_not_said() {
    let wishes = Wishes {
        agent: r#"escalation_time_limit = "300ms""#,
        ..Wishes::default()
    };
    let general = r#"send_timeout = "1s""#;
    let desk = Desk::start("handover").await;
    let mut counter = Counter::start_with(desk, general, "", wishes).await;
    let conversation = counter.asks("ask 1").await;
    counter
        .desk
        .platform
        .fail_next(Call::HandOver, Failure::silent(true));
    let status = counter.escalates(&conversation).await;
    assert!(status >= 400, "{status}");
    counter
        .server
        .taken(&says(&conversation, "Nobody is free."))
        .await;
    counter.story.owner_changes_to(Owner::Human).await;
    counter
        .story
        .comes_to("Nobody is free.", DeliveryState::Superseded)
        .await;
    counter.desk.human_owns(true).await;
    assert!(!counter.desk.calls().contains(&Call::Publish));
}

#[tokio::test]
async fn a_caller_who_answers_first_wins_and_the_source_is_not_asked_again() {
    let mut counter = Counter::start(Desk::start("handover").await, "", "").await;
    let conversation = counter.asks("ask 1").await;
    let mut events = counter.server.events();
    counter
        .desk
        .platform
        .fail_next(Call::HandOver, Failure::error(503, "busy"));
    let asked = ask(&counter.server, &escalate(&conversation));
    let request = escalation_requested(&mut events).await;
    counter
        .story
        .comes_to("escalation", DeliveryState::Queued)
        .await;
    let no = Answer::Escalation(EscalationDecision { accepted: false });
    let said = respond(&counter.server, &request, "desk", no).await;
    assert_eq!(disposition(&said), Disposition::Accepted);
    assert!(reply(asked).await.status >= 400);
    counter
        .story
        .comes_to("escalation", DeliveryState::Superseded)
        .await;
    counter.asks("ask 2").await;
    assert_eq!(counter.desk.platform.platform().count(Call::HandOver), 1);
    counter.desk.human_owns(false).await;
}

#[tokio::test]
async fn a_source_that_answers_first_wins_and_the_caller_learns_that_it_lost() {
    let mut counter = Counter::start(Desk::start("handover").await, "", "").await;
    let conversation = counter.asks("ask 1").await;
    assert_eq!(counter.escalates(&conversation).await, 200);
    let mut events = counter.server.events();
    let closed = request_closed(&mut events).await;
    assert_eq!(closed.outcome(), RequestOutcome::Answered);
    assert_eq!(closed.answered_by, "source:desk");
    let no = Answer::Escalation(EscalationDecision { accepted: false });
    let said = respond(&counter.server, &closed.request_id, "desk", no).await;
    assert_eq!(disposition(&said), Disposition::Lost);
    counter.desk.says("ask 2").await;
    counter.story.holds("ask 2").await;
}

#[tokio::test]
async fn a_source_that_is_down_for_too_long_lets_what_waits_fail() {
    let general = r#"max_queue_age = "400ms""#;
    let mut counter = Counter::start(Desk::start("tag").await, general, "").await;
    let conversation = counter.asks("ask 1").await;
    for _ in 0..20 {
        counter
            .desk
            .platform
            .fail_next(Call::Publish, Failure::error(503, "busy"));
    }
    counter.server.taken(&says(&conversation, "answer 1")).await;
    let failed = counter
        .story
        .comes_to("answer 1", DeliveryState::Failed)
        .await;
    assert_eq!(failed.reason, "QUEUED_TOO_LONG");
    assert_eq!(counter.desk.lines().len(), 1);
}

#[tokio::test]
async fn what_the_agent_said_before_a_handover_is_not_delivered_after_it() {
    let mut counter = Counter::start(Desk::start("tag").await, "", "").await;
    let conversation = counter.asks("ask 1").await;
    counter
        .desk
        .platform
        .fail_next(Call::Publish, Failure::error(503, "busy"));
    counter.server.taken(&says(&conversation, "answer 1")).await;
    counter
        .story
        .comes_to("answer 1", DeliveryState::Queued)
        .await;
    counter.transfer(&conversation, "take", Owner::Human).await;
    counter
        .story
        .comes_to("answer 1", DeliveryState::Superseded)
        .await;
    counter.desk.human_owns(true).await;
    assert_eq!(counter.desk.platform.platform().count(Call::Publish), 1);
    assert_eq!(counter.desk.lines().len(), 1);
}

#[tokio::test]
async fn where_callers_take_escalations_the_source_is_told_what_they_decide() {
    let general = r#"escalations = "callers""#;
    let mut counter = Counter::start(Desk::start("tag").await, general, "").await;
    let conversation = counter.asks("ask 1").await;
    let mut events = counter.server.events();
    let asked = ask(&counter.server, &escalate(&conversation));
    let request = escalation_requested(&mut events).await;
    assert_eq!(counter.desk.calls(), []);
    let yes = Answer::Escalation(EscalationDecision { accepted: true });
    let said = respond(&counter.server, &request, "desk", yes).await;
    assert_eq!(disposition(&said), Disposition::Accepted);
    assert_eq!(reply(asked).await.status, 200);
    counter.desk.human_owns(true).await;
    assert_eq!(counter.desk.calls(), [Call::EditContact]);
}

#[tokio::test]
async fn a_handover_whose_outcome_stays_unknown_leaves_the_owner_to_be_read() {
    let general = "send_timeout = \"100ms\"\nmax_queue_age = \"400ms\"";
    let mut counter = Counter::start(Desk::start("handover").await, general, "").await;
    let conversation = counter.asks("ask 1").await;
    for _ in 0..20 {
        counter
            .desk
            .platform
            .fail_next(Call::HandOver, Failure::silent(true));
    }
    let status = counter.escalates(&conversation).await;
    assert!(status >= 400, "{status}");
    counter
        .story
        .comes_to("escalation", DeliveryState::Unknown)
        .await;
    counter.desk.human_owns(true).await;
    counter
        .server
        .taken(&says(&conversation, "Nobody is free."))
        .await;
    counter.story.owner_changes_to(Owner::Human).await;
    counter.desk.says("ask 2").await;
    counter.story.holds("ask 2").await;
    assert!(!counter.desk.calls().contains(&Call::Publish));
}
