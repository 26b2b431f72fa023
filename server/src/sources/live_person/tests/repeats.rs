//! A call that `LivePerson` makes again, because it saw no answer.

use std::time::Duration;

use super::platform::{Call, FALLBACK, FakeLivePerson, address, says, words};
use crate::domain::{outbound::Sent, ports::Source, source::Taken};

impl FakeLivePerson {
    fn again(&self, sequence: u64) -> Call {
        Call::taken(
            self.numbered("c1", sequence, says("hello")),
            Taken::Duplicate,
        )
    }
}

#[tokio::test(start_paused = true)]
async fn lp_09_the_same_sequence_again_gets_the_same_stored_answer() {
    let live = FakeLivePerson::new();
    let first = Call::of(live.numbered("c1", 3, says("hello")));
    assert_eq!(live.deliver("c1", "Hello!").await, Sent::Acknowledged);
    let first_id = first.event.event_id.clone();
    let answer = first.reply().await;
    let again = live.again(3);
    assert_eq!(again.event.event_id, first_id, "it is known as a repeat");
    let again = again.reply().await;
    assert_eq!(again, answer, "to the byte");
    // And it takes nothing that is meant for another.
    let next = Call::of(live.numbered("c1", 4, says("hello")));
    let repeat = live.again(3);
    assert_eq!(live.deliver("c1", "for the next").await, Sent::Acknowledged);
    assert_eq!(words(&repeat.answer().await), ["Hello!"]);
    assert_eq!(words(&next.answer().await), ["for the next"]);
}

#[tokio::test(start_paused = true)]
async fn lp_09_a_repeat_joins_the_call_that_still_waits() {
    let live = FakeLivePerson::new();
    let first = Call::of(live.numbered("c1", 3, says("hello")));
    let again = live.again(3);
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert!(first.is_waiting() && again.is_waiting());
    assert_eq!(live.deliver("c1", "Hello!").await, Sent::Acknowledged);
    assert_eq!(words(&first.answer().await), ["Hello!"]);
    assert_eq!(words(&again.answer().await), ["Hello!"]);
}

#[tokio::test(start_paused = true)]
async fn lp_09_a_repeat_takes_over_when_the_first_call_is_gone() {
    let live = FakeLivePerson::new();
    let first = Call::of(live.numbered("c1", 3, says("hello")));
    let again = live.again(3);
    tokio::time::sleep(Duration::from_secs(1)).await;
    first.hang_up().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(again.is_waiting());
    assert_eq!(live.deliver("c1", "Hello!").await, Sent::Acknowledged);
    assert_eq!(words(&again.answer().await), ["Hello!"]);
}

#[tokio::test(start_paused = true)]
async fn lp_09_what_the_first_call_had_taken_is_the_repeats_answer() {
    let live = FakeLivePerson::new();
    let first = Call::of(live.numbered("c1", 3, says("hello")));
    assert_eq!(live.deliver("c1", "Hello!").await, Sent::Acknowledged);
    first.hang_up().await;
    let begun = tokio::time::Instant::now();
    assert_eq!(words(&live.again(3).answer().await), ["Hello!"]);
    assert!(
        begun.elapsed() < Duration::from_secs(1),
        "it is no late one"
    );
}

#[tokio::test(start_paused = true)]
async fn a_repeat_without_a_stored_answer_collects_what_is_still_undelivered() {
    // As after a restart.
    let live = FakeLivePerson::new();
    let again = live.again(3);
    assert_eq!(live.deliver("c1", "Hello!").await, Sent::Acknowledged);
    assert_eq!(words(&again.answer().await), ["Hello!"]);
}

#[tokio::test(start_paused = true)]
async fn stored_answers_are_few_and_not_kept_for_ever() {
    let live = FakeLivePerson::set(|config, _| {
        config.stored_answers = 2;
        config.stored_for = Duration::from_mins(10);
    });
    for sequence in 1..=3 {
        let call = Call::of(live.numbered("c1", sequence, says("hello")));
        let text = format!("answer {sequence}");
        assert_eq!(live.deliver("c1", &text).await, Sent::Acknowledged);
        assert_eq!(words(&call.answer().await), [text.as_str()]);
    }
    assert_eq!(words(&live.again(3).answer().await), ["answer 3"]);
    assert_eq!(words(&live.again(2).answer().await), ["answer 2"]);
    assert_eq!(
        words(&live.again(1).answer().await),
        [FALLBACK],
        "forgotten"
    );
    tokio::time::advance(Duration::from_mins(10)).await;
    assert_eq!(words(&live.again(3).answer().await), [FALLBACK], "too old");
}

#[tokio::test(start_paused = true)]
async fn what_is_erased_is_in_no_answer_that_comes_later() {
    let live = FakeLivePerson::new();
    let first = Call::of(live.numbered("c1", 3, says("hello")));
    let other = Call::of(live.numbered("c2", 4, says("hello")));
    for conversation in ["c1", "c2"] {
        assert_eq!(
            live.deliver(conversation, "Hello!").await,
            Sent::Acknowledged
        );
    }
    assert_eq!(words(&first.answer().await), ["Hello!"]);
    assert_eq!(words(&other.answer().await), ["Hello!"]);
    // One answer waits to be fetched, one was never written.
    let waits = Call::of(live.numbered("c1", 5, says("hello")));
    assert_eq!(live.deliver("c1", "Still here!").await, Sent::Acknowledged);
    live.source.forget(&address("c1"));
    assert_eq!(words(&waits.answer().await), [""; 0]);
    assert_eq!(words(&live.again(3).answer().await), [FALLBACK]);
    let other = Call::taken(live.numbered("c2", 4, says("hello")), Taken::Duplicate);
    assert_eq!(words(&other.answer().await), ["Hello!"], "another visitor");
    let hung_up = Call::of(live.numbered("c1", 6, says("hello")));
    assert_eq!(live.deliver("c1", "Anybody?").await, Sent::Acknowledged);
    hung_up.hang_up().await;
    live.source.forget(&address("c1"));
    assert_eq!(words(&live.again(6).answer().await), [FALLBACK]);
}
