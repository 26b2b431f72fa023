//! A sixth source, as small as one can be: a desk with a bell. It shows how little a source needs.

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::{
    domain::{
        Owner, Unverified,
        inbound::{Webhook, WebhookRefusal, WebhookReply},
        outbound::{Refusal, Sent},
        ports::Source,
        source::{
            Capabilities, Contact, Handover, Item, ItemBody, NotRead, Observed, Received,
            SourceBody, SourceEvent, Words,
        },
    },
    outgoing,
    sources::{conformance::SECRET, ending},
};

mod place;

const CAPABILITIES: Capabilities = Capabilities {
    text_chars: 500,
    offers: &[],
    cards: None,
    hands_over: true,
    hands_over_with_text: false,
    reads_owner: true,
    reads_back: false,
    agent_window: None,
    human_window: None,
};

/// Where to call, and how.
#[derive(Debug)]
struct Desk(outgoing::Client, String);

impl Desk {
    async fn call(&self, what: &str, body: &Value) -> Result<Value, Sent> {
        let request = self.0.post(format!("{}/{what}", self.1)).json(body);
        let sent = request.header("bell", SECRET).send().await;
        let answer = sent.map_err(|error| ending::without_answer("desk", &error))?;
        match answer.status().as_u16() {
            200 => Ok(answer.json().await.unwrap_or_default()),
            401 => Err(ending::refused(Refusal::Credentials, "wrong bell", &[])),
            429 => Err(Sent::Busy {
                retry_after: ending::seconds(answer.headers(), "retry-after"),
            }),
            _ => Err(Sent::Unclear),
        }
    }
}

#[async_trait]
impl Source for Desk {
    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    fn receive(&self, webhook: &Webhook) -> Result<Received, WebhookRefusal> {
        if webhook
            .headers
            .get("bell")
            .is_none_or(|bell| bell != SECRET)
        {
            return Err(Unverified::mismatch("bell").into());
        }
        let body: Value =
            serde_json::from_slice(&webhook.body).map_err(|_| WebhookRefusal::Malformed)?;
        let word = |name: &str| body[name].as_str().map(str::to_owned);
        let contact = word("who").map(|key| Contact {
            address: key.clone(),
            key,
        });
        let event = match (contact, word("says")) {
            (Some(contact), Some(text)) => SourceEvent {
                event_id: word("id"),
                ..SourceEvent::of(
                    contact,
                    SourceBody::Message {
                        words: Words::Text(text),
                        visitor: None,
                        parameters: Vec::new(),
                        raw: String::new(),
                    },
                )
            },
            _ => SourceEvent::apart(SourceBody::Unknown {
                event_type: String::new(),
                raw: body.to_string(),
            }),
        };
        Ok(Received {
            events: vec![event],
            reply: Box::new(WebhookReply::ok()),
        })
    }

    async fn deliver(&self, address: &str, item: &Item) -> Sent {
        let ItemBody::Text(text) = &item.body else {
            return ending::refused(Refusal::Request, "text only", &[]);
        };
        let body = json!({ "who": address, "show": text });
        self.call("show", &body)
            .await
            .map_or_else(|ended| ended, |_| Sent::Acknowledged)
    }

    async fn escalate(&self, address: &str, _: &Handover) -> Sent {
        let human = json!({ "who": address, "human": true });
        self.call("owner", &human)
            .await
            .map_or_else(|ended| ended, |_| Sent::Acknowledged)
    }

    async fn resume(&self, address: &str, _: &str) -> Sent {
        let agent = json!({ "who": address, "human": false });
        self.call("owner", &agent)
            .await
            .map_or_else(|ended| ended, |_| Sent::Acknowledged)
    }

    async fn read_owner(&self, address: &str) -> Result<Observed, NotRead> {
        let said = self.call("owner", &json!({ "who": address })).await;
        match said.map_err(|_| NotRead::Later { after: None })?["human"].as_bool() {
            Some(true) => Ok(Observed::read(Owner::Human)),
            _ => Ok(Observed::read(Owner::Agent)),
        }
    }
}
