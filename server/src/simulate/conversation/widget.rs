//! What becomes of a conversation in the platform's own widget once the bot wants a human.

use serde_json::{Value as Json, json};

use super::{ConversationState, ConversationTask, locked};
use crate::simulate::clock::Moment;

/// What happens in the widget.
#[derive(Debug)]
pub(in crate::simulate) enum WidgetEvent {
    /// The bot asks for a human.
    Escalates(Option<String>),
    /// The visitor speaks to the human.
    Says(String),
    /// The visitor leaves.
    Ends,
}

impl ConversationTask {
    pub(super) async fn in_widget(&mut self, event: WidgetEvent, at: Moment) {
        let (kind, more) = match &event {
            WidgetEvent::Escalates(target) => {
                self.live_session(at);
                let target = target.as_ref().map(|target| ("escalateTo", json!(target)));
                ("widgetEscalate", target.into_iter().collect())
            }
            WidgetEvent::Says(text) => {
                let internal = locked(&self.view).internal_id.clone();
                let more = vec![("conversationId", json!(internal)), ("text", json!(text))];
                ("widgetMessage", more)
            }
            WidgetEvent::Ends => ("widgetEndSession", Vec::new()),
        };
        let body = self.widget_body(kind, more);
        let webhook = self.webhook(kind, body);
        self.outbox.message(webhook).await;
        match event {
            WidgetEvent::Escalates(_) => self.end_session(ConversationState::Escalated).await,
            WidgetEvent::Says(_) => {}
            WidgetEvent::Ends => self.end_session(ConversationState::Ended).await,
        }
    }

    fn widget_body(&self, kind: &str, more: Vec<(&str, Json)>) -> Json {
        let mut data = json!({"eventType": kind, "platformConversationId": self.id});
        for (key, value) in more {
            data[key] = value;
        }
        json!({"botId": self.bot.id(), "channel": "chat", "data": data})
    }
}
