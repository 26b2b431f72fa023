//! What happens in the conversation.

use std::io::{self, Write};

use parloir_client::Item;
use parloir_proto::v1::{
    DeliveryChanged, DeliveryState, Event, HumanMessage, HumanMessageKind, Owner, OwnerChanged,
    RequestClosed, delivery_changed::Subject, event::Body,
};

use super::{super::questions::Question, Talk};
use crate::commands::terminal;

impl<W: Write> Talk<W> {
    pub(super) fn item(&mut self, item: &Item) -> io::Result<()> {
        match item {
            Item::Started(_) => {
                if let Some(parameters) = self.parameters.take() {
                    let id = self.outgoing.start(parameters);
                    self.deliveries.sent(id);
                }
                Ok(())
            }
            Item::Event(delivered) => match &delivered.event {
                Some(event) if self.concerns(event) => self.event(event),
                _ => Ok(()),
            },
            Item::Interrupted { error, retry_in } => {
                let words =
                    format!("The stream of events broke, trying again in {retry_in:.1?}: {error}");
                self.screen.trouble(&words)
            }
            Item::Gap(_) => self
                .screen
                .trouble("Some of what happened is no longer in the log."),
            _ => Ok(()),
        }
    }

    /// This conversation's, or one that belongs to none.
    fn concerns(&self, event: &Event) -> bool {
        event.conversation_id.is_empty()
            || (event.conversation_id == self.outgoing.conversation()
                && event.account == self.outgoing.account())
    }

    fn event(&mut self, event: &Event) -> io::Result<()> {
        let Some(body) = &event.body else {
            return Ok(());
        };
        match body {
            // The reply to the start says it.
            Body::ConversationStarted(_) => Ok(()),
            // It crossed a change of the owner: its buttons are nothing to press.
            Body::AgentMessage(_) if event.superseded => self
                .screen
                .other("agent, superseded", &terminal::words(event)),
            Body::AgentMessage(message) => {
                self.heard();
                let shown = self.offers.add(&event.event_id, message);
                self.screen.agent(&shown)
            }
            Body::VisitorMessage(message) if self.deliveries.is_ours(&message.message_id) => Ok(()),
            Body::VisitorMessage(_) => {
                self.offers.clear();
                self.screen
                    .other("visitor, elsewhere", &terminal::words(event))
            }
            Body::DeliveryChanged(changed) => self.delivery(changed),
            Body::RequestClosed(closed) => self.closed(event, closed),
            Body::OwnerChanged(changed) => self.owner(changed),
            Body::ConversationEnded(_) => self
                .screen
                .news(&format!("{}.", capitalised(&terminal::words(event)))),
            Body::HumanMessage(message) => self.human(event, message),
            Body::TicketReplied(reply) => {
                self.heard();
                self.screen.agent(&reply.text)
            }
            body => match Question::of(body, &self.answered_here) {
                Some(question) => self.question(question),
                None => self.screen.news(&format!(
                    "{}: {}",
                    terminal::kind(event),
                    terminal::words(event)
                )),
            },
        }
    }

    fn question(&mut self, question: Question) -> io::Result<()> {
        if self.all_typed {
            // Nobody is there to answer it: the agent will go on without.
            self.expect_answer();
        } else {
            self.heard();
        }
        let first = self.questions.first().is_none();
        let words = question.words.clone();
        self.questions.push(question);
        // One at a time: a line answers the oldest.
        if first {
            self.screen.question(&words)
        } else {
            Ok(())
        }
    }

    fn closed(&mut self, event: &Event, closed: &RequestClosed) -> io::Result<()> {
        if !self.questions.close(&closed.request_id) {
            return Ok(());
        }
        let words = terminal::words(event);
        self.screen
            .news(&format!("The agent's question is closed: {words}."))?;
        self.ask()
    }

    fn owner(&mut self, changed: &OwnerChanged) -> io::Result<()> {
        if changed.to() != Owner::Agent {
            self.expect_nothing();
        }
        let why = terminal::owner_change_cause(changed.cause());
        let now = match changed.to() {
            Owner::Unknown | Owner::Unspecified => {
                "Now it cannot be told who answers the visitor, so the agent is silent".to_owned()
            }
            owner => format!("Now {} answers the visitor", terminal::owner(owner)),
        };
        let note = match changed.note.as_str() {
            "" => String::new(),
            note => format!(" Note: {note}"),
        };
        self.screen.news(&format!("{now} ({why}).{note}"))
    }

    /// Words as the human said them; other signs are news.
    fn human(&mut self, event: &Event, message: &HumanMessage) -> io::Result<()> {
        if message.kind() != HumanMessageKind::Text {
            let words = capitalised(&terminal::words(event));
            return self.screen.news(&format!("{words}."));
        }
        let who = match message.name.as_str() {
            "" => "human".to_owned(),
            name => format!("human, {}", terminal::one_line(name)),
        };
        self.screen.other(&who, &message.text)
    }

    fn delivery(&mut self, changed: &DeliveryChanged) -> io::Result<()> {
        match &changed.subject {
            Some(Subject::MessageId(id) | Subject::CommandId(id)) => {
                self.told(id, changed.state(), &changed.reason)
            }
            Some(Subject::RequestId(_)) if changed.state() != DeliveryState::Delivered => self
                .screen
                .trouble("The answer to the agent's question did not reach its platform."),
            // Whatever it was: an answer, a human's words, or a handover.
            Some(Subject::EventId(_)) => match visitors_side(changed.state()) {
                Some(sentence) => {
                    let cause = terminal::cause(&changed.reason);
                    self.screen.trouble(&format!("{sentence}{cause}."))
                }
                None => Ok(()),
            },
            Some(Subject::RequestId(_)) | None => Ok(()),
        }
    }
}

/// What is worth saying of something on its way to the source or the widget.
fn visitors_side(reached: DeliveryState) -> Option<&'static str> {
    match reached {
        DeliveryState::Queued => {
            Some("Not at the visitor's side yet: it waits and is sent by itself")
        }
        DeliveryState::Unknown => {
            Some("Sent to the visitor's side, but whether it arrived cannot be known")
        }
        DeliveryState::Failed => Some("Not delivered to the visitor's side"),
        DeliveryState::Superseded => {
            Some("Not sent to the visitor's side: somebody else took over before it could be")
        }
        DeliveryState::Unspecified
        | DeliveryState::Attempting
        | DeliveryState::Delivered
        | DeliveryState::Held => None,
    }
}

fn capitalised(words: &str) -> String {
    let mut characters = words.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}
