//! Who answers a visitor: what the platform tells of it, and what it says when asked.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    graph_id::GraphId,
    webhook::{Request, Update},
};
use crate::domain::{
    Timestamp,
    owner::Owner,
    source::{Observed, SourceBody, SourceEvent},
};

/// How long an application keeps a conversation in which nothing happens.
const CONTROL: Duration = Duration::from_hours(24);

/// Our app was told itself, so it may answer.
pub(super) fn answered_by_us() -> Observed {
    Observed::pushed(Owner::Agent)
}

/// Another application answers, for a day after the last word.
pub(super) fn answered_by_others(update: &Update<'_>) -> Observed {
    Observed {
        expires_at: update.at.map(|at| at + CONTROL),
        ..Observed::pushed(Owner::Human)
    }
}

/// Control was passed or taken.
pub(super) fn changed(update: &Update<'_>) -> SourceEvent {
    let change = ["pass_thread_control", "take_thread_control"]
        .into_iter()
        .find_map(|name| update.value.get(name));
    let new = change.and_then(|change| GraphId::read(change.get("new_owner_app_id")?));
    let (owner, body) = match new {
        Some(app) if app == update.page.app_id => (Some(answered_by_us()), SourceBody::Owner),
        Some(_) => (Some(answered_by_others(update)), SourceBody::Owner),
        // It does not say to whom: that can be read.
        None => (None, SourceBody::Doubt),
    };
    SourceEvent {
        owner,
        contact_must_exist: true,
        ..update.event(None, body)
    }
}

/// Whom to pass the visitor to who was asked for, if that is what is done.
pub(super) fn asked_for(update: &Update<'_>, event: usize) -> Option<Request> {
    let asks = &update.value["request_thread_control"]["requested_owner_app_id"];
    let app_id = GraphId::read(asks).filter(|app| *app != update.page.app_id)?;
    let request = Request {
        psid: update.psid()?,
        app_id,
        event,
    };
    update.page.passes_on_request.then_some(request)
}

/// Another application asks for the visitor. Where it is to have them, the agent falls silent with this very event: the
/// platform does not promise to tell the application that passes. Should the pass fail, the visitor's next message
/// comes to us and shows it.
pub(super) fn asked(update: &Update<'_>, passed: bool) -> SourceEvent {
    if !passed {
        return update.unknown("request_thread_control");
    }
    SourceEvent {
        owner: Some(answered_by_others(update)),
        contact_must_exist: true,
        ..update.event(None, SourceBody::Owner)
    }
}

/// What an answer to "who owns this conversation" says at `now`. `is_default`: idle conversations are ours.
///
/// To the owner and to the default application the platform names the owner; to others it only says until when there
/// is one. Of an idle conversation it says nothing.
pub(super) fn read(answer: &Value, app_id: &GraphId, is_default: bool, now: Timestamp) -> Observed {
    let owner = &answer["data"][0]["thread_owner"];
    let expires_at = seconds(&owner["expiration"]);
    let is_idle = answer.get("data").is_none_or(|data| *data == json!([]))
        || expires_at.is_some_and(|at| at <= now);
    if is_idle {
        return idle(is_default);
    }
    let owner = match GraphId::read(&owner["app_id"]) {
        Some(app) if app == *app_id => Owner::Agent,
        Some(_) => Owner::Human,
        None if expires_at.is_some() => Owner::Human,
        None => return unknown("an answer that names no owner"),
    };
    Observed {
        expires_at,
        ..Observed::read(owner)
    }
}

/// Nobody owns it: the default application may answer, and only that.
fn idle(is_default: bool) -> Observed {
    if is_default {
        Observed::read(Owner::Agent)
    } else {
        unknown("idle, and another application is the page's default one")
    }
}

fn unknown(what: &str) -> Observed {
    Observed {
        unknown: what.to_owned(),
        ..Observed::read(Owner::Unknown)
    }
}

fn seconds(value: &Value) -> Option<Timestamp> {
    let text = || value.as_str()?.parse().ok();
    let seconds: i64 = value.as_i64().or_else(text)?;
    seconds.checked_mul(1_000_000).map(Timestamp)
}
