//! The platform as the shared suite needs it: it reads our requests and replies, and signs its webhooks.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::fixture::{BOT, Fixture, webhook};
use crate::{
    agents::conformance::{Platform, parameter},
    config::verification::{HmacConfig, VerificationConfig},
    domain::{
        Answer, HumanMessage, HumanMessageKind, Parameter, Question, RequestKind,
        inbound::{Inbound, InboundBody, Webhook, WebhookReply},
        outbound::{Outbound, OutboundContent},
        ports::Agent,
    },
    tests::fake_server as server,
};

const SECRET: &str = "webhook-secret";

pub(super) struct FakeZendesk;

impl Platform for FakeZendesk {
    fn agent(server: &server::FakeServer) -> (Box<dyn Agent>, Self) {
        let fixture = Fixture::new(&server.url(), |_, platform, secrets| {
            platform.webhook = VerificationConfig::Hmac(HmacConfig {
                header: "x-signature".to_owned(),
                secrets: vec![secrets.put("webhook", SECRET)],
                ..HmacConfig::default()
            });
        });
        (Box::new(fixture), Self)
    }

    fn understand(request: &server::Request) -> Outbound {
        let body = request.json();
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        let parameters = || parameters(&body["metaData"]);
        if request.path == "/agent/converse/send-message-to-widget" {
            return Outbound {
                upstream_id: text("platformConversationId").expect("an id"),
                content: OutboundContent::Human(human(&body)),
            };
        }
        let event = body["eventType"].as_str();
        let content = match event.unwrap_or("ticket") {
            "ticket" => {
                assert_eq!(request.path, "/converse/ticket");
                assert_eq!(body["platform"], "PUBLIC_API");
                OutboundContent::Ticket {
                    text: text("text").expect("a text"),
                    parameters: parameters(),
                }
            }
            "startSession" => OutboundContent::Start {
                parameters: parameters(),
            },
            "message" => OutboundContent::Message {
                text: text("text").expect("a text"),
                card_index: body["cardIndex"]
                    .as_u64()
                    .map(|index| index.try_into().expect("a small number")),
                parameters: parameters(),
            },
            "metadata" => OutboundContent::Parameters {
                parameters: parameters(),
            },
            "endSession" => OutboundContent::End,
            other => panic!("the platform knows no {other}"),
        };
        Outbound {
            upstream_id: text("platformConversationId").expect("an id"),
            content,
        }
    }

    fn webhook(&self, inbound: &Inbound) -> Webhook {
        let mut webhook = webhook(&body(inbound).to_string());
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length");
        mac.update(&webhook.body);
        let signature = hex(&mac.finalize().into_bytes());
        let value = signature.parse().expect("a header");
        webhook.headers.insert("x-signature", value);
        webhook
    }

    fn forged(&self, inbound: &Inbound) -> Webhook {
        let mut webhook = self.webhook(inbound);
        let mut body = webhook.body.to_vec();
        let last = body.len() - 1;
        // Still the same JSON: only the signature can tell.
        body.insert(last, b' ');
        webhook.body = body.into();
        webhook
    }

    fn understand_reply(kind: RequestKind, reply: &WebhookReply) -> Answer {
        let ok = reply.status.is_success();
        let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        match kind {
            RequestKind::Action if ok => Answer::Results(parameters(&body["results"])),
            RequestKind::Action => Answer::Failure {
                reason: String::new(),
            },
            RequestKind::Escalation => Answer::Escalation { accepted: ok },
            RequestKind::Availability => Answer::Availability {
                online: body["isOnline"].as_bool().expect("a boolean"),
            },
        }
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).expect("four bits");
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(digit).collect()
}

/// What the widget is told.
fn human(body: &Value) -> HumanMessage {
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let number = |name: &str| {
        let digits = body[name].as_str()?;
        Some(digits.parse().expect("a number as text"))
    };
    let kind = match body["eventType"].as_str().expect("an event type") {
        "message" => HumanMessageKind::Text,
        "escalationSuccess" => HumanMessageKind::Joined,
        "escalationQueueUpdate" => HumanMessageKind::Queue,
        "agentDisconnect" => HumanMessageKind::Left,
        "escalationFailed" => HumanMessageKind::Failed,
        other => panic!("the widget knows no {other}"),
    };
    HumanMessage {
        message_id: String::new(),
        kind,
        text: text("text"),
        name: text("agent"),
        avatar_url: text("agentAvatar"),
        queue_position: number("queuePosition"),
        waiting_time: number("waitingTime").map(|minutes| Duration::from_mins(minutes.into())),
        from_source: false,
        raw: String::new(),
    }
}

fn body(inbound: &Inbound) -> Value {
    let id = &inbound.upstream_id;
    let data = match &inbound.body {
        InboundBody::Message(message) => json!({
            "eventType": "sendMessage", "platformConversationId": id, "type": "text",
            "text": message.text, "buttons": [], "carouselCards": [],
            "messageId": message.platform_message_id,
        }),
        InboundBody::Question(Question::Escalation { target, .. }) => json!({
            "eventType": "escalate", "platformConversationId": id, "escalateTo": target,
        }),
        InboundBody::Question(Question::Availability { team, .. }) => {
            json!({ "eventType": "isTeamOnline", "teamId": team })
        }
        InboundBody::Question(Question::Action { name, .. }) => {
            return json!({
                "botId": BOT, "platformConversationId": id, "name": name, "data": [],
            });
        }
        other => panic!("{other:?} is not among the samples"),
    };
    json!({ "botId": BOT, "channel": "chat", "data": data })
}

fn parameters(list: &Value) -> Vec<Parameter> {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    let read = |one: &Value| {
        parameter(
            one["key"].as_str().expect("a key"),
            one["value"].as_str().expect("a value"),
            one["sanitize"].as_bool().unwrap_or_default(),
        )
    };
    list.iter().map(read).collect()
}
