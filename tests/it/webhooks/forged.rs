//! Test 15 of the reliability bar: forged, replayed and reordered webhooks, of every scheme and of every source that
//! signs. `PARLOIR_FULL=1` plays 100,000 mutations instead of 3,000.

mod mutation;
mod sender;

use parloir_client::v1::{event::Body, visitor_message::Content};

use self::{
    mutation::{Luck, Mutation},
    sender::{Sender, Stage},
};
use crate::support::events::Events;

const REDUCED: u64 = 3_000;
const FULL: u64 = 100_000;

/// Events up to the last message, which each test sends by itself.
async fn texts(events: &mut Events) -> Vec<String> {
    let mut texts = Vec::new();
    loop {
        let event = events.next().await.event.expect("an event");
        let text = match event.body.expect("a body") {
            Body::AgentMessage(message) => message.text,
            Body::VisitorMessage(message) => match message.content {
                Some(Content::Text(text)) => text,
                _ => continue,
            },
            _ => continue,
        };
        if text == "the end" {
            return texts;
        }
        texts.push(text);
    }
}

#[tokio::test]
async fn no_mutation_of_a_genuine_webhook_is_believed() {
    let stage = Stage::start().await;
    let count = match std::env::var("PARLOIR_FULL") {
        Ok(full) if full == "1" => FULL,
        _ => REDUCED,
    };
    let seed = std::env::var("PARLOIR_SEED").ok();
    let seed = seed.map_or(20_261_127, |seed| seed.parse().expect("a number"));
    println!("PARLOIR_SEED={seed} repeats this run");
    let mut luck = Luck::new(seed);
    let senders = Sender::ALL;
    let mut connections = stage.connections(senders.len());
    let mut genuine = 0;
    for number in 0..count {
        let at = usize::try_from(number).expect("small") % senders.len();
        let (sender, connection) = (senders[at], &mut connections[at]);
        let mutation = Mutation::any(sender, &mut luck);
        let text = format!("forged {number}");
        let request = sender.request("F", &format!("f{number}"), &text);
        let request = mutation.applied(request, sender, &mut luck);
        let status = connection.send(&request).await;
        let expected = if mutation.is_harmless() { 200 } else { 401 };
        genuine += usize::from(mutation.is_harmless() && sender.tells_messages());
        assert_eq!(
            status, expected,
            "{sender:?} {mutation:?}, number {number} of seed {seed}"
        );
    }
    stage.say_the_end().await;
    let mut events = stage.server.events();
    // What was only spelt otherwise is genuine; nothing else left a word.
    assert_eq!(texts(&mut events).await.len(), genuine);
}

#[tokio::test]
async fn a_webhook_that_comes_ten_times_has_one_effect_and_is_always_taken() {
    let stage = Stage::start().await;
    let mut expected = Vec::new();
    for sender in Sender::ALL
        .into_iter()
        .filter(|sender| sender.tells_messages())
    {
        let mut connection = stage.connections(1).remove(0);
        let text = format!("{sender:?} once");
        let request = sender.request("D", "d1", &text);
        for _ in 0..10 {
            let status = connection.send(&request).await;
            assert_eq!(status, 200, "{sender:?}");
        }
        expected.push(text);
    }
    stage.say_the_end().await;
    assert_eq!(texts(&mut stage.server.events()).await, expected);
}

#[tokio::test]
async fn webhooks_of_a_conversation_are_taken_in_any_order_once_each_and_kept_as_they_came() {
    let stage = Stage::start().await;
    let mut luck = Luck::new(7);
    let mut expected = Vec::new();
    for sender in Sender::ALL
        .into_iter()
        .filter(|sender| sender.tells_messages())
    {
        for round in 0..4 {
            let mut order: Vec<usize> = (0..6).collect();
            luck.shuffle(&mut order);
            let mut connection = stage.connections(1).remove(0);
            let conversation = format!("P{round}");
            for which in order {
                let text = format!("{sender:?} {round} {which}");
                let id = format!("{round}-{which}");
                let request = sender.request(&conversation, &id, &text);
                assert_eq!(connection.send(&request).await, 200, "{text}");
                expected.push(text);
            }
        }
    }
    stage.say_the_end().await;
    assert_eq!(texts(&mut stage.server.events()).await, expected);
}
