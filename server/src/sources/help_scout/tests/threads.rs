//! Which of a conversation's threads are told.

use serde_json::Value;

use super::{
    fake::{bot, user},
    fixture::{REPLIED, Stage, conversation, customer, thread},
    inbound::text,
};

#[tokio::test]
async fn all_that_no_user_has_answered_is_told_oldest_first_and_each_by_its_own_id() {
    let stage = Stage::new().await;
    let says = |id: u64| thread(id, "customer", &customer(), &format!("say {id}"));
    let told = |threads: &[Value]| {
        let events = stage.receive(REPLIED, &conversation(42, &[], threads));
        let told = events.iter().map(|event| {
            let id = event.event_id.clone().expect("an id");
            format!("{id} {}", text(event).0)
        });
        told.collect::<Vec<_>>()
    };
    let five = "said:convo:42:5 say 5";
    let six = "said:convo:42:6 say 6";
    let note = thread(9, "note", &user(9), "a note is no answer");
    for by in [bot(), user(9)] {
        let answer = thread(4, "message", &by, "answered");
        let threads = [note.clone(), says(6), says(5), answer, says(3)];
        assert_eq!(told(&threads), [five, six]);
    }
    assert_eq!(told(&[says(6), says(5)]), [five, six]);
    // Answered before it was told: it is not lost.
    let answer = thread(7, "message", &bot(), "answered");
    assert_eq!(told(&[answer, says(6), says(5)]), [six]);
}
