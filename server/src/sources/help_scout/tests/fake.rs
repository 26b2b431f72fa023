//! Help Scout as it is seen from outside: it gives tokens and wants them, keeps conversations with their tags, assignees
//! and threads, replaces lists of tags, leaves `_embedded` out where a list is empty, and counts requests.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};

use super::fixture::{APP_ID, APP_SECRET, BOT};
use crate::tests::fake_server::{Behaviour, FakeServer, Request};

/// Threads on one page.
const PAGE: usize = 3;

/// What it remembers.
#[derive(Default)]
pub(super) struct World {
    pub(super) conversations: BTreeMap<u64, Conversation>,
    /// The number of the token that counts; those before have ended.
    pub(super) token: usize,
    /// Requests that are still taken in this minute, writes counting double; unset: any number.
    pub(super) left: Option<u32>,
    threads: u64,
}

/// One conversation.
#[derive(Default)]
pub(super) struct Conversation {
    pub(super) customer: u64,
    pub(super) tags: Vec<String>,
    pub(super) assignee: Option<u64>,
    pub(super) threads: Vec<Value>,
}

impl World {
    /// Writes a thread into a conversation, newest first.
    pub(super) fn add(&mut self, id: u64, kind: &str, by: &Value, text: &str, at: &str) -> u64 {
        self.threads += 1;
        let thread = json!({
            "id": self.threads, "type": kind, "state": "published", "body": text, "createdBy": by, "createdAt": at,
        });
        let conversation = self.conversations.get_mut(&id).expect("a conversation");
        conversation.threads.insert(0, thread);
        self.threads
    }

