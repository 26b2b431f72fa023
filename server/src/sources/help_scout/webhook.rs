//! Webhooks in: what a verified body says, told in the domain's words. A header names the event; the body is the whole
//! conversation or chat, without an envelope.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    conversation::{
        Address, Place, Rules, customer, embedded, is_by_customer, is_by_user, name, newest,
        number, time, unanswered, words,
    },
    html,
    verify::Verified,
};
use crate::domain::{
    HumanMessage, HumanMessageKind, Owner, Parameter, Visitor,
    inbound::Webhook,
    source::{Observed, SourceBody, SourceEvent, Words},
};

const EVENT: &str = "x-helpscout-event";

/// What a webhook says.
pub(super) enum Decoded {
    /// In order; none, where nobody need know.
    Events(Vec<SourceEvent>),
    /// It is about another inbox.
    OtherMailbox,
}

/// What a webhook says. `None`: it is not what Help Scout sends.
pub(super) fn decode(
    verified: &Verified<'_>,
    rules: &Rules,
    mailbox: Option<u64>,
) -> Option<Decoded> {
    let webhook = verified.webhook();
    let event = webhook.headers.get(EVENT)?.to_str().ok()?.trim();
    if event == "helpscout.test" {
        return Some(Decoded::Events(Vec::new()));
    }
    let body: Value = serde_json::from_slice(&webhook.body).ok()?;
    body.as_object()?;
    let of = number(&body["mailboxId"]);
    if mailbox.is_some() && of.is_some() && mailbox != of {
        return Some(Decoded::OtherMailbox);
    }
    let told = Told {
        event,
        webhook,
        body: &body,
        rules,
    };
    Some(Decoded::Events(if event.starts_with("convo.") {
        told.conversation()?
    } else if event.starts_with("beacon.chat.") {
        told.chat()?
    } else {
        vec![SourceEvent::apart(told.unknown())]
    }))
}

/// One webhook.
struct Told<'w> {
    event: &'w str,
    webhook: &'w Webhook,
    body: &'w Value,
    rules: &'w Rules,
}

