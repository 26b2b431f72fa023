//! What happens at the source: visitors speak and leave, humans take over and hand back, and the post is late.

use std::time::Duration;

use super::{
    play::Play,
    setup::SOURCE,
    steps::{Age, Step, Tells, Word},
    world::tenant,
};
use crate::domain::{
    DeliveryState, Owner,
    source::{Contact, Observed, SourceBody, SourceEvent, Words},
};

impl Play {
    pub(super) fn at_source(&mut self, step: &Step) {
        match *step {
            Step::VisitorSpeaks {
                contact,
                owner,
                age,
                post,
            } => {
                let event = self.said_there(contact, owner, age);
                if post {
                    self.post.push(event);
                } else {
                    self.arrives(event);
                }
            }
            Step::VisitorAsksForHuman(contact) => {
                // Signs do not count in a phrase: they tell one from the other.
                let phrase = format!("a human please{}", "!".repeat(self.count()));
                let event = self.told(contact, words(&phrase));
                self.arrives(event);
            }
            Step::VisitorOpens(contact) => {
                let parameters = Vec::new();
                let event = self.told(contact, SourceBody::Opened { parameters });
                self.arrives(event);
            }
            Step::VisitorLeaves(contact) => {
                let event = self.told(contact, SourceBody::Ended);
                self.arrives(event);
            }
            Step::HumanAtSource {
                contact,
                takes,
                tells,
            } => self.human_at_source(contact, takes, tells),
            Step::SourceIsLost(contact) => {
                let mut event = self.told(contact, SourceBody::Owner);
                event.owner = Some(observed(Word::Unknown));
                self.arrives(event);
            }
            Step::SourceReports { which, failed } => self.reports(which, failed),
            Step::PostArrives { which, again } => self.post_arrives(which, again),
            _ => {}
        }
    }

    fn human_at_source(&mut self, contact: u8, takes: bool, tells: Tells) {
        let address = contact.to_string();
        self.world.outside.set_human_there(&address, takes);
        let mut event = self.told(contact, SourceBody::Owner);
        event.owner = Some(observed(if takes { Word::Human } else { Word::Agent }));
        match tells {
            Tells::Nothing => {}
            Tells::Owner => self.arrives(event),
            Tells::Later => self.post.push(event),
            Tells::Doubt => {
                event.owner = None;
                event.body = SourceBody::Doubt;
                self.arrives(event);
            }
        }
    }

    fn reports(&mut self, which: u8, failed: bool) {
        let Some(remote_id) = self
            .world
            .outside
            .remote_ids()
            .into_iter()
            .rev()
            .nth(which.into())
        else {
            return;
        };
        let state = if failed {
            DeliveryState::Failed
        } else {
            DeliveryState::Delivered
        };
        let body = SourceBody::Report {
            remote_id,
            state,
            reason: None,
            detail: String::new(),
        };
        self.arrives(SourceEvent::apart(body));
    }

    /// Something arrives late, or once more.
    fn post_arrives(&mut self, which: u8, again: bool) {
        let Some(index) = self.post.len().checked_sub(1 + usize::from(which)) else {
            return;
        };
        let event = if again {
            self.post[index].clone()
        } else {
            self.post.remove(index)
        };
        self.post_now(event);
    }

    fn said_there(&mut self, contact: u8, owner: Option<Word>, age: Age) -> SourceEvent {
        let text = self.next("v");
        let mut event = self.told(contact, words(&text));
        event.owner = owner.map(observed);
        event.occurred_at = match age {
            Age::Untold => None,
            Age::Now => event.occurred_at,
            Age::Old => event.occurred_at.map(|now| now - Duration::from_secs(12)),
        };
        event
    }

    fn told(&mut self, contact: u8, body: SourceBody) -> SourceEvent {
        let address = contact.to_string();
        let contact = Contact {
            key: format!("visitor {address}"),
            address,
        };
        SourceEvent {
            event_id: Some(self.next("event")),
            occurred_at: Some(self.world.now()),
            ..SourceEvent::of(contact, body)
        }
    }

    fn arrives(&mut self, event: SourceEvent) {
        self.post.push(event.clone());
        self.post_now(event);
    }

    fn post_now(&self, event: SourceEvent) {
        let webhook = self.world.outside.source_posts(event);
        self.call(move |house| async move {
            let reply = house.arrive(&tenant(), SOURCE, &webhook, "").await;
            Ok(reply.status)
        });
    }
}

fn words(text: &str) -> SourceBody {
    SourceBody::Message {
        words: Words::Text(text.to_owned()),
        visitor: None,
        parameters: Vec::new(),
        raw: String::new(),
    }
}

fn observed(word: Word) -> Observed {
    Observed::pushed(match word {
        Word::Agent => Owner::Agent,
        Word::Human => Owner::Human,
        Word::Unknown => Owner::Unknown,
    })
}
