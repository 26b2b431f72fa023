//! What a visitor who is answered by the agent costs at Social Connect, whose calls are counted by the hour.

use parloir::simulate::social_connect::Call;

use super::{counter::Counter, desk::Desk};

#[tokio::test]
async fn by_tag_twenty_answers_cost_twenty_calls_and_none_besides() {
    let counter = twenty_answers("tag").await;
    let calls = counter.desk.platform.platform().calls();
    assert_eq!(calls.len(), 20, "{calls:?}");
    assert!(
        calls.iter().all(|seen| seen.call == Call::Publish),
        "{calls:?}"
    );
}

#[tokio::test]
async fn by_handover_twenty_answers_cost_twenty_calls_after_the_first_reading() {
    let counter = twenty_answers("handover").await;
    let calls = counter.desk.platform.platform().calls();
    let kinds: Vec<_> = calls.iter().map(|seen| seen.call).collect();
    let mut expected = vec![Call::ReadHandover];
    expected.extend([Call::Publish; 20]);
    assert_eq!(kinds, expected);
}

async fn twenty_answers(ownership: &'static str) -> Counter {
    let desk = Desk::start(ownership).await;
    let mut counter = Counter::start(desk, "", "").await;
    for number in 1..=20 {
        let conversation = counter.asks(&format!("ask {number}")).await;
        counter
            .answers(&conversation, &format!("answer {number}"))
            .await;
    }
    assert_eq!(counter.heard().len(), 20);
    counter
}