impl Told<'_> {
    /// `None`: malformed.
    fn conversation(&self) -> Option<Vec<SourceEvent>> {
        let id = number(&self.body["id"])?;
        let address = Address {
            place: Place::Conversation(id),
            customer: customer(self.body),
        };
        let event = match self.event {
            "convo.created" | "convo.customer.reply.created" => return Some(self.said(&address)),
            "convo.agent.reply.created" => {
                return Some(self.answered(&address).into_iter().collect());
            }
            "convo.tags" | "convo.assigned" => self.of_owner(&address),
            "convo.deleted" => SourceEvent {
                owner: None,
                ..self.about(&address, SourceBody::Ended)
            },
            _ => self.about(&address, self.unknown()),
        };
        Some(vec![event])
    }

    /// The customer wrote. All that no user has answered yet is told, because a webhook may have been lost, or come after
    /// the next one; what is known already has its id. Where no thread is embedded there is only the preview.
    fn said(&self, address: &Address) -> Vec<SourceEvent> {
        let threads = embedded(self.body, "threads");
        let threads = unanswered(threads, is_by_customer, is_by_user);
        let is_ours = self.event == "convo.created" && self.body["createdBy"]["type"] == "user";
        if threads.is_empty() && is_ours {
            return vec![self.of_owner(address)];
        }
        let customer = &self.body["primaryCustomer"];
        if threads.is_empty() {
            let visitor = self.visitor(&[customer]);
            return vec![self.spoken(address, None, self.preview(), visitor, self.raw())];
        }
        let told = threads.into_iter().map(|thread| {
            let visitor = self.visitor(&[customer, &thread["customer"]]);
            let raw = if embedded(thread, "attachments").is_empty() {
                String::new()
            } else {
                thread.to_string()
            };
            self.spoken(address, Some(thread), words(thread), visitor, raw)
        });
        told.collect()
    }

    /// A user wrote: ours, which we know already and leave out, or a human.
    fn answered(&self, address: &Address) -> Option<SourceEvent> {
        let threads = embedded(self.body, "threads");
        let Some(thread) = newest(threads, is_by_user) else {
            // Nobody is named, so it may be either: who answers has to be read.
            return Some(self.doubt(address));
        };
        if self.rules.is_bot(thread) {
            return None;
        }
        let author = &thread["createdBy"];
        let text = words(thread);
        let body = if text.is_empty() {
            self.unknown()
        } else {
            SourceBody::Human(HumanMessage {
                message_id: number(&thread["id"]).map_or_else(String::new, |id| id.to_string()),
                kind: HumanMessageKind::Text,
                text,
                name: name(author),
                avatar_url: author["photoUrl"].as_str().unwrap_or_default().to_owned(),
                queue_position: None,
                waiting_time: None,
                from_source: true,
                raw: String::new(),
            })
        };
        Some(SourceEvent {
            event_id: Some(self.id_with(address, Some(thread))),
            occurred_at: time(&thread["createdAt"]),
            owner: Some(Observed::pushed(Owner::Human)),
            ..self.about(address, body)
        })
    }

    /// A live chat. `None`: malformed.
    fn chat(&self) -> Option<Vec<SourceEvent>> {
        let id = self.body["id"].as_str().filter(|id| is_chat_id(id))?;
        let address = Address {
            place: Place::Chat(id.to_owned()),
            customer: customer(self.body),
        };
        let by = |kind: &'static str| {
            move |event: &Value| is_by_in_chat(event, kind) && !words(event).is_empty()
        };
        let events = embedded(self.body, "events");
        let events = unanswered(events, by("customer"), by("user"));
        let visitor = || self.visitor(&[&self.body["customer"]]);
        if events.is_empty() {
            let preview = self.preview();
            return Some(vec![self.spoken(
                &address,
                None,
                preview,
                visitor(),
                self.raw(),
            )]);
        }
        let told = events.into_iter().map(|event| {
            self.spoken(
                &address,
                Some(event),
                words(event),
                visitor(),
                String::new(),
            )
        });
        Some(told.collect())
    }

    fn spoken(
        &self,
        address: &Address,
        thread: Option<&Value>,
        text: String,
        visitor: Option<Visitor>,
        raw: String,
    ) -> SourceEvent {
        let body = if text.is_empty() {
            self.unknown()
        } else {
            SourceBody::Message {
                words: Words::Text(text),
                visitor,
                parameters: self.subject(),
                raw,
            }
        };
        SourceEvent {
            event_id: Some(self.id_with(address, thread)),
            occurred_at: thread.and_then(|thread| time(&thread["createdAt"])),
            // Only a hint here, which ends no human's ownership by itself.
            owner: self.rules.owner(self.body).map(Observed::pushed),
            contact_must_exist: false,
            ..self.about(address, body)
        }
    }

    /// Who answers may have changed. It does not say when: an old word that it is the agent, come late, must not take
    /// the visitor from a human, so that is looked up.
    fn of_owner(&self, address: &Address) -> SourceEvent {
        match self.rules.owner(self.body) {
            Some(Owner::Human) => SourceEvent {
                event_id: None,
                ..self.about(address, SourceBody::Owner)
            },
            _ => self.doubt(address),
        }
    }

    /// Without an id, like all words about the owner: a tag that is set, removed and set again says the same thing twice,
    /// and both times it is news.
    fn doubt(&self, address: &Address) -> SourceEvent {
        SourceEvent {
            event_id: None,
            owner: None,
            ..self.about(address, SourceBody::Doubt)
        }
    }

    /// Something about a conversation that is only of interest if a visitor has spoken there. On its way it tells of a
    /// human, and never that it is the agent's.
    fn about(&self, address: &Address, body: SourceBody) -> SourceEvent {
        let owner = self.rules.owner(self.body);
        SourceEvent {
            event_id: Some(self.id_with(address, None)),
            owner: owner
                .filter(|owner| *owner == Owner::Human)
                .map(Observed::pushed),
            contact_must_exist: true,
            ..SourceEvent::of(address.contact(), body)
        }
    }

    /// A webhook has no id of its own. What was said is known by its thread, whichever event tells it; everything else by
    /// its event, its object and the whole body.
    fn id_with(&self, address: &Address, thread: Option<&Value>) -> String {
        let key = address.contact().key;
        let digest = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(Sha256::digest(bytes));
        let Some(thread) = thread else {
            return format!("{}:{key}:{}", self.event, digest(&self.webhook.body));
        };
        let part = match &thread["id"] {
            Value::String(id) => id.clone(),
            Value::Number(id) => id.to_string(),
            _ => digest(thread.to_string().as_bytes()),
        };
        format!("said:{key}:{part}")
    }

    /// What a mail is about stands in its subject, often alone.
    fn subject(&self) -> Vec<Parameter> {
        let subject = self.body["subject"].as_str().unwrap_or_default().trim();
        if self.event != "convo.created" || subject.is_empty() {
            return Vec::new();
        }
        vec![Parameter {
            key: "subject".to_owned(),
            value: subject.to_owned(),
            personal: true,
        }]
    }

    fn visitor(&self, people: &[&Value]) -> Option<Visitor> {
        let id = customer(self.body)?;
        let mut names = people.iter().map(|person| name(person));
        Some(Visitor {
            visitor_id: id.to_string(),
            display_name: names.find(|name| !name.is_empty()).unwrap_or_default(),
            language: String::new(),
        })
    }

    fn preview(&self) -> String {
        html::to_text(self.body["preview"].as_str().unwrap_or_default())
    }

    fn unknown(&self) -> SourceBody {
        SourceBody::Unknown {
            event_type: self.event.to_owned(),
            raw: self.raw(),
        }
    }

    fn raw(&self) -> String {
        self.body.to_string()
    }
}

/// It stands in addresses of the API.
fn is_chat_id(id: &str) -> bool {
    !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

fn is_by_in_chat(event: &Value, kind: &str) -> bool {
    let author = &event["author"];
    author == kind || author["type"] == kind
}
