//! The platform's own widget: humans speak through `POST /agent/converse/send-message-to-widget`, visitors by webhook.

use super::asked::{Asked, Refusal, Work, authorise, bad, conversation_of, object, text_of};
use super::conversation::{Event, WidgetEvent};
use super::recorder::SeenRequest;
use super::simulator::Simulator;
use super::world::World;

/// What may come beside the event and the conversation, all of it text.
const OPTIONAL: [&str; 4] = ["agent", "agentAvatar", "queuePosition", "waitingTime"];

/// The record keeps what was shown; the widget itself is nowhere to be seen.
pub(super) fn check(world: &World, request: &SeenRequest) -> Result<Asked, Refusal> {
    let bot = authorise(world, &request.headers)?;
    let body = object(request)?;
    conversation_of(&body)?;
    for key in OPTIONAL {
        text_of(&body, key)?;
    }
    let text = text_of(&body, "text")?;
    match text_of(&body, "eventType")?.as_deref() {
        Some("message") if text.is_none() => {
            return Err(bad("text is required with eventType message"));
        }
        Some(
            "message"
            | "escalationQueueUpdate"
            | "escalationSuccess"
            | "escalationFailed"
            | "agentDisconnect",
        ) => {}
        Some(_) => {
            return Err(bad(
                "eventType must be escalationQueueUpdate, escalationSuccess, message, escalationFailed or \
                 agentDisconnect",
            ));
        }
        None => return Err(bad("eventType is required")),
    }
    Ok(Asked::new(bot, Work::Nothing))
}

impl Simulator {
    /// The bot asks for a human in the widget, and says nothing more there. This is how the caller learns of such a
    /// conversation.
    pub async fn widget_escalates(&self, bot_id: &str, id: &str, target: Option<&str>) {
        let event = WidgetEvent::Escalates(target.map(str::to_owned));
        self.take_turn(bot_id, id, Event::Widget(event)).await;
    }

    /// The visitor says `text` to the human.
    pub async fn widget_says(&self, bot_id: &str, id: &str, text: &str) {
        let event = WidgetEvent::Says(text.to_owned());
        self.take_turn(bot_id, id, Event::Widget(event)).await;
    }

    /// The visitor leaves.
    pub async fn widget_ends(&self, bot_id: &str, id: &str) {
        self.take_turn(bot_id, id, Event::Widget(WidgetEvent::Ends))
            .await;
    }
}
