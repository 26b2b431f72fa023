//! Facebook Messenger: one page, whose conversations our app shares with another one by conversation routing.

mod address;
mod capabilities;
mod client;
mod config;
mod control;
mod fault;
mod graph_id;
mod message;
mod pauses;
mod reply;
mod send;
#[cfg(test)]
mod tests;
mod webhook;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use self::{
    address::Address,
    capabilities::{WEEK, capabilities},
    client::{Answer, Client},
    fault::Meaning,
    pauses::Pauses,
    reply::PassOn,
    send::Grounds,
    webhook::Page,
};
use crate::{
    config::SourceConfig,
    domain::{
        Clock, Owner,
        inbound::{Webhook, WebhookRefusal, WebhookReply},
        outbound::{Refusal, Sent},
        ports::Source,
        source::{Capabilities, Handover, Item, NotRead, Observed, Received, SourceReply},
    },
    sources::{Means, graph_webhook::Verification},
};

pub use config::{HandOverBy, MessengerConfig, TakeBackBy, ThreadRequests};
pub use graph_id::GraphId;

/// One page.
#[derive(Debug)]
pub struct Messenger {
    capabilities: Capabilities,
    page: Page,
    verification: Verification,
    client: Arc<Client>,
    pauses: Pauses,
    clock: Arc<dyn Clock>,
    name_humans: bool,
    human_agent_tag: bool,
    extend_control: Option<Duration>,
    hand_over_by: HandOverBy,
    take_back_by: TakeBackBy,
    /// Our app may answer what nobody owns, until the platform says that it may not.
    is_default: AtomicBool,
}

impl Messenger {
    /// Fails when the base URL leads where it may not.
    pub fn new(
        source: &SourceConfig,
        config: &MessengerConfig,
        Means { clock, .. }: Means,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            capabilities: capabilities(config),
            page: Page {
                source: source.name.clone(),
                id: config.page_id.clone(),
                app_id: config.app_id.clone(),
                handover_app_id: config.handover_app_id.clone(),
                passes_on_request: config.thread_requests == ThreadRequests::Pass,
            },
            verification: Verification::new(&config.app_secrets, &config.verify_tokens),
            client: Arc::new(Client::new(source, config)?),
            pauses: Pauses::new(Arc::clone(&clock)),
            clock,
            name_humans: config.name_humans,
            human_agent_tag: config.human_agent_tag,
            extend_control: config.extend_control,
            hand_over_by: config.hand_over_by,
            take_back_by: config.take_back_by,
            // Who lets go hands over to the default application, and so is not that itself.
            is_default: AtomicBool::new(config.hand_over_by == HandOverBy::Pass),
        })
    }

    /// One message, unless the visitor is to be left alone.
    async fn send(&self, psid: &str, body: &Value) -> Sent {
        if let Some(left) = self.pauses.left(psid) {
            return Sent::NotNow { after: Some(left) };
        }
        let answer = self.client.post("messages", body).await;
        self.ended(psid, answer, |done| {
            self.pauses.end(psid);
            match done["message_id"].as_str() {
                Some(id) => Sent::AcknowledgedAs {
                    remote_id: id.to_owned(),
                },
                None => Sent::Acknowledged,
            }
        })
    }

    /// One step of thread control.
    async fn control(&self, psid: &str, edge: &str, body: &Value) -> Sent {
        let answer = self.client.post(edge, body).await;
        self.ended(psid, answer, |done| {
            if done["success"] == false {
                refused(
                    Refusal::Request,
                    "the platform answered that it did not succeed",
                )
            } else {
                Sent::Acknowledged
            }
        })
    }

    fn ended(&self, psid: &str, answer: Answer, done: impl FnOnce(&Value) -> Sent) -> Sent {
        match answer {
            Answer::Done(said) => done(&said),
            Answer::Failed(fault) => fault.sent(|| self.pauses.begin(psid)),
            Answer::NotSent => Sent::NotSent,
            Answer::Unclear => Sent::Unclear,
        }
    }

    /// Keeps control for longer than the platform's day. The visitor is ours already: a failure changes nothing.
    async fn extend(&self, psid: &str, span: Duration) {
        let body = json!({
            "recipient": { "id": psid }, "duration": span.min(WEEK).as_secs(),
        });
        // Whatever went wrong is in the log.
        let _ = self.client.post("extend_thread_control", &body).await;
    }

    fn note_roles(&self, roles: &[Value]) {
        for role in roles {
            let ours = role[self.page.app_id.as_str()].as_array();
            let says = |word| ours.is_some_and(|ours| ours.iter().any(|role| role == word));
            let is_default = says("primary_receiver");
            if !is_default && !says("secondary_receiver") {
                continue;
            }
            tracing::info!(
                source = self.page.source,
                is_default,
                "the platform told the role of our app"
            );
            self.is_default.store(is_default, Ordering::Relaxed);
        }
    }
}

#[async_trait]
impl Source for Messenger {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn receive(&self, webhook: &Webhook) -> Result<Received, WebhookRefusal> {
        tracing::debug!(source = self.page.source, ?webhook, "a webhook came");
        match webhook.method {
            Method::GET => return Ok(apart(self.verification.challenged(webhook))),
            Method::POST => {}
            _ => return Ok(apart(WebhookReply::status(StatusCode::METHOD_NOT_ALLOWED))),
        }
        let verified = self.verification.verify(webhook)?;
        let decoded = webhook::decode(&verified, &self.page);
        let decoded = decoded.map_err(|_| WebhookRefusal::Malformed)?;
        self.note_roles(&decoded.roles);
        let reply: Box<dyn SourceReply> = if decoded.requests.is_empty() {
            Box::new(WebhookReply::ok())
        } else {
            Box::new(PassOn {
                source: self.page.source.clone(),
                client: Arc::clone(&self.client),
                requests: decoded.requests,
            })
        };
        Ok(Received {
            events: decoded.events,
            reply,
        })
    }

