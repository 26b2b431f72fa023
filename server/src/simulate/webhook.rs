//! Webhooks out: signed, sent, recorded with their answers.

use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use serde_json::Value;
use tokio::time::Instant;

use super::bot::RunningBot;
use super::recorder::{SentWebhook, WebhookAnswer};
use super::world::World;

/// Of an answer's body no more is read. 64 KiB: results of an action, many times over.
const MAX_ANSWER: usize = 64 << 10;

/// Between the attempts for one message.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// A webhook on its way out.
#[derive(Clone, Debug)]
pub(super) struct Webhook {
    pub(super) conversation_id: Option<String>,
    /// The event type, `action`, or `ticket`.
    pub(super) event: &'static str,
    pub(super) body: Value,
}

/// A client for webhooks: straight to their target, wherever a proxy may be configured, and no redirects.
pub(super) fn client(timeout: Duration) -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(timeout)
        .build()
}

impl World {
    /// Sends `webhook` once and records its answer.
    pub(super) async fn send(&self, bot: &RunningBot, webhook: &Webhook) -> WebhookAnswer {
        let started = Instant::now();
        let url = match webhook.event {
            "action" => bot.action_url(),
            _ => bot.webhook_url(),
        };
        let answer = match self.post(bot, &url, webhook.body.to_string()).await {
            Ok(answer) => answer,
            Err(error) => WebhookAnswer::Failed(causes(&error.without_url())),
        };
        self.recorder.webhook(SentWebhook {
            number: 0,
            bot_id: bot.id().to_owned(),
            conversation_id: webhook.conversation_id.clone(),
            event: webhook.event.to_owned(),
            url,
            body: webhook.body.clone(),
            started,
            ended: Instant::now(),
            answer: answer.clone(),
        });
        answer
    }

    /// Sends a message, again and again as far as the settings say.
    pub(super) async fn send_message(&self, bot: &RunningBot, webhook: &Webhook) {
        for _ in 0..self.settings.webhook_retries {
            if self.send(bot, webhook).await.is_ok() {
                return;
            }
            self.clock.sleep_until(self.clock.now() + RETRY_PAUSE).await;
        }
        self.send(bot, webhook).await;
    }

    async fn post(
        &self,
        bot: &RunningBot,
        url: &str,
        body: String,
    ) -> Result<WebhookAnswer, reqwest::Error> {
        let signing = bot.signing();
        let mut answer = self
            .client
            .post(signing.url(url))
            .header(CONTENT_TYPE, "application/json")
            .headers(signing.headers(body.as_bytes(), SystemTime::now()))
            .body(body)
            .send()
            .await?;
        let status = answer.status().as_u16();
        let body = read_start(&mut answer).await?;
        Ok(WebhookAnswer::Answered { status, body })
    }
}

async fn read_start(answer: &mut reqwest::Response) -> Result<Bytes, reqwest::Error> {
    let mut body = BytesMut::new();
    while let Some(chunk) = answer.chunk().await? {
        let room = MAX_ANSWER - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if body.len() == MAX_ANSWER {
            break;
        }
    }
    Ok(body.freeze())
}

/// The innermost cause says most: "connection refused" rather than "error sending request".
fn causes(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
