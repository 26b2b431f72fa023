//! What a simulated Social Connect knows.

use std::collections::{HashMap, VecDeque};

use serde_json::Value;

use super::{
    access::Access,
    fault::Failure,
    record::{Call, SeenCall},
};

/// A person on a channel.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Contact {
    /// The channel as messages name it: `twitter`, `livechat`, `whatsapp`.
    pub channel: String,
    pub id: String,
}

impl Contact {
    pub fn new(channel: &str, id: &str) -> Self {
        Self {
            channel: channel.to_owned(),
            id: id.to_owned(),
        }
    }

    /// As the calls for contacts and handovers name the channel.
    pub(super) fn service(&self) -> &str {
        service(&self.channel)
    }
}

/// Who said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    Visitor,
    Bot,
    Human,
}

/// Something that a visitor wrote or reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub from: Speaker,
    pub text: String,
    /// A human owned the contact when it was said: then no line may be the bot's.
    pub human_owns: bool,
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// By service and id.
    pub(super) contacts: HashMap<(String, String), Known>,
    /// All messages in the order in which they were added.
    pub(super) mentions: Vec<Mention>,
    pub(super) published: Vec<Published>,
    pub(super) access: Access,
    pub(super) calls: Vec<SeenCall>,
    pub(super) faults: HashMap<Call, VecDeque<Failure>>,
    /// Bodies that the recipe has not sent yet.
    pub(super) webhooks: VecDeque<String>,
    pub(super) next_id: u64,
}

/// A contact that has written.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) contact: Contact,
    pub(super) tags: Vec<String>,
    /// By the handover.
    pub(super) human_owns: bool,
    pub(super) lines: Vec<Line>,
}

/// A message in the inbox. Its tags are those of its author when it is told.
#[derive(Clone, Debug)]
pub(super) struct Mention {
    pub(super) id: String,
    pub(super) contact: Contact,
    pub(super) text: String,
    pub(super) added: u64,
    /// The application that sent it, for one of the brand's own.
    pub(super) sent_by: Option<String>,
}

/// A message that the application published, or put before people.
#[derive(Clone, Debug)]
pub(super) struct Published {
    pub(super) id: String,
    pub(super) mention_id: String,
    pub(super) text: String,
    pub(super) added: u64,
    pub(super) status: String,
}

impl State {
    /// Numbers of the size that the vendor's have.
    pub(super) fn new_id(&mut self) -> String {
        self.next_id += 1;
        (43_769_358_878_509_000 + self.next_id).to_string()
    }

    pub(super) fn known(&mut self, contact: &Contact) -> &mut Known {
        let key = (contact.service().to_owned(), contact.id.clone());
        self.contacts.entry(key).or_insert_with(|| Known {
            contact: contact.clone(),
            tags: Vec::new(),
            human_owns: false,
            lines: Vec::new(),
        })
    }

    pub(super) fn add(
        &mut self,
        contact: &Contact,
        text: &str,
        sent_by: Option<&str>,
        now: u64,
    ) -> Mention {
        let mention = Mention {
            id: self.new_id(),
            contact: contact.clone(),
            text: text.to_owned(),
            added: now,
            sent_by: sent_by.map(str::to_owned),
        };
        self.mentions.push(mention.clone());
        mention
    }
}

impl Known {
    pub(super) fn is_tagged(&self, tag: &str) -> bool {
        let is_it = |one: &String| one.trim().eq_ignore_ascii_case(tag.trim());
        self.tags.iter().any(is_it)
    }

    pub(super) fn say(&mut self, from: Speaker, text: &str, tag: &str) {
        let human_owns = self.human_owns || self.is_tagged(tag);
        self.lines.push(Line {
            from,
            text: text.to_owned(),
            human_owns,
        });
    }
}

/// Live chat is the one channel with two names.
pub(super) fn service(channel: &str) -> &str {
    if channel == "livechat" {
        "web"
    } else {
        channel
    }
}

/// Texts of a JSON list.
pub(super) fn texts(list: &Value) -> Option<Vec<String>> {
    let list = list.as_array()?.iter();
    list.map(|one| one.as_str().map(str::to_owned)).collect()
}