    fn answer(&mut self, request: &Request) -> Behaviour {
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let parts: Vec<_> = path.trim_start_matches('/').split('/').collect();
        if parts == ["v2", "oauth2", "token"] {
            return self.give_token(request);
        }
        if request.header("authorization") != format!("Bearer token-{}", self.token) {
            return Behaviour::answer(401, r#"{"error":"invalid_token"}"#);
        }
        if let Some(left) = &mut self.left {
            let cost = if request.method == "GET" { 1 } else { 2 };
            if *left < cost {
                return Behaviour::answer(429, "{}").with_header("x-ratelimit-retry-after", "20");
            }
            *left -= cost;
        }
        let ["v2", "conversations", id, rest @ ..] = parts.as_slice() else {
            return Behaviour::answer(404, "{}");
        };
        let Some(id) = id
            .parse()
            .ok()
            .filter(|id| self.conversations.contains_key(id))
        else {
            return refused(404, "id", "no such conversation");
        };
        match (request.method.as_str(), rest) {
            ("GET", []) => Behaviour::answer(200, &self.show(id).to_string()),
            ("GET", ["threads"]) => self.page(id, query),
            ("POST", ["reply"]) => self.reply(id, &request.json()),
            ("POST", ["notes"]) => self.note(id, &request.json()),
            ("PUT", ["tags"]) => self.put_tags(id, &request.json()),
            ("PATCH", []) => self.patch(id, &request.json()),
            _ => Behaviour::answer(405, "{}"),
        }
    }

    fn give_token(&mut self, request: &Request) -> Behaviour {
        let asked = request.json();
        let expected = json!({
            "grant_type": "client_credentials", "client_id": APP_ID, "client_secret": APP_SECRET,
        });
        if request.method != "POST" || asked != expected {
            return Behaviour::answer(401, r#"{"error":"invalid_client"}"#);
        }
        self.token += 1;
        let token = format!("token-{}", self.token);
        let answer =
            json!({ "token_type": "bearer", "access_token": token, "expires_in": 172_800 });
        Behaviour::answer(200, &answer.to_string())
    }

    fn show(&self, id: u64) -> Value {
        let conversation = &self.conversations[&id];
        let tags = conversation.tags.iter().enumerate();
        let tags: Vec<_> = tags
            .map(|(id, tag)| json!({ "id": id, "color": "#fff", "tag": tag }))
            .collect();
        let mut shown = json!({
            "id": id, "mailboxId": 85, "status": "active", "tags": tags,
            "primaryCustomer": { "id": conversation.customer },
        });
        if let Some(assignee) = conversation.assignee {
            shown["assignee"] = json!({ "id": assignee, "first": "Jane", "last": "Doe" });
        }
        shown
    }

    fn page(&self, id: u64, query: &str) -> Behaviour {
        let number: usize = query
            .strip_prefix("page=")
            .map_or(1, |number| number.parse().expect("a page's number"));
        let threads = &self.conversations[&id].threads;
        let shown: Vec<_> = threads
            .chunks(PAGE)
            .nth(number - 1)
            .unwrap_or_default()
            .to_vec();
        let pages = threads.len().div_ceil(PAGE);
        let mut list = json!({
            "page": { "size": PAGE, "totalElements": threads.len(), "totalPages": pages, "number": number },
            "_links": {},
        });
        if !shown.is_empty() {
            list["_embedded"] = json!({ "threads": shown });
        }
        Behaviour::answer(200, &list.to_string())
    }

    fn reply(&mut self, id: u64, body: &Value) -> Behaviour {
        if body["customer"]["id"] != self.conversations[&id].customer {
            return refused(400, "customer", "is not the customer of this conversation");
        }
        self.made(id, "message", body)
    }

    fn note(&mut self, id: u64, body: &Value) -> Behaviour {
        self.made(id, "note", body)
    }

    fn made(&mut self, id: u64, kind: &str, body: &Value) -> Behaviour {
        let Some(text) = body["text"].as_str().filter(|text| !text.is_empty()) else {
            return refused(400, "text", "may not be empty");
        };
        let by = json!({ "id": body["user"], "type": "user" });
        let made = self.add(id, kind, &by, text, "2026-11-20T00:00:00Z");
        Behaviour::answer(201, "").with_header("resource-id", &made.to_string())
    }

    fn put_tags(&mut self, id: u64, body: &Value) -> Behaviour {
        let Some(tags) = body["tags"].as_array() else {
            return refused(400, "tags", "is no list");
        };
        let tags = tags
            .iter()
            .map(|tag| tag.as_str().expect("a name").to_owned());
        self.conversations.get_mut(&id).expect("it is there").tags = tags.collect();
        Behaviour::answer(204, "")
    }

    fn patch(&mut self, id: u64, body: &Value) -> Behaviour {
        let conversation = self.conversations.get_mut(&id).expect("it is there");
        match (
            body["op"].as_str(),
            body["path"].as_str(),
            body["value"].as_u64(),
        ) {
            (Some("replace"), Some("/assignTo"), Some(to)) => conversation.assignee = Some(to),
            (Some("remove"), Some("/assignTo"), None) => conversation.assignee = None,
            _ => return refused(400, "op", "is not known"),
        }
        Behaviour::answer(204, "")
    }
}

/// The platform, with two customers' conversations, and its memory in the test's hand.
pub(super) async fn start() -> (FakeServer, Arc<Mutex<World>>) {
    let mut world = World::default();
    for (id, customer) in [(42, 256), (43, 257)] {
        let conversation = Conversation {
            customer,
            ..Conversation::default()
        };
        world.conversations.insert(id, conversation);
    }
    let world = Arc::new(Mutex::new(world));
    let inner = Arc::clone(&world);
    let server =
        FakeServer::answering(move |request| inner.lock().expect("a world").answer(request)).await;
    (server, world)
}

/// By whom a thread is.
pub(super) fn user(id: u64) -> Value {
    json!({ "id": id, "type": "user", "first": "Jane", "last": "Doe", "photoUrl": "https://example.org/j.png" })
}

pub(super) fn bot() -> Value {
    json!({ "id": BOT, "type": "user", "first": "Bot", "last": "" })
}

fn refused(status: u16, path: &str, message: &str) -> Behaviour {
    let body = json!({
        "logRef": "r-1", "message": "Bad request",
        "_embedded": { "errors": [{ "path": path, "message": message, "rejectedValue": "the words" }] },
    });
    Behaviour::answer(status, &body.to_string())
}
