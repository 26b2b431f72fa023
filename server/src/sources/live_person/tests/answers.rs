//! The answer of a call is what is delivered while it waits.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::platform::{Call, FALLBACK, FakeLivePerson, address, says, words};
use crate::{
    domain::{
        outbound::{Refusal, Sent},
        ports::Source,
        source::{Author, Item, ItemBody, SourceBody, Words},
    },
    sources::conformance::offer,
};

#[tokio::test(start_paused = true)]
async fn lp_07_words_are_answered_by_what_the_agent_says() {
    let live = FakeLivePerson::new();
    let call = live.hears("c1", "bonjour");
    assert_eq!(live.deliver("c1", "Bonjour !").await, Sent::Acknowledged);
    let answer = call.answer().await;
    let expected = json!({ "type": "TEXT", "data": { "message": "Bonjour !" } });
    assert_eq!(answer, [expected]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_before_the_commit_is_told_is_not_missed() {
    let live = FakeLivePerson::new();
    let received = live.next("c1", says("hello"));
    assert_eq!(live.deliver("c1", "fast").await, Sent::Acknowledged);
    assert_eq!(words(&Call::of(received).answer().await), ["fast"]);
}

#[tokio::test(start_paused = true)]
async fn messages_that_follow_each_other_closely_are_one_answer() {
    let live = FakeLivePerson::set(|config, _| config.gather = Duration::from_millis(700));
    let call = live.hears("c1", "hello");
    for text in ["one", "two", "three"] {
        // Less than it is gathered for after each of them, though more in all.
        tokio::time::advance(Duration::from_millis(600)).await;
        assert_eq!(live.deliver("c1", text).await, Sent::Acknowledged);
    }
    let after_the_last = Instant::now();
    assert_eq!(words(&call.answer().await), ["one", "two", "three"]);
    assert_eq!(after_the_last.elapsed().as_millis() / 10, 70);
}

#[tokio::test(start_paused = true)]
async fn lp_10_an_agent_that_is_too_slow_is_answered_for_before_liveperson_gives_up() {
    let live = FakeLivePerson::new();
    let begun = Instant::now();
    let call = live.hears("c1", "hello");
    assert_eq!(words(&call.answer().await), [FALLBACK]);
    assert!(begun.elapsed() >= Duration::from_secs(50));
    assert!(begun.elapsed() < Duration::from_secs(55));
}

#[tokio::test(start_paused = true)]
async fn lp_10_however_much_the_agent_says_the_limit_holds() {
    let live = FakeLivePerson::set(|config, _| config.gather = Duration::from_secs(10));
    let begun = Instant::now();
    let call = live.hears("c1", "hello");
    while call.is_waiting() {
        let _ = live.deliver("c1", "and another thing").await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert!(begun.elapsed() < Duration::from_secs(55));
    assert!(call.answer().await.len() >= 49);
}

#[tokio::test(start_paused = true)]
async fn without_a_fallback_text_the_answer_is_empty() {
    let live = FakeLivePerson::set(|config, _| config.fallback_text = String::new());
    assert!(live.hears("c1", "hello").answer().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_call_that_has_waited_longest_is_answered_first() {
    let live = FakeLivePerson::new();
    let first = live.hears("c1", "hello");
    let second = live.hears("c1", "are you there?");
    let other = live.hears("c2", "hello");
    assert_eq!(live.deliver("c1", "Hello!").await, Sent::Acknowledged);
    assert_eq!(words(&first.answer().await), ["Hello!"]);
    assert!(second.is_waiting() && other.is_waiting());
    assert_eq!(live.deliver("c1", "I am.").await, Sent::Acknowledged);
    assert_eq!(words(&second.answer().await), ["I am."]);
}

#[tokio::test(start_paused = true)]
async fn one_answer_to_two_calls_leaves_the_second_empty_and_without_fallback() {
    let live = FakeLivePerson::new();
    let first = live.hears("c1", "hello");
    let second = live.hears("c1", "are you there?");
    assert_eq!(live.deliver("c1", "Yes.").await, Sent::Acknowledged);
    assert_eq!(words(&first.answer().await), ["Yes."]);
    assert!(second.answer().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_greeting_is_waited_for_shortly_and_its_lack_is_no_failure() {
    let live = FakeLivePerson::new();
    let started = || json!({ "type": "CONVERSATION", "data": { "name": "STARTED" } });
    let call = Call::of(live.next("c1", started()));
    assert_eq!(live.deliver("c1", "Welcome!").await, Sent::Acknowledged);
    assert_eq!(words(&call.answer().await), ["Welcome!"]);
    let begun = Instant::now();
    let call = Call::of(live.next("c2", started()));
    assert!(call.answer().await.is_empty());
    assert!(begun.elapsed() < Duration::from_secs(6));
}

#[tokio::test(start_paused = true)]
async fn lp_11_a_conversation_that_is_closed_ends_and_is_answered_by_nothing_at_once() {
    let live = FakeLivePerson::new();
    let bodies = [
        json!({ "type": "CONVERSATION", "data": { "name": "CLOSED" } }),
        json!({ "type": "CLOSE_CONVERSATION", "source": "CONVERSATION", "data": {} }),
    ];
    for body in bodies {
        let open = live.hears("c1", "bye");
        let begun = Instant::now();
        let closed = Call::of(live.next("c1", body));
        assert!(matches!(closed.event.body, SourceBody::Ended));
        assert!(closed.answer().await.is_empty());
        assert!(open.answer().await.is_empty(), "nothing is to be said");
        assert!(begun.elapsed() < Duration::from_secs(1));
    }
}

#[tokio::test(start_paused = true)]
async fn lp_12_choices_and_cards_are_numbered_text_and_a_number_comes_back_as_text() {
    let live = FakeLivePerson::new();
    let capabilities = live.source.capabilities();
    assert!(capabilities.offers.is_empty() && capabilities.cards.is_none());
    let call = live.hears("c1", "hello");
    let numbered = "What next?\n1. Track it\n2. Cancel it";
    assert_eq!(live.deliver("c1", numbered).await, Sent::Acknowledged);
    assert_eq!(words(&call.answer().await), [numbered]);
    let event = live.next("c1", says("2")).events.remove(0);
    let SourceBody::Message { words, .. } = event.body else {
        panic!("not a message");
    };
    assert!(words == Words::Text("2".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn what_the_capabilities_do_not_name_is_refused() {
    let live = FakeLivePerson::new();
    let limits = crate::domain::source::OfferLimits {
        kind: crate::domain::source::OfferKind::Buttons,
        max_options: 3,
        label_chars: 20,
        cuts_labels: true,
        repeats_labels: true,
        text_chars: 100,
        links: false,
    };
    let cards = Item {
        author: Author::Agent,
        body: ItemBody::Cards(Vec::new()),
    };
    for item in [offer(&limits, &["Yes"]), cards] {
        let sent = live.source.deliver(&address("c1"), &item).await;
        assert!(
            matches!(
                sent,
                Sent::Refused {
                    refusal: Refusal::Request,
                    ..
                }
            ),
            "{sent:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_too_many_is_answered_at_once() {
    let live = FakeLivePerson::set(|config, _| config.max_waiting = 1);
    let first = live.hears("c1", "hello");
    let begun = Instant::now();
    assert_eq!(words(&live.hears("c2", "hello").answer().await), [FALLBACK]);
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert!(first.is_waiting());
    assert_eq!(live.deliver("c1", "Hello!").await, Sent::Acknowledged);
    assert_eq!(words(&first.answer().await), ["Hello!"]);
    let third = live.hears("c3", "hello");
    assert_eq!(live.deliver("c3", "room again").await, Sent::Acknowledged);
    assert_eq!(words(&third.answer().await), ["room again"]);
}
