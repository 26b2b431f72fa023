//! Callers: each speaks for one visitor, and says the next thing once the last one was acknowledged. Whoever gets no
//! answer asks again, anywhere, with the same id.

use std::{sync::Arc, time::Duration};

use super::{
    replica::{ACCOUNT, Replica},
    world::World,
};
use crate::{
    conversations::{Caller, SendMessage},
    domain::{Error, Id, TENANT, VisitorContent},
};

pub(super) async fn speak(world: Arc<World>, conversation: u64) {
    for number in 0..world.plan.messages {
        world.turns.after(world.chance.millis(0..2500)).await;
        let id = format!("c{conversation}-{number}");
        while !say(&world, conversation, &id).await {
            world.turns.after(world.chance.millis(20..1000)).await;
        }
        let mut journal = world.journal();
        let acknowledged = journal.acknowledged.entry(conversation).or_default();
        acknowledged.push(id);
    }
    world.journal().silent += 1;
}

/// Whether it was acknowledged.
async fn say(world: &Arc<World>, conversation: u64, id: &str) -> bool {
    let replica = world.any().await;
    let patience = world.chance.millis(100..5000);
    let wait = *world.chance.pick(&[Duration::ZERO, Duration::from_secs(1)]);
    world.way().await;
    let call = call(&replica, conversation, id, wait);
    // Dropped in its middle when the caller gives up, or when the connection ends.
    let answered = tokio::select! {
        biased;
        answered = call => Some(answered),
        () = replica.life.over() => None,
        () = world.turns.after(patience) => None,
    };
    world.way().await;
    world.note(
        "answered",
        conversation,
        answered.as_ref().map_or(2, |it| u64::from(*it)),
    );
    answered.unwrap_or(false)
}

async fn call(replica: &Replica, conversation: u64, id: &str, wait: Duration) -> bool {
    let caller = Caller {
        tenant: Id::trusted(TENANT),
        traceparent: String::new(),
    };
    let command = SendMessage {
        account: Id::trusted(ACCOUNT),
        conversation_id: Id::trusted(format!("c{conversation}")),
        message_id: Id::trusted(id),
        content: VisitorContent::Text(id.to_owned()),
        parameters: Vec::new(),
        resend: false,
        kind: None,
    };
    match replica.conversations.send(&caller, command, wait).await {
        Ok(_) | Err(Error::NotDelivered { .. }) => true,
        Err(_) => false,
    }
}
