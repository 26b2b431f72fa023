//! A ticket: played like a message, answered by one reply with everything in it.

use std::sync::Arc;

use serde_json::json;

use super::{ConversationTask, NOT_UNDERSTOOD, Parameters, locked};
use crate::simulate::clock::Moment;

impl ConversationTask {
    pub(super) async fn read_ticket(&mut self, text: &str, parameters: Parameters, at: Moment) {
        self.live_session(at).touch(at);
        self.save(parameters);
        self.think().await;
        self.reply = Some(Vec::new());
        let script = Arc::clone(self.bot.script());
        let dialogue = script.dialogue_for(text, None);
        match dialogue {
            Some(dialogue) => self.play(dialogue).await,
            None => self.say_text(NOT_UNDERSTOOD, "default").await,
        }
        let said = self.reply.take().unwrap_or_default();
        if said.is_empty() {
            return;
        }
        self.publish();
        let understood = dialogue.filter(|dialogue| !dialogue.triggers.default);
        let intents = understood.map(|dialogue| {
            let id = self.bot.reply_id(&dialogue.name);
            json!({"value": id, "name": dialogue.name, "confidence": 0.93})
        });
        let internal = locked(&self.view).internal_id.clone();
        let body = json!({
            "botId": self.bot.id(),
            "conversationId": internal,
            "platformConversationId": self.id,
            "text": said.join("\n\n"),
            "predictedIntents": intents.into_iter().collect::<Vec<_>>(),
            "attachments": [],
        });
        let webhook = self.webhook("ticket", body);
        self.outbox.message(webhook).await;
    }
}
