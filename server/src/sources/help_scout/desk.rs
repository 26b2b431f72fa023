//! What is done at the help desk: replies, notes, tags, assignments, and looks at who answers and what arrived.

use std::{sync::Arc, time::Duration};

use http::Method;
use serde_json::{Value, json};

use super::{
    api::Api,
    config::HelpScoutConfig,
    conversation::{
        Address, Place, Rules, assignee, customer, embedded, is_by_user, is_note, newest, number,
        tags, time, words,
    },
    html,
};
use crate::{
    domain::{
        Clock, Owner, Timestamp,
        outbound::{Refusal, Sent},
        source::{Arrival, Author, Handover, Item, ItemBody, NotRead, Observed},
    },
    sources::ending,
};

/// Pages of threads that are looked through for one message; a conversation that is longer is not read to its end.
const MAX_PAGES: u64 = 10;
/// How far their clock, which counts whole seconds, may be behind ours.
const SKEW: Duration = Duration::from_secs(5);
/// How long after an attempt began a reply may still turn up: a request that we gave up may be worked on for a while,
/// and a list may lag behind. A mail that is sent twice is worse than one that is late.
const ARRIVES_WITHIN: Duration = Duration::from_secs(30);

/// The desk, as far as a source acts at it.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) api: Api,
    pub(super) rules: Rules,
    escalate_to: Option<u64>,
    note: String,
    name_humans: bool,
    beacon_replies: bool,
    clock: Arc<dyn Clock>,
}

impl Desk {
    pub(super) fn new(api: Api, config: &HelpScoutConfig, clock: Arc<dyn Clock>) -> Self {
        Self {
            api,
            clock,
            rules: Rules {
                bot_user: config.bot_user_id,
                tag: config.tag.trim().to_owned(),
            },
            escalate_to: config.escalate_to,
            note: config.note.trim().to_owned(),
            name_humans: config.name_humans,
            beacon_replies: config.beacon_replies,
        }
    }

    pub(super) async fn reply(&self, address: &str, item: &Item) -> Result<Sent, Sent> {
        let address = self.address(address)?;
        let path = path(&address);
        let text = html::from_text(&self.text(item)?);
        let customer = match address.customer {
            Some(customer) => customer,
            None => self.customer(&path).await?,
        };
        let customer = json!({ "id": customer });
        let (path, body) = match address.place {
            Place::Conversation(_) => (
                format!("{path}/reply"),
                json!({ "customer": customer, "text": text, "draft": false, "user": self.rules.bot_user }),
            ),
            Place::Chat(_) => (
                format!("{path}/chats"),
                json!({ "customer": customer, "text": text }),
            ),
        };
        let made = self.api.write(&Method::POST, &path, &body).await?;
        Ok(match made {
            Some(remote_id) => Sent::AcknowledgedAs { remote_id },
            None => Sent::Acknowledged,
        })
    }

    /// Tag, note, assignment: each only where it is not there yet, so that the whole can be repeated.
    pub(super) async fn escalate(&self, address: &str, handover: &Handover) -> Result<Sent, Sent> {
        let path = path(&self.address(address)?);
        let conversation = self.api.get(&path).await?;
        if !self.rules.is_tagged(&conversation) {
            // It replaces the whole list.
            let mut tags = tags(&conversation);
            tags.push(&self.rules.tag);
            self.set_tags(&path, &tags).await?;
        }
        self.add_note(&path, &self.handover_note(handover)).await?;
        if let Some(wanted) = self
            .escalate_to
            .filter(|to| assignee(&conversation) != Some(*to))
        {
            let assign = json!({ "op": "replace", "path": "/assignTo", "value": wanted });
            self.api.write(&Method::PATCH, &path, &assign).await?;
        }
        Ok(Sent::Acknowledged)
    }

    /// Whoever is assigned is taken out, and the tag last: the webhook about it then shows the end.
    pub(super) async fn resume(&self, address: &str, note: &str) -> Result<Sent, Sent> {
        let path = path(&self.address(address)?);
        let conversation = self.api.get(&path).await?;
        if self.rules.owner(&conversation) == Some(Owner::Human) {
            self.add_note(&path, note.trim()).await?;
        }
        if self.rules.is_assigned(&conversation) {
            let unassign = json!({ "op": "remove", "path": "/assignTo" });
            self.api.write(&Method::PATCH, &path, &unassign).await?;
        }
        if self.rules.is_tagged(&conversation) {
            let mut tags = tags(&conversation);
            tags.retain(|tag| !self.rules.is_ours(tag));
            self.set_tags(&path, &tags).await?;
        }
        Ok(Sent::Acknowledged)
    }

    pub(super) async fn owner(&self, address: &str) -> Result<Observed, NotRead> {
        let path = path(&self.address(address).map_err(not_read)?);
        let conversation = self.api.get(&path).await.map_err(not_read)?;
        let owner = self.rules.owner(&conversation);
        Ok(owner.map_or_else(
            || Observed {
                unknown: "the conversation shows no list of tags".to_owned(),
                ..Observed::read(Owner::Unknown)
            },
            Observed::read,
        ))
    }

