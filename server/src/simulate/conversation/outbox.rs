//! What leaves a conversation, in its order, unless a fault says otherwise.

use std::sync::Arc;
use std::time::Duration;

use crate::simulate::bot::RunningBot;
use crate::simulate::clock::Moment;
use crate::simulate::faults::WebhookFault;
use crate::simulate::recorder::WebhookAnswer;
use crate::simulate::webhook::Webhook;
use crate::simulate::world::World;

pub(super) struct Outbox {
    world: Arc<World>,
    bot: Arc<RunningBot>,
    /// When the event arrived that this turn answers.
    turn_at: Moment,
    fault: Option<WebhookFault>,
    /// Waits for the next message to overtake it.
    overtaken: Option<Webhook>,
    /// Wait for the end of the conversation.
    after_end: Vec<Webhook>,
    /// This turn's late messages, which keep their order.
    late: Vec<Webhook>,
}

impl Outbox {
    pub(super) fn new(world: &Arc<World>, bot: &Arc<RunningBot>) -> Self {
        Self {
            world: Arc::clone(world),
            bot: Arc::clone(bot),
            turn_at: Moment::ZERO,
            fault: None,
            overtaken: None,
            after_end: Vec::new(),
            late: Vec::new(),
        }
    }

    pub(super) fn begin_turn(&mut self, at: Moment, fault: Option<WebhookFault>) {
        self.turn_at = at;
        self.fault = fault;
    }

    /// Sends what still waits to be overtaken, and leaves to itself what is late.
    pub(super) async fn end_turn(&mut self) {
        if let Some(WebhookFault::Late(delay)) = self.fault.take() {
            self.send_late(delay);
        }
        if let Some(webhook) = self.overtaken.take() {
            self.send(&webhook).await;
        }
    }

    /// Sends what was kept for after the end.
    pub(super) async fn conversation_ended(&mut self) {
        for webhook in std::mem::take(&mut self.after_end) {
            self.send(&webhook).await;
        }
    }

    /// Sends a message, which nobody waits for.
    pub(super) async fn message(&mut self, webhook: Webhook) {
        match self.fault {
            None => self.send(&webhook).await,
            Some(WebhookFault::Never) => {}
            Some(WebhookFault::Duplicate) => {
                self.send(&webhook).await;
                self.send(&webhook).await;
            }
            Some(WebhookFault::AfterEnd) => self.after_end.push(webhook),
            Some(WebhookFault::Late(_)) => self.late.push(webhook),
            Some(WebhookFault::Reorder) => match self.overtaken.take() {
                None => self.overtaken = Some(webhook),
                Some(overtaken) => {
                    self.send(&webhook).await;
                    self.send(&overtaken).await;
                }
            },
        }
    }

    /// Sends a webhook that the dialogue waits for. No answer: it never went out.
    pub(super) async fn ask(&self, webhook: &Webhook) -> Option<WebhookAnswer> {
        match self.fault {
            Some(WebhookFault::Never) => return None,
            Some(WebhookFault::Duplicate) => {
                let once = || self.world.send(&self.bot, webhook);
                return Some(tokio::join!(once(), once()).0);
            }
            Some(WebhookFault::Late(delay)) => {
                self.world.clock.sleep_until(self.turn_at + delay).await;
            }
            None | Some(WebhookFault::Reorder | WebhookFault::AfterEnd) => {}
        }
        Some(self.world.send(&self.bot, webhook).await)
    }

    async fn send(&self, webhook: &Webhook) {
        self.world.send_message(&self.bot, webhook).await;
    }

    fn send_late(&mut self, delay: Duration) {
        let due = self.turn_at + delay;
        let late = std::mem::take(&mut self.late);
        let (world, bot) = (Arc::clone(&self.world), Arc::clone(&self.bot));
        self.world.spawn(async move {
            world.clock.sleep_until(due).await;
            for webhook in late {
                world.send_message(&bot, &webhook).await;
            }
        });
    }
}
