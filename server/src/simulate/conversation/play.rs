//! Playing a dialogue, step by step.

use std::collections::VecDeque;

use serde_json::Value as Json;

use super::session::Value;
use super::{ConversationState, ConversationTask, payload};
use crate::simulate::clock::Moment;
use crate::simulate::script::{Action, Availability, Dialogue, Escalation, Message, Step};
use crate::simulate::webhook::Webhook;

impl ConversationTask {
    pub(super) async fn play(&mut self, dialogue: &Dialogue) {
        let confidence = match &dialogue.triggers {
            triggers if triggers.default => 0.3,
            triggers if triggers.button.is_some() => 1.0,
            _ => 0.93,
        };
        let mut rest: VecDeque<&Step> = dialogue.steps.iter().collect();
        let mut number = 0_u32;
        while let Some(step) = rest.pop_front() {
            number += 1;
            let place = format!("{}/{number}", dialogue.name);
            match step {
                Step::Say(message) => self.say(message.clone(), &place, confidence).await,
                Step::Action(action) => {
                    if !self.act(action).await {
                        self.say_text(&action.on_failure, &place).await;
                        return;
                    }
                }
                Step::Availability(availability) => {
                    let branch = self.branch(availability).await;
                    for step in branch.iter().rev() {
                        rest.push_front(step);
                    }
                }
                Step::Escalate(escalation) => self.escalate(escalation, &place).await,
                Step::End => self.end_session(ConversationState::Ended).await,
            }
        }
    }

    pub(super) async fn say_text(&mut self, text: &str, place: &str) {
        let message = Message {
            text: text.to_owned(),
            ..Message::default()
        };
        self.say(message, place, 1.0).await;
    }

    async fn say(&mut self, message: Message, place: &str, confidence: f64) {
        let now = self.world.clock.now();
        self.say_at(message, place, confidence, now).await;
    }

    /// Says `message`, written at `place` of the script, and extends the session from `at`.
    pub(super) async fn say_at(
        &mut self,
        mut message: Message,
        place: &str,
        confidence: f64,
        at: Moment,
    ) {
        let session = self.live_session(at);
        session.touch(at);
        let fill = |text: &mut String| *text = session.fill_in(text);
        fill(&mut message.text);
        let card_buttons = message.cards.iter_mut().flat_map(|card| {
            fill(&mut card.title);
            card.description.as_mut().map(fill);
            &mut card.buttons
        });
        for button in card_buttons.chain(&mut message.buttons) {
            fill(&mut button.text);
            button.link.as_mut().map(fill);
        }
        if let Some(reply) = &mut self.reply {
            reply.extend(Some(message.text).filter(|text| !text.is_empty()));
            return;
        }
        let confidence = message.confidence.unwrap_or(confidence);
        let reply_id = self.bot.reply_id(place);
        let body = payload::send_message(self.bot.id(), &self.id, &message, &reply_id, confidence);
        let webhook = self.webhook("sendMessage", body);
        self.outbox.message(webhook).await;
    }

    /// Calls the action webhook and saves what it answers; false: it failed.
    async fn act(&mut self, action: &Action) -> bool {
        let now = self.world.clock.now();
        let session = self.live_session(now);
        for parameter in &action.parameters {
            let value = session.parameters.get(&parameter.key).cloned();
            if let (Some(name), Some(value)) = (&parameter.save_as, value) {
                session.parameters.insert(name.clone(), value);
            }
        }
        let Some(session) = &self.session else {
            return false;
        };
        let body = payload::action(self.bot.id(), &self.id, action, session);
        let answer = self.outbox.ask(&self.webhook("action", body)).await;
        let Some(results) = answer.and_then(|answer| results(answer.json()?)) else {
            return false;
        };
        self.save(results);
        true
    }

    async fn branch<'a>(&mut self, availability: &'a Availability) -> &'a [Step] {
        let body = payload::is_team_online(self.bot.id(), availability.team.as_deref());
        let mut webhook = self.webhook("isTeamOnline", body);
        webhook.conversation_id = None;
        let answer = self.outbox.ask(&webhook).await;
        let online = answer.and_then(|answer| answer.json()?.get("isOnline")?.as_bool());
        if online == Some(true) {
            &availability.open
        } else {
            &availability.closed
        }
    }

    /// The attempt ends the bot's session, however it goes: a fallback is said in a new one.
    async fn escalate(&mut self, escalation: &Escalation, place: &str) {
        let now = self.world.clock.now();
        let fallback = self.live_session(now).fill_in(&escalation.fallback);
        let body = payload::escalate(self.bot.id(), &self.id, escalation.target.as_deref());
        let answer = self.outbox.ask(&self.webhook("escalate", body)).await;
        if answer.is_some_and(|answer| answer.is_ok()) {
            self.end_session(ConversationState::Escalated).await;
        } else {
            self.end_session(ConversationState::Ended).await;
            self.say_text(&fallback, place).await;
        }
    }

    pub(super) fn webhook(&self, event: &'static str, body: Json) -> Webhook {
        Webhook {
            conversation_id: Some(self.id.clone()),
            event,
            body,
        }
    }
}

/// The results in an action's answer; absent: it is none. Nothing at all is no results.
fn results(answer: Json) -> Option<Vec<(String, Value)>> {
    let results = match answer {
        Json::Null => return Some(Vec::new()),
        Json::Object(mut answer) => answer.remove("results").unwrap_or_default(),
        _ => return None,
    };
    let result = |result: &Json| {
        let text = match result.get("value")? {
            Json::String(text) => text.clone(),
            Json::Null => return None,
            other => other.to_string(),
        };
        let sanitize = result.get("sanitize").and_then(Json::as_bool);
        let value = Value {
            text,
            sanitize: sanitize.unwrap_or(false),
        };
        Some((result.get("key")?.as_str()?.to_owned(), value))
    };
    match results {
        Json::Null => Some(Vec::new()),
        Json::Array(results) => results.iter().map(result).collect(),
        _ => None,
    }
}
