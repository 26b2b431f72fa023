//! `LivePerson`, third-party bots by a custom endpoint: it calls us and waits, and what the agent says meanwhile is the
//! answer.

mod answer;
mod call;
mod config;
mod connector;
mod contact;
mod event;
mod recent;
mod reply;
#[cfg(test)]
mod tests;
mod token;
mod waiting;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use http::StatusCode;
use serde_json::json;

use self::{
    call::Call,
    connector::Connector,
    event::Wait,
    reply::{Begun, Silence, Spoken},
    token::Tokens,
    waiting::Answers,
};
use crate::{
    config::SourceConfig,
    domain::{
        inbound::{Webhook, WebhookRefusal, WebhookReply},
        outbound::{Refusal, Sent},
        ports::Source,
        source::{Capabilities, Handover, Item, Received, SourceBody, SourceReply},
    },
    sources::Means,
};

pub use config::{BotState, LivePersonConfig};

/// Where the webhooks of a Connector API application come in.
const CONNECTOR: &str = "connector";

/// How soon to try again while no call waits for an answer: so much later than its call a late message is told.
const NOBODY_WAITS: Duration = Duration::from_secs(1);

/// Text alone: structured content must fit the visitor's channel, which the bot is not told, and what comes back of a
/// pressed button is its text, without the choice that it stood for.
const CAPABILITIES: Capabilities = Capabilities {
    // LivePerson takes more; a longer message is hard to read in a chat window.
    text_chars: 2000,
    offers: &[],
    cards: None,
    hands_over: true,
    hands_over_with_text: true,
    reads_owner: false,
    reads_back: false,
    agent_window: None,
    human_window: None,
};

/// One source.
#[derive(Debug)]
pub struct LivePerson {
    name: String,
    config: LivePersonConfig,
    tokens: Tokens,
    connector: Option<Connector>,
    answers: Arc<Answers>,
}

impl LivePerson {
    /// Fails when a public key is none.
    pub fn new(
        source: &SourceConfig,
        config: &LivePersonConfig,
        Means { clock, .. }: Means,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            name: source.name.clone(),
            config: config.clone(),
            tokens: Tokens::new(&source.name, config, clock)?,
            connector: Connector::new(config),
            answers: Arc::new(Answers::new(config)),
        })
    }

    fn begin(&self, conversation: &str, body: &[u8]) -> Result<Received, WebhookRefusal> {
        let event = event::begin(&self.config.account_id, conversation, body)?;
        Ok(Received {
            events: vec![event],
            reply: Box::new(Begun),
        })
    }

    fn event(&self, conversation: &str, body: &[u8]) -> Result<Received, WebhookRefusal> {
        let (event, wait) = event::event(&self.config.account_id, conversation, body)?;
        let answers = Arc::clone(&self.answers);
        let reply: Box<dyn SourceReply> = if wait == Wait::Nothing {
            Box::new(Silence {
                answers,
                conversation: conversation.to_owned(),
                ends: matches!(event.body, SourceBody::Ended),
            })
        } else {
            let turn = answers.open(conversation, event.event_id.as_deref(), wait);
            Box::new(Spoken {
                source: self.name.clone(),
                answers,
                conversation: conversation.to_owned(),
                event_id: event.event_id.clone(),
                wait,
                fallback_text: self.config.fallback_text.clone(),
                turn: Mutex::new(Some(turn)),
            })
        };
        Ok(Received {
            events: vec![event],
            reply,
        })
    }

    fn state(&self) -> Bytes {
        let state = self.config.state.word();
        let state = json!({ "state": state, "version": env!("CARGO_PKG_VERSION") });
        state.to_string().into()
    }
}

#[async_trait]
impl Source for LivePerson {
    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    fn receive(&self, webhook: &Webhook) -> Result<Received, WebhookRefusal> {
        if webhook.path == CONNECTOR
            && let Some(connector) = &self.connector
        {
            let events = connector.receive(webhook)?;
            let reply = Box::new(WebhookReply::ok());
            return Ok(Received { events, reply });
        }
        self.tokens.verify(&webhook.headers)?;
        let call = match Call::of(&webhook.method, &webhook.path, &self.config) {
            Ok(call) => call,
            Err(status) => return Ok(told(WebhookReply::status(status))),
        };
        match call {
            Call::Environments => {
                let names = json!(self.config.environments).to_string();
                Ok(told(WebhookReply::json(StatusCode::OK, names)))
            }
            Call::State => Ok(told(WebhookReply::json(StatusCode::OK, self.state()))),
            Call::Begin { conversation } => self.begin(conversation, &webhook.body),
            Call::Event { conversation } => self.event(conversation, &webhook.body),
        }
    }

    async fn deliver(&self, address: &str, item: &Item) -> Sent {
        let Some(conversation) = contact::conversation(address) else {
            return no_address();
        };
        let Some(message) = answer::message(item) else {
            let detail = "LivePerson is told text only".to_owned();
            return Sent::Refused {
                refusal: Refusal::Request,
                detail,
            };
        };
        outcome(self.answers.put(&conversation, message))
    }

    async fn escalate(&self, address: &str, handover: &Handover) -> Sent {
        let Some(conversation) = contact::conversation(address) else {
            return no_address();
        };
        let last = answer::transfer(handover, &self.config);
        outcome(self.answers.close_with(&conversation, last))
    }

    fn forget(&self, address: &str) {
        if let Some(conversation) = contact::conversation(address) {
            self.answers.forget(&conversation);
        }
    }
}

/// What needs no commit.
fn told(reply: WebhookReply) -> Received {
    Received {
        events: Vec::new(),
        reply: Box::new(reply),
    }
}

fn outcome(is_taken: bool) -> Sent {
    if is_taken {
        Sent::Acknowledged
    } else {
        Sent::NotNow {
            after: Some(NOBODY_WAITS),
        }
    }
}

fn no_address() -> Sent {
    Sent::Refused {
        refusal: Refusal::Unreachable,
        detail: "the address is none of LivePerson's".to_owned(),
    }
}
