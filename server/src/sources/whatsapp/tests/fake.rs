//! The platform as it is seen from outside: it knows its token and its numbers, counts what it takes, and refuses what
//! breaks its rules, with its own codes.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};

use super::fixture::{NUMBER, TOKEN};
use crate::tests::fake_server::{Behaviour, FakeServer, Request};

/// Messages to one visitor that are taken in a row before the pair rate counts.
pub(super) const BURST: usize = 45;

/// What the platform remembers.
#[derive(Default)]
pub(super) struct World {
    /// Another token than the usual one.
    pub(super) token: Option<String>,
    /// Visitors who spoke too long ago, and who cannot be reached.
    pub(super) silent: HashSet<String>,
    pub(super) unreachable: HashSet<String>,
    /// Messages taken, by visitor, since the last [`World::rest`].
    taken: HashMap<String, usize>,
    count: usize,
}

impl World {
    /// Enough time passes that the pair rate counts anew.
    pub(super) fn rest(&mut self) {
        self.taken.clear();
    }

    fn answer(&mut self, request: &Request) -> Behaviour {
        let token = self.token.as_deref().unwrap_or(TOKEN);
        if request.header("authorization") != format!("Bearer {token}") {
            return error(401, 190, "Invalid OAuth access token");
        }
        if request.method != "POST" || request.path != format!("/v25.0/{NUMBER}/messages") {
            return error(404, 100, "Unsupported request");
        }
        let body = request.json();
        match self.take(&body) {
            Ok(to) => {
                self.count += 1;
                let answer = json!({
                    "messaging_product": "whatsapp", "contacts": [{ "input": to, "wa_id": to }],
                    "messages": [{ "id": format!("wamid.{}", self.count) }],
                });
                Behaviour::answer(200, &answer.to_string())
            }
            Err((code, details)) => error(400, code, details),
        }
    }

    fn take(&mut self, body: &Value) -> Result<String, (i64, &'static str)> {
        let envelope = (&body["messaging_product"], &body["recipient_type"]);
        if envelope != (&json!("whatsapp"), &json!("individual")) {
            return Err((100, "the envelope is wrong"));
        }
        let to = body["to"].as_str().ok_or((100, "no recipient"))?;
        check(body)?;
        if self.unreachable.contains(to) {
            return Err((131_026, "Message undeliverable"));
        }
        if self.silent.contains(to) {
            return Err((131_047, "Re-engagement message"));
        }
        let taken = self.taken.entry(to.to_owned()).or_default();
        if *taken >= BURST {
            return Err((
                131_056,
                "(Business Account, Consumer Account) pair rate limit hit",
            ));
        }
        *taken += 1;
        Ok(to.to_owned())
    }
}

/// The platform, and its memory in the test's hand.
pub(super) async fn start() -> (FakeServer, Arc<Mutex<World>>) {
    let world = Arc::new(Mutex::new(World::default()));
    let inner = Arc::clone(&world);
    let server =
        FakeServer::answering(move |request| inner.lock().expect("a world").answer(request)).await;
    (server, world)
}

/// An error as the platform writes it.
pub(super) fn error(status: u16, code: impl Into<Value>, details: &str) -> Behaviour {
    let code = code.into();
    let body = json!({ "error": {
        "message": format!("(#{code}) {details}"), "type": "OAuthException", "code": code,
        "error_data": { "messaging_product": "whatsapp", "details": details }, "fbtrace_id": "A1",
    }});
    Behaviour::answer(status, &body.to_string())
}

fn check(body: &Value) -> Result<(), (i64, &'static str)> {
    const WRONG: i64 = 131_009;
    let content = |kind: &str| &body[kind];
    match body["type"].as_str() {
        Some("text") => within(&content("text")["body"], 4096),
        Some("interactive") => {
            let inner = content("interactive");
            match inner["type"].as_str() {
                Some("button") => buttons(inner),
                Some("list") => rows(inner),
                _ => Err("no such interactive message"),
            }
        }
        _ => return Err((131_051, "Unsupported message type")),
    }
    .map_err(|why| (WRONG, why))
}

fn buttons(inner: &Value) -> Result<(), &'static str> {
    within(&inner["body"]["text"], 1024)?;
    let buttons = items(&inner["action"]["buttons"]);
    if buttons.is_empty() || buttons.len() > 3 {
        return Err("one to three buttons");
    }
    let replies: Vec<_> = buttons.iter().map(|button| &button["reply"]).collect();
    if buttons.iter().any(|button| button["type"] != "reply") {
        return Err("not a reply button");
    }
    choices(&replies, 256, 20)?;
    let titles: HashSet<_> = replies
        .iter()
        .map(|reply| reply["title"].as_str())
        .collect();
    if titles.len() < replies.len() {
        return Err("two buttons with one title");
    }
    Ok(())
}

fn rows(inner: &Value) -> Result<(), &'static str> {
    within(&inner["body"]["text"], 4096)?;
    within(&inner["action"]["button"], 20)?;
    let sections = items(&inner["action"]["sections"]);
    let rows: Vec<_> = sections
        .iter()
        .flat_map(|section| items(&section["rows"]))
        .collect();
    if rows.is_empty() || rows.len() > 10 {
        return Err("one to ten rows in all");
    }
    choices(&rows, 200, 24)
}

fn choices(choices: &[&Value], id_chars: usize, title_chars: usize) -> Result<(), &'static str> {
    for choice in choices {
        within(&choice["id"], id_chars)?;
        within(&choice["title"], title_chars)?;
    }
    let ids: HashSet<_> = choices.iter().map(|choice| choice["id"].as_str()).collect();
    if ids.len() < choices.len() {
        return Err("two choices with one id");
    }
    Ok(())
}

fn within(value: &Value, chars: usize) -> Result<(), &'static str> {
    let length = value.as_str().map_or(0, |text| text.chars().count());
    if (1..=chars).contains(&length) {
        Ok(())
    } else {
        Err("a text is missing or too long")
    }
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}