    /// Looks for a thread of ours that says the same and is not older. It is missing only if it had the time to arrive,
    /// and the list shows anything: a conversation has at least the customer's thread.
    pub(super) async fn arrival(
        &self,
        address: &str,
        item: &Item,
        since: Timestamp,
    ) -> Result<Arrival, NotRead> {
        let path = path(&self.address(address).map_err(not_read)?);
        let said = self.text(item).map_err(not_read)?;
        for page in 1..=MAX_PAGES {
            let threads = self.threads(&path, page).await.map_err(not_read)?;
            let shown = embedded(&threads, "threads");
            if shown.is_empty() {
                break;
            }
            let found = shown.iter().find(|thread| {
                is_by_user(thread)
                    && self.rules.is_bot(thread)
                    && time(&thread["createdAt"]).is_none_or(|at| at >= since - SKEW)
                    && html::is_same(&words(thread), &said)
            });
            if let Some(id) = found.and_then(|thread| number(&thread["id"])) {
                let remote_id = id.to_string();
                return Ok(Arrival::Arrived { remote_id });
            }
            if number(&threads["page"]["totalPages"]).is_none_or(|pages| pages <= page) {
                return self.missing(since);
            }
        }
        Err(NotRead::Later { after: None })
    }

    /// Nothing was found of what was sent at `since`.
    fn missing(&self, since: Timestamp) -> Result<Arrival, NotRead> {
        let left = (since + ARRIVES_WITHIN).since(self.clock.now());
        if left.is_zero() {
            Ok(Arrival::Missing)
        } else {
            Err(NotRead::Later { after: Some(left) })
        }
    }

    /// What a visitor is told. A human's words begin with the human's name: they come from our user as well.
    fn text(&self, item: &Item) -> Result<String, Sent> {
        let ItemBody::Text(text) = &item.body else {
            let why = "only text can be shown here";
            return Err(ending::refused(Refusal::Request, why, &[]));
        };
        Ok(match &item.author {
            Author::Human { name, .. } if self.name_humans && !name.trim().is_empty() => {
                format!("{}: {text}", name.trim())
            }
            _ => text.clone(),
        })
    }

    fn handover_note(&self, handover: &Handover) -> String {
        let target = handover.target.trim();
        let target = (!target.is_empty()).then(|| format!("Wanted: {target}"));
        [
            self.note.as_str(),
            target.as_deref().unwrap_or_default(),
            handover.note.trim(),
        ]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("\n\n")
    }

    /// Not a second time where the newest note says just that.
    async fn add_note(&self, path: &str, note: &str) -> Result<(), Sent> {
        if note.is_empty() {
            return Ok(());
        }
        let threads = self.threads(path, 1).await?;
        let last = newest(embedded(&threads, "threads"), is_note);
        if last.is_some_and(|last| html::is_same(&words(last), note)) {
            return Ok(());
        }
        let body = json!({ "text": html::from_text(note), "user": self.rules.bot_user });
        let path = format!("{path}/notes");
        self.api.write(&Method::POST, &path, &body).await.map(drop)
    }

    async fn set_tags(&self, path: &str, tags: &[&str]) -> Result<(), Sent> {
        let path = format!("{path}/tags");
        let tags = json!({ "tags": tags });
        self.api.write(&Method::PUT, &path, &tags).await.map(drop)
    }

    async fn threads(&self, path: &str, page: u64) -> Result<Value, Sent> {
        self.api.get(&format!("{path}/threads?page={page}")).await
    }

    /// Before a reply: as long as this is not known, nothing of it was sent.
    async fn customer(&self, path: &str) -> Result<u64, Sent> {
        let read = self.api.get(path).await;
        let conversation = read.map_err(|sent| match sent {
            Sent::Unclear => Sent::NotSent,
            other => other,
        })?;
        customer(&conversation).ok_or_else(|| {
            let why = "the conversation names no customer";
            ending::refused(Refusal::Unreachable, why, &[])
        })
    }

    /// Whom an address of our own making means. Nothing is done about a live chat unless that was configured.
    fn address(&self, address: &str) -> Result<Address, Sent> {
        let read = serde_json::from_str::<Address>(address).map_err(|_| {
            let why = "the visitor's address cannot be read";
            ending::refused(Refusal::Request, why, &[])
        })?;
        if matches!(read.place, Place::Chat(_)) && !self.beacon_replies {
            let why = "a live chat cannot be answered here: beacon_replies is off";
            return Err(ending::refused(Refusal::Unreachable, why, &[]));
        }
        Ok(read)
    }
}

fn path(address: &Address) -> String {
    match &address.place {
        Place::Conversation(id) => format!("conversations/{id}"),
        Place::Chat(id) => format!("conversations/{id}"),
    }
}

/// What the ending of a look means.
fn not_read(sent: Sent) -> NotRead {
    match sent {
        Sent::Refused { detail, .. } => NotRead::Refused { detail },
        Sent::Busy { retry_after: after } | Sent::NotNow { after } => NotRead::Later { after },
        _ => NotRead::Later { after: None },
    }
}
