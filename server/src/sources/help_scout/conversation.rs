//! A conversation or chat as Help Scout shows it: who is in it, who answers, and its threads.

use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::html;
use crate::domain::{Owner, Timestamp, source::Contact};

/// How to reach a visitor.
#[derive(Serialize, Deserialize)]
pub(super) struct Address {
    #[serde(flatten)]
    pub(super) place: Place,
    /// Absent where the newest event did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) customer: Option<u64>,
}

/// Where a visitor is spoken to.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    Conversation(u64),
    /// A live chat, which has an id of another kind.
    Chat(String),
}

impl Address {
    pub(super) fn contact(&self) -> Contact {
        let key = match &self.place {
            Place::Conversation(id) => format!("convo:{id}"),
            Place::Chat(id) => format!("chat:{id}"),
        };
        let address = serde_json::to_string(self).unwrap_or_default();
        Contact { key, address }
    }
}

/// What tells who answers.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) bot_user: u64,
    pub(super) tag: String,
}

impl Rules {
    /// A human, if somebody else is assigned or the tag is there; the agent otherwise. `None`: it does not say.
    pub(super) fn owner(&self, object: &Value) -> Option<Owner> {
        if self.is_assigned(object) || self.is_tagged(object) {
            Some(Owner::Human)
        } else {
            object["tags"].is_array().then_some(Owner::Agent)
        }
    }

    /// To another user than ours, or to a team.
    pub(super) fn is_assigned(&self, object: &Value) -> bool {
        assignee(object).is_some_and(|id| id != self.bot_user)
    }

    pub(super) fn is_tagged(&self, object: &Value) -> bool {
        tags(object).iter().any(|tag| self.is_ours(tag))
    }

    /// Tags are told apart without case.
    pub(super) fn is_ours(&self, tag: &str) -> bool {
        tag.trim().to_lowercase() == self.tag.trim().to_lowercase()
    }

    pub(super) fn is_bot(&self, thread: &Value) -> bool {
        number(&thread["createdBy"]["id"]) == Some(self.bot_user)
            && thread["createdBy"]["type"] != "customer"
    }
}

/// The user or team that it is assigned to.
pub(super) fn assignee(object: &Value) -> Option<u64> {
    number(&object["assignee"]["id"])
}

/// The names of its tags.
pub(super) fn tags(object: &Value) -> Vec<&str> {
    let tags = list(&object["tags"]).iter();
    tags.filter_map(|tag| tag["tag"].as_str().or_else(|| tag.as_str()))
        .collect()
}

/// The customer's id.
pub(super) fn customer(object: &Value) -> Option<u64> {
    number(&object["primaryCustomer"]["id"]).or_else(|| number(&object["customer"]["id"]))
}

/// What stands embedded in a conversation or a page of a list; nothing where an empty list leaves `_embedded` out.
pub(super) fn embedded<'v>(object: &'v Value, name: &str) -> &'v [Value] {
    list(&object["_embedded"][name])
}

/// The newest of those that `counts`; of two from the same moment the one with the higher id.
pub(super) fn newest(threads: &[Value], counts: impl Fn(&Value) -> bool) -> Option<&Value> {
    let counting = threads.iter().filter(|thread| counts(thread));
    counting.max_by_key(|thread| place(thread))
}

/// What `asks` and came after the newest that `answers`, oldest first. If that is nothing, the newest that `asks`: it was
/// answered faster than it was told.
pub(super) fn unanswered(
    threads: &[Value],
    asks: impl Fn(&Value) -> bool,
    answers: impl Fn(&Value) -> bool,
) -> Vec<&Value> {
    let answered = newest(threads, answers).map(place);
    let mut asking: Vec<_> = threads.iter().filter(|thread| asks(thread)).collect();
    asking.sort_by_key(|thread| place(thread));
    let open = asking.partition_point(|thread| Some(place(thread)) <= answered);
    let newest = asking.len().saturating_sub(1);
    asking.split_off(open.min(newest))
}

/// What threads are in order by.
fn place(thread: &Value) -> (Option<Timestamp>, Option<u64>) {
    (time(&thread["createdAt"]), number(&thread["id"]))
}

/// What a customer wrote, or a user for one.
pub(super) fn is_by_customer(thread: &Value) -> bool {
    is_published(thread)
        && (thread["type"] == "customer" || thread["createdBy"]["type"] == "customer")
}

/// What a user wrote to the customer: neither a note nor a line about what was done.
pub(super) fn is_by_user(thread: &Value) -> bool {
    let kind = thread["type"].as_str().unwrap_or_default();
    is_published(thread)
        && thread["createdBy"]["type"] == "user"
        && !["customer", "note", "lineitem"].contains(&kind)
}

pub(super) fn is_note(thread: &Value) -> bool {
    thread["type"] == "note"
}

/// What a reader sees of a thread or event.
pub(super) fn words(thread: &Value) -> String {
    html::to_text(thread["body"].as_str().unwrap_or_default())
}

/// A person's name.
pub(super) fn name(person: &Value) -> String {
    let parts = ["first", "last"].into_iter();
    let parts = parts.filter_map(|part| person[part].as_str());
    let parts: Vec<_> = parts
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect();
    parts.join(" ")
}

/// An id, as a number or as text.
pub(super) fn number(value: &Value) -> Option<u64> {
    value
        .as_u64()
        .or_else(|| value.as_str().and_then(|text| text.parse().ok()))
}

pub(super) fn time(value: &Value) -> Option<Timestamp> {
    let at = humantime::parse_rfc3339_weak(value.as_str()?).ok()?;
    Some(Timestamp(0) + at.duration_since(UNIX_EPOCH).ok()?)
}

fn is_published(thread: &Value) -> bool {
    thread["state"]
        .as_str()
        .is_none_or(|state| state == "published")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}
