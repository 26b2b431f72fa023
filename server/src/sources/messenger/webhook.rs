//! Webhooks in: what a verified body says, told in the domain's words. This file opens the envelope; what stands in it
//! is read by its neighbours.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{control, graph_id::GraphId, message};
use crate::domain::{
    Timestamp,
    source::{Contact, SourceBody, SourceEvent},
};
use crate::sources::graph_webhook::Verified;

/// What an update can be about that this version knows.
const KNOWN: [&str; 8] = [
    "message",
    "postback",
    "delivery",
    "read",
    "pass_thread_control",
    "take_thread_control",
    "request_thread_control",
    "app_roles",
];
/// What stands around it in every update.
const AROUND: [&str; 3] = ["sender", "recipient", "timestamp"];

/// The body is not what the platform sends.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// Whose webhooks they are.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) source: String,
    pub(super) id: GraphId,
    pub(super) app_id: GraphId,
    pub(super) handover_app_id: Option<GraphId>,
    /// Whoever asks for a visitor gets them.
    pub(super) passes_on_request: bool,
}

/// What a body says.
#[derive(Default)]
pub(super) struct Decoded {
    pub(super) events: Vec<SourceEvent>,
    /// Visitors that are to be passed on, because their application asked for them.
    pub(super) requests: Vec<Request>,
    /// What our app may do on this page, where it says so.
    pub(super) roles: Vec<Value>,
}

/// Another application asks for a visitor.
pub(super) struct Request {
    pub(super) psid: String,
    pub(super) app_id: GraphId,
    /// Which of the events it is.
    pub(super) event: usize,
}

/// One update within the envelope.
pub(super) struct Update<'p> {
    pub(super) page: &'p Page,
    pub(super) value: Value,
    /// Our app looks on: somebody else answers the visitor.
    pub(super) standby: bool,
    pub(super) at: Option<Timestamp>,
}

/// What a webhook says to this page, in its order.
pub(super) fn decode(verified: &Verified<'_>, page: &Page) -> Result<Decoded, Malformed> {
    let body: Map<String, Value> =
        serde_json::from_slice(verified.body()).map_err(|_| Malformed)?;
    let object = body.get("object").and_then(Value::as_str);
    if object.ok_or(Malformed)? != "page" {
        tracing::warn!(
            source = page.source,
            "a webhook about something else than pages was dropped"
        );
        return Ok(Decoded::default());
    }
    let mut decoded = Decoded::default();
    for entry in body
        .get("entry")
        .and_then(Value::as_array)
        .ok_or(Malformed)?
    {
        read_entry(entry, page, &mut decoded);
    }
    Ok(decoded)
}

fn read_entry(entry: &Value, page: &Page, decoded: &mut Decoded) {
    // Not the recipient: in some of the platform's examples that is the visitor.
    let named = entry.get("id").and_then(GraphId::read);
    if named.as_ref() != Some(&page.id) {
        let named = named.map(|id| id.to_string()).unwrap_or_default();
        tracing::warn!(
            source = page.source,
            page = named,
            "a webhook of another page was dropped"
        );
        return;
    }
    let arrays = entry.as_object().into_iter().flatten();
    for (name, array) in arrays.filter_map(|(name, array)| Some((name, array.as_array()?))) {
        for value in array {
            let update = Update {
                page,
                value: value.clone(),
                standby: name == "standby",
                at: milliseconds(value.get("timestamp")),
            };
            match name.as_str() {
                "messaging" | "standby" => read_update(&update, decoded),
                _ => decoded.events.push(update.unknown(name)),
            }
        }
    }
}

fn read_update(update: &Update<'_>, decoded: &mut Decoded) {
    let events = &mut decoded.events;
    match update.kind() {
        "message" => message::decode(update, events),
        "postback" => events.push(message::postback(update)),
        "delivery" => message::delivered(update, events),
        // Tells nothing that the delivery did not, for which there is a state.
        "read" => {}
        "pass_thread_control" | "take_thread_control" => events.push(control::changed(update)),
        "request_thread_control" => {
            let request = control::asked_for(update, events.len());
            events.push(control::asked(update, request.is_some()));
            decoded.requests.extend(request);
        }
        "app_roles" => {
            decoded.roles.push(update.value["app_roles"].clone());
            events.push(update.unknown("app_roles"));
        }
        other => events.push(update.unknown(other)),
    }
}

impl Update<'_> {
    /// The name of what it is about, the platform's own.
    fn kind(&self) -> &str {
        if let Some(known) = KNOWN.iter().find(|name| self.value.get(**name).is_some()) {
            return known;
        }
        let mut names = self.value.as_object().into_iter().flatten();
        let about = names.find(|(name, _)| !AROUND.contains(&name.as_str()));
        about.map_or("update", |(name, _)| name)
    }

    /// The visitor: whichever end is not the page. Absent where there is none, as with `app_roles`, whose recipient is
    /// not to be trusted.
    pub(super) fn psid(&self) -> Option<String> {
        let end = |name: &str| Some(self.value.get(name)?.get("id").and_then(GraphId::read));
        [end("sender")?, end("recipient").flatten()]
            .into_iter()
            .flatten()
            .find(|id| *id != self.page.id)
            .map(|id| id.to_string())
    }

    /// An event of its visitor, or of nobody, with an id that is the same when it comes again.
    pub(super) fn event(&self, id: Option<String>, body: SourceBody) -> SourceEvent {
        let event = match self.psid() {
            Some(psid) => SourceEvent::of(contact(&self.page.id, &psid), body),
            None => SourceEvent::apart(body),
        };
        SourceEvent {
            event_id: Some(id.unwrap_or_else(|| self.digest())),
            occurred_at: self.at,
            ..event
        }
    }

    /// What this version does not know, kept as it came.
    pub(super) fn unknown(&self, event_type: &str) -> SourceEvent {
        self.event(
            None,
            SourceBody::Unknown {
                event_type: event_type.to_owned(),
                raw: self.value.to_string(),
            },
        )
    }

    /// An id made of all that it says, for what has none of its own.
    pub(super) fn digest(&self) -> String {
        let digest = Sha256::digest(self.value.to_string().as_bytes());
        format!("{}:{}", self.kind(), URL_SAFE_NO_PAD.encode(digest))
    }
}

/// Visitors are named per page, so the page belongs to their key.
fn contact(page_id: &GraphId, psid: &str) -> Contact {
    Contact {
        key: format!("{page_id}:{psid}"),
        address: super::address::Address::write(psid),
    }
}

fn milliseconds(value: Option<&Value>) -> Option<Timestamp> {
    let value = value?;
    let text = || value.as_str()?.parse().ok();
    let milliseconds: i64 = value.as_i64().or_else(text)?;
    milliseconds.checked_mul(1000).map(Timestamp)
}
