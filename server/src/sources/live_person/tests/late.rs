//! Messages for which no call waits, and calls that `LivePerson` gives up.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::platform::{FALLBACK, FakeLivePerson, words};
use crate::domain::outbound::Sent;

fn waits(sent: &Sent) -> bool {
    *sent
        == Sent::NotNow {
            after: Some(Duration::from_secs(1)),
        }
}

#[tokio::test(start_paused = true)]
async fn a_late_message_waits_and_goes_out_ahead_of_the_next_answer() {
    let live = FakeLivePerson::new();
    assert!(waits(&live.deliver("c1", "late").await));
    let call = live.hears("c1", "hello?");
    assert_eq!(live.deliver("c1", "late").await, Sent::Acknowledged);
    // The agent needs longer than an answer is gathered for: what is late is not its answer.
    sleep(Duration::from_secs(3)).await;
    assert!(call.is_waiting());
    assert_eq!(live.deliver("c1", "Hello!").await, Sent::Acknowledged);
    assert_eq!(words(&call.answer().await), ["late", "Hello!"]);
}

#[tokio::test(start_paused = true)]
async fn what_follows_a_late_message_at_once_may_be_late_too() {
    let live = FakeLivePerson::new();
    assert!(waits(&live.deliver("c1", "late").await));
    let call = live.hears("c1", "hello?");
    for text in ["late", "later"] {
        assert_eq!(live.deliver("c1", text).await, Sent::Acknowledged);
    }
    sleep(Duration::from_secs(3)).await;
    assert_eq!(live.deliver("c1", "Hello!").await, Sent::Acknowledged);
    assert_eq!(words(&call.answer().await), ["late", "later", "Hello!"]);

    // Or it was the answer: then the wait is a short one.
    assert!(waits(&live.deliver("c1", "late").await));
    let call = live.hears("c1", "hello?");
    for text in ["late", "Hello!"] {
        assert_eq!(live.deliver("c1", text).await, Sent::Acknowledged);
    }
    let begun = Instant::now();
    assert_eq!(words(&call.answer().await), ["late", "Hello!"]);
    assert!(begun.elapsed() < Duration::from_secs(6));
}

#[tokio::test(start_paused = true)]
async fn late_messages_alone_are_no_answer() {
    let live = FakeLivePerson::new();
    assert!(waits(&live.deliver("c1", "late").await));
    let call = live.hears("c1", "hello?");
    assert_eq!(live.deliver("c1", "late").await, Sent::Acknowledged);
    assert_eq!(words(&call.answer().await), ["late", FALLBACK]);
}

#[tokio::test(start_paused = true)]
async fn once_the_answer_is_complete_the_next_message_is_late() {
    let live = FakeLivePerson::new();
    let call = live.hears("c1", "hello");
    assert_eq!(live.deliver("c1", "Hello!").await, Sent::Acknowledged);
    assert_eq!(words(&call.answer().await), ["Hello!"]);
    assert!(waits(&live.deliver("c1", "and more").await));
}

#[tokio::test(start_paused = true)]
async fn what_was_taken_when_liveperson_hangs_up_goes_out_with_the_next_answer() {
    let live = FakeLivePerson::new();
    let call = live.hears("c1", "hello");
    assert_eq!(live.deliver("c1", "taken").await, Sent::Acknowledged);
    call.hang_up().await;
    assert!(
        waits(&live.deliver("c1", "not taken").await),
        "nobody waits"
    );
    let next = live.hears("c1", "are you there?");
    assert_eq!(live.deliver("c1", "I am.").await, Sent::Acknowledged);
    assert_eq!(words(&next.answer().await), ["taken", "I am."]);
}

#[tokio::test(start_paused = true)]
async fn two_calls_that_are_given_up_leave_what_both_held() {
    let live = FakeLivePerson::set(|config, _| config.gather = Duration::from_millis(700));
    let first = live.hears("c1", "hello");
    assert_eq!(live.deliver("c1", "one").await, Sent::Acknowledged);
    first.hang_up().await;
    let second = live.hears("c1", "hello?");
    assert_eq!(live.deliver("c1", "two").await, Sent::Acknowledged);
    second.hang_up().await;
    let third = live.hears("c1", "hello??");
    assert_eq!(live.deliver("c1", "three").await, Sent::Acknowledged);
    assert_eq!(words(&third.answer().await), ["one", "two", "three"]);
}
