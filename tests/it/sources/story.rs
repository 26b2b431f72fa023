//! What happens, told by the log to whoever waits for it.

use std::collections::HashMap;

use parloir_client::{
    Client, Subscription,
    v1::{
        DeliveryChanged, DeliveryState, Event, Owner, OwnerChanged, PlatformAlert, VisitorMessage,
        delivery_changed::Subject, event::Body, visitor_message::Content,
    },
};

use crate::support::events::Events;

/// All events from the first on, each looked at once.
pub struct Story {
    events: Events,
    /// What carries which words.
    carrying: HashMap<String, Subject>,
}

impl Story {
    pub fn of(client: &Client) -> Self {
        let stream = client.subscribe(Subscription::new().from_earliest());
        Self {
            events: Events::new(stream),
            carrying: HashMap::new(),
        }
    }

    /// Waits for the visitor's words. The conversation.
    pub async fn hears(&mut self, words: &str) -> String {
        loop {
            let (body, event) = self.next().await;
            if matches!(&body, Body::VisitorMessage(message) if said(message) == words) {
                return event.conversation_id;
            }
        }
    }

    pub async fn alert(&mut self) -> PlatformAlert {
        loop {
            if let (Body::PlatformAlert(alert), _) = self.next().await {
                return alert;
            }
        }
    }

    pub async fn owner_change(&mut self) -> OwnerChanged {
        loop {
            if let (Body::OwnerChanged(changed), _) = self.next().await {
                return changed;
            }
        }
    }

    /// Waits for the next change of an owner, which must be to this one.
    pub async fn owner_changes_to(&mut self, owner: Owner) {
        let changed = self.owner_change().await;
        assert_eq!(changed.to(), owner, "{changed:?}");
    }

    /// Waits until the visitor's words are kept from the agent.
    pub async fn holds(&mut self, words: &str) {
        self.comes_to(words, DeliveryState::Held).await;
    }

    /// Waits until what carries these words of the visitor or the agent, or the change of the owner that this command
    /// made, or an "escalation", has come to this state.
    pub async fn comes_to(&mut self, words: &str, state: DeliveryState) -> DeliveryChanged {
        loop {
            match self.next().await.0 {
                Body::VisitorMessage(message)
                    if message.held && state == DeliveryState::Held && said(&message) == words =>
                {
                    return DeliveryChanged::default();
                }
                Body::DeliveryChanged(changed)
                    if changed.state() == state
                        && self.carrying.get(words) == changed.subject.as_ref() =>
                {
                    return changed;
                }
                _ => {}
            }
        }
    }

    /// Waits until the agent has said this, which may be before what was waited for last: the two may race.
    pub async fn agent_says(&mut self, words: &str) {
        while !self.carrying.contains_key(words) {
            self.next().await;
        }
    }

    /// The next event, with what carries its words noted.
    pub async fn next(&mut self) -> (Body, Event) {
        let event = self.events.next().await.event.expect("an event");
        let body = event.body.clone().expect("a body");
        let by_event = Subject::EventId(event.event_id.clone());
        let carrying = match &body {
            Body::VisitorMessage(message) => Some((
                said(message),
                Subject::MessageId(message.message_id.clone()),
            )),
            Body::AgentMessage(message) => Some((message.text.as_str(), by_event)),
            Body::HumanMessage(message) => Some((message.text.as_str(), by_event)),
            Body::EscalationRequested(_) => Some(("escalation", by_event)),
            Body::OwnerChanged(changed) => Some((changed.command_id.as_str(), by_event)),
            _ => None,
        };
        if let Some((words, subject)) = carrying {
            self.carrying.insert(words.to_owned(), subject);
        }
        (body, event)
    }
}

fn said(message: &VisitorMessage) -> &str {
    match &message.content {
        Some(Content::Text(text)) => text,
        Some(Content::Choice(choice)) => &choice.label,
        None => "",
    }
}
