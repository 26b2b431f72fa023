//! The agent's platform: it counts what reaches it, and answers as the seed wants.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use super::{lanes, life::Life, world::World};
use crate::domain::{
    Answer, Outbound, OutboundContent, RequestKind, Result, Sent, Subject,
    inbound::{Inbound, Webhook, WebhookRefusal, WebhookReply},
    ports::Agent,
};

/// What has reached it.
#[derive(Debug, Default)]
pub(super) struct Platform {
    heard: Mutex<Vec<Heard>>,
}

/// One text of one visitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heard {
    pub conversation: String,
    pub text: String,
}

impl Platform {
    pub(super) fn heard(&self) -> Vec<Heard> {
        self.lock().clone()
    }

    /// How often each text came.
    pub(super) fn counts(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for heard in self.lock().iter() {
            *counts.entry(heard.text.clone()).or_default() += 1;
        }
        counts
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Heard>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The platform as one replica reaches it.
pub(super) struct Reached {
    pub world: Arc<World>,
    pub life: Arc<Life>,
}

impl std::fmt::Debug for Reached {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reached").finish_non_exhaustive()
    }
}

#[async_trait]
impl Agent for Reached {
    async fn send(&self, outbound: &Outbound) -> Sent {
        let world = &self.world;
        self.life.goes_on().await;
        world.way().await;
        let trouble = world.chance.percent(world.plan.requests_failing);
        let how = if trouble {
            world.chance.within(0..5)
        } else {
            5
        };
        // What had left before the process died arrives all the same, or does not.
        let is_lost = self.life.is_over() && world.chance.percent(50);
        match how {
            0 => return self.answer(Sent::NotSent).await,
            1 => return self.answer(Sent::Busy { retry_after: None }).await,
            2 => return self.answer(Sent::Unclear).await,
            _ if is_lost => {}
            _ => self.take(outbound),
        }
        match how {
            3 => self.answer(Sent::Unclear).await,
            // It answers too late.
            4 => std::future::pending().await,
            _ => self.answer(Sent::Acknowledged).await,
        }
    }

    fn receive(&self, _: &Webhook) -> Result<Inbound, WebhookRefusal> {
        Err(WebhookRefusal::Malformed)
    }

    fn reply(&self, _: RequestKind, _: &Answer) -> WebhookReply {
        WebhookReply::ok()
    }

    async fn erase(&self, _: &str) -> Sent {
        Sent::Acknowledged
    }
}

impl Reached {
    async fn answer(&self, sent: Sent) -> Sent {
        self.world.way().await;
        self.life.goes_on().await;
        sent
    }

    fn take(&self, outbound: &Outbound) {
        let OutboundContent::Message { text, .. } = &outbound.content else {
            return;
        };
        self.world
            .note("heard", self.life.number, text.len() as u64);
        // Texts are the ids of their messages.
        let subject = Subject::Message(text.clone());
        lanes::arrives(&self.world, &self.life, &subject);
        self.world.platform.lock().push(Heard {
            conversation: outbound.upstream_id.clone(),
            text: text.clone(),
        });
    }
}