    async fn deliver(&self, address: &str, item: &Item) -> Sent {
        let Some(Address { psid }) = Address::read(address) else {
            return unaddressed();
        };
        let body = |grounds| send::body(&psid, item, self.name_humans, grounds);
        let Ok(response) = body(Grounds::Response) else {
            return refused(Refusal::Request, "cannot be sent as a response");
        };
        let sent = self.send(&psid, &response).await;
        // When the visitor spoke last only the platform knows for sure. What it refused for that was not processed.
        if self.human_agent_tag
            && is_refused_for(&sent, Refusal::WindowClosed)
            && let Ok(tagged) = body(Grounds::HumanAgent)
        {
            return self.send(&psid, &tagged).await;
        }
        sent
    }

    async fn escalate(&self, address: &str, handover: &Handover) -> Sent {
        let Some(Address { psid }) = Address::read(address) else {
            return unaddressed();
        };
        let target = match (self.hand_over_by, &self.page.handover_app_id) {
            (HandOverBy::Release, _) => None,
            (HandOverBy::Pass, Some(target)) => Some(target),
            (HandOverBy::Pass, None) => {
                let why = "there is nobody to hand over to: handover_app_id is not set";
                return refused(Refusal::Request, why);
            }
        };
        if let Some(text) = handover
            .text
            .as_ref()
            .filter(|text| !text.trim().is_empty())
        {
            let sent = self.send(&psid, &send::farewell(&psid, text, target)).await;
            if !is_unspoken(&sent) {
                return done_before(sent);
            }
        }
        let conversation = handover.conversation_id.as_str();
        let metadata = json!({ "reason": "escalation", "conv": conversation });
        let (edge, body) = match target {
            Some(target) => ("pass_thread_control", reply::pass(&psid, target, &metadata)),
            None => (
                "release_thread_control",
                json!({ "recipient": { "id": psid }, "metadata": metadata.to_string() }),
            ),
        };
        done_before(self.control(&psid, edge, &body).await)
    }

    async fn resume(&self, address: &str, _note: &str) -> Sent {
        let Some(Address { psid }) = Address::read(address) else {
            return unaddressed();
        };
        // Not the note: what is said here is shown to other applications.
        let metadata = json!({ "reason": "handback" }).to_string();
        let body = json!({ "recipient": { "id": psid }, "metadata": metadata });
        let edge = match self.take_back_by {
            TakeBackBy::Take => "take_thread_control",
            TakeBackBy::Request => "request_thread_control",
        };
        let sent = self.control(&psid, edge, &body).await;
        if self.take_back_by == TakeBackBy::Request {
            return sent;
        }
        if let (Sent::Acknowledged, Some(span)) = (&sent, self.extend_control) {
            self.extend(&psid, span).await;
        }
        sent
    }

    async fn read_owner(&self, address: &str) -> Result<Observed, NotRead> {
        let Some(Address { psid }) = Address::read(address) else {
            let detail = "the contact's address is not one of this source".to_owned();
            return Err(NotRead::Refused { detail });
        };
        match self.client.get("thread_owner", &psid).await {
            Answer::Done(said) if said.is_object() => {
                let is_default = self.is_default.load(Ordering::Relaxed);
                Ok(control::read(
                    &said,
                    &self.page.app_id,
                    is_default,
                    self.clock.now(),
                ))
            }
            Answer::Failed(fault) => match fault.meaning {
                Meaning::NotOwner => Ok(Observed::read(Owner::Human)),
                Meaning::Later => Err(NotRead::Later {
                    after: Some(pauses::FIRST),
                }),
                _ => Err(NotRead::Refused {
                    detail: fault.detail(),
                }),
            },
            Answer::Done(_) | Answer::NotSent | Answer::Unclear => {
                Err(NotRead::Later { after: None })
            }
        }
    }
}

/// What concerns no visitor.
fn apart(reply: WebhookReply) -> Received {
    Received {
        events: Vec::new(),
        reply: Box::new(reply),
    }
}

/// Whoever does not own a visitor any more has given them away before.
fn done_before(sent: Sent) -> Sent {
    if is_refused_for(&sent, Refusal::NotOwner) {
        return Sent::Acknowledged;
    }
    sent
}

/// Words that were certainly not said, and now cannot be: too fast, too late, or not liked. Nobody waits for a human
/// because of words.
fn is_unspoken(sent: &Sent) -> bool {
    matches!(sent, Sent::NotNow { .. } | Sent::Busy { .. })
        || is_refused_for(sent, Refusal::WindowClosed)
        || is_refused_for(sent, Refusal::Request)
}

fn is_refused_for(sent: &Sent, reason: Refusal) -> bool {
    matches!(sent, Sent::Refused { refusal, .. } if *refusal == reason)
}

fn refused(refusal: Refusal, detail: &str) -> Sent {
    Sent::Refused {
        refusal,
        detail: detail.to_owned(),
    }
}

fn unaddressed() -> Sent {
    refused(
        Refusal::Request,
        "the contact's address is not one of this source",
    )
}
