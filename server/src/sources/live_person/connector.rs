//! Webhooks of `LivePerson`'s Connector API, for who wants to see what happens in a conversation while it is not the
//! bot's: the words of humans, who is assigned, and the end. Nothing is sent through it.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value};
use sha1::Sha1;

use super::{LivePersonConfig, contact, event::milliseconds};
use crate::{
    domain::{
        Owner, Unverified,
        inbound::{Webhook, WebhookRefusal},
        message::{HumanMessage, HumanMessageKind},
        source::{Observed, SourceBody, SourceEvent},
    },
    verification::{Secrets, from_base64, one_header},
};

/// The roles of people who speak to visitors, as far as they are known.
const HUMANS: [&str; 2] = ["ASSIGNED_AGENT", "MANAGER"];

const SIGNATURE: &str = "x-liveperson-signature";
const SIGNATURE_PREFIX: &str = "sha1=";

/// The application's webhooks.
#[derive(Debug)]
pub(super) struct Connector {
    account_id: String,
    secrets: Secrets,
    own_ids: Vec<String>,
}

impl Connector {
    /// `None`: it is not set up.
    pub(super) fn new(config: &LivePersonConfig) -> Option<Self> {
        (!config.connector_secrets.is_empty()).then(|| Self {
            account_id: config.account_id.clone(),
            secrets: Secrets::new(&config.connector_secrets),
            own_ids: config.connector_own_ids.clone(),
        })
    }

    pub(super) fn receive(&self, webhook: &Webhook) -> Result<Vec<SourceEvent>, WebhookRefusal> {
        self.verify(webhook)?;
        let malformed = || WebhookRefusal::Malformed;
        let body: Map<String, Value> =
            serde_json::from_slice(&webhook.body).map_err(|_| malformed())?;
        let kind = body.get("type").and_then(Value::as_str);
        let kind = kind.unwrap_or_default();
        let changes = || {
            let changes = (body.get("body")).and_then(|body| body["changes"].as_array());
            changes.ok_or_else(malformed).map(|changes| changes.iter())
        };
        Ok(match kind {
            "ms.MessagingEventNotification" => {
                changes()?.filter_map(|change| self.said(change)).collect()
            }
            "cqm.ExConversationChangeNotification" => changes()?
                .filter_map(|change| self.changed(&change["result"]))
                .collect(),
            _ => {
                let raw = String::from_utf8_lossy(&webhook.body).into_owned();
                let event_type = kind.to_owned();
                vec![SourceEvent::apart(SourceBody::Unknown { event_type, raw })]
            }
        })
    }

    /// In constant time. Fails with the part that is missing or does not fit.
    fn verify(&self, webhook: &Webhook) -> Result<(), Unverified> {
        let value = one_header(&webhook.headers, SIGNATURE)?;
        let signature = value.strip_prefix(SIGNATURE_PREFIX).and_then(from_base64);
        let signature =
            signature.ok_or_else(|| Unverified::malformed(SIGNATURE, "sha1= and base64"))?;
        let is_made_with = |secret: &str| {
            Hmac::<Sha1>::new_from_slice(secret.as_bytes()).is_ok_and(|mac| {
                mac.chain_update(&webhook.body)
                    .verify_slice(&signature)
                    .is_ok()
            })
        };
        self.secrets
            .any(is_made_with, || Unverified::mismatch(SIGNATURE))
    }

    /// What somebody said, unless it was us: the visitor's words and the agent's come and go through the bot's calls.
    fn said(&self, change: &Value) -> Option<SourceEvent> {
        let from = &change["originatorMetadata"];
        let id = from["id"].as_str().or(change["originatorId"].as_str());
        let is_ours = id.is_some_and(|id| self.is_own(id)) || from["role"] == "CONSUMER";
        let event = &change["event"];
        let kind = event["type"].as_str().unwrap_or_default();
        // Typing and reading are no words.
        if is_ours || matches!(kind, "AcceptStatusEvent" | "ChatStateEvent") {
            return None;
        }
        let dialog = change["dialogId"].as_str();
        let conversation = change["conversationId"].as_str().or(dialog)?;
        let dialog = dialog.unwrap_or(conversation);
        let id = format!("connector:{dialog}:{}", change["sequence"]);
        let is_private = [&change["messageAudience"], &event["messageAudience"]]
            .iter()
            .any(|audience| audience.as_str().is_some_and(|audience| audience != "ALL"));
        // Without a role it may be anybody, a machine or the visitor as well.
        let is_human = from["role"]
            .as_str()
            .is_some_and(|role| HUMANS.contains(&role));
        let is_said = is_human && kind == "ContentEvent" && !is_private;
        let body = match event["message"].as_str() {
            Some(text) if is_said && !text.trim().is_empty() => SourceBody::Human(words(&id, text)),
            _ => SourceBody::Unknown {
                event_type: kind.to_owned(),
                raw: change.to_string(),
            },
        };
        let mut said = self.event(conversation, body);
        said.event_id = Some(id);
        said.occurred_at = change["serverTimestamp"].as_i64().and_then(milliseconds);
        said.owner = (from["role"] == "ASSIGNED_AGENT").then(|| Observed::pushed(Owner::Human));
        Some(said)
    }

    /// Who is assigned, and whether it is over. While nobody is, the visitor waits for somebody: nothing is told.
    fn changed(&self, result: &Value) -> Option<SourceEvent> {
        let conversation = result["convId"].as_str()?;
        let details = &result["conversationDetails"];
        if details["state"] == "CLOSE" {
            let mut ended = self.event(conversation, SourceBody::Ended);
            // Told again it must not end what began since; resumed and closed again it ends at another time.
            let at = &details["endTs"];
            ended.event_id = Some(format!("connector:{conversation}:closed:{at}"));
            return Some(ended);
        }
        let participants = details["participants"].as_array()?;
        let assigned = participants
            .iter()
            .find(|one| one["role"] == "ASSIGNED_AGENT")?;
        let owner = if self.is_own(assigned["id"].as_str()?) {
            Owner::Agent
        } else {
            Owner::Human
        };
        let mut changed = self.event(conversation, SourceBody::Owner);
        changed.owner = Some(Observed::pushed(owner));
        Some(changed)
    }

    /// Only of conversations that the bot has had.
    fn event(&self, conversation: &str, body: SourceBody) -> SourceEvent {
        let contact = contact::contact(&self.account_id, conversation);
        SourceEvent {
            contact_must_exist: true,
            ..SourceEvent::of(contact, body)
        }
    }

    fn is_own(&self, id: &str) -> bool {
        self.own_ids.iter().any(|own| own == id)
    }
}

fn words(id: &str, text: &str) -> HumanMessage {
    HumanMessage {
        message_id: id.to_owned(),
        kind: HumanMessageKind::Text,
        text: text.to_owned(),
        name: String::new(),
        avatar_url: String::new(),
        queue_position: None,
        waiting_time: None,
        from_source: true,
        raw: String::new(),
    }
}
