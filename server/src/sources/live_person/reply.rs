//! What `LivePerson`'s calls are answered once their events are committed.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use http::StatusCode;

use super::{
    answer,
    event::Wait,
    waiting::{Answers, Collector, Turn},
};
use crate::domain::{
    inbound::WebhookReply,
    source::{SourceReply, Taken},
};

/// The answer to a conversation that begins: one that is known began before.
pub(super) struct Begun;

#[async_trait]
impl SourceReply for Begun {
    async fn reply(&self, taken: &[Taken]) -> WebhookReply {
        match taken.first() {
            Some(Taken::First) => WebhookReply::ok(),
            _ => WebhookReply::status(StatusCode::CONFLICT),
        }
    }
}

/// The answer to an event after which nothing is said.
pub(super) struct Silence {
    pub(super) answers: Arc<Answers>,
    pub(super) conversation: String,
    /// The conversation is over.
    pub(super) ends: bool,
}

#[async_trait]
impl SourceReply for Silence {
    async fn reply(&self, taken: &[Taken]) -> WebhookReply {
        if is_unknown(taken) {
            return WebhookReply::status(StatusCode::NOT_FOUND);
        }
        if self.ends {
            self.answers.end(&self.conversation);
        }
        WebhookReply::json(StatusCode::OK, answer::body(&[]))
    }
}

/// The answer to an event: what the agent says, as it is delivered.
pub(super) struct Spoken {
    pub(super) source: String,
    pub(super) answers: Arc<Answers>,
    pub(super) conversation: String,
    pub(super) event_id: Option<String>,
    pub(super) wait: Wait,
    pub(super) fallback_text: String,
    /// Taken by the one reply.
    pub(super) turn: Mutex<Option<Turn>>,
}

#[async_trait]
impl SourceReply for Spoken {
    async fn reply(&self, taken: &[Taken]) -> WebhookReply {
        if is_unknown(taken) {
            return WebhookReply::status(StatusCode::NOT_FOUND);
        }
        WebhookReply::json(StatusCode::OK, self.answer().await)
    }
}

impl Spoken {
    async fn answer(&self) -> Bytes {
        loop {
            match self.turn() {
                Turn::Collect(collector) => return self.collect(collector).await,
                Turn::Join(mut given) => {
                    // It fails when that call is gone without an answer: then this one is next.
                    if let Ok(given) = given.wait_for(Option::is_some).await
                        && let Some(answer) = given.as_ref()
                    {
                        return answer.clone();
                    }
                }
                Turn::Full => {
                    tracing::warn!(
                        source = self.source,
                        "too many calls wait for an answer: one was answered without"
                    );
                    return self.without_agent(Vec::new());
                }
            }
        }
    }

    async fn collect(&self, collector: Collector) -> Bytes {
        let mut collected = collector.collect().await;
        let items = std::mem::take(&mut collected.items);
        let answer = if collected.answered {
            answer::body(&items)
        } else {
            self.without_agent(items)
        };
        collected.give(&answer);
        answer
    }

    /// The agent did not answer this event.
    fn without_agent(&self, mut items: Vec<serde_json::Value>) -> Bytes {
        if self.wait == Wait::Answer && !self.fallback_text.is_empty() {
            tracing::warn!(
                source = self.source,
                "the agent did not answer in time: the visitor is told the fallback text"
            );
            items.push(answer::text(&self.fallback_text));
        }
        answer::body(&items)
    }

    fn turn(&self) -> Turn {
        let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        turn.take().unwrap_or_else(|| {
            self.answers
                .open(&self.conversation, self.event_id.as_deref(), self.wait)
        })
    }
}

fn is_unknown(taken: &[Taken]) -> bool {
    taken.contains(&Taken::NoContact)
}
