//! A source's webhook: verified, decoded, committed, and only then answered.

use std::sync::Arc;

use http::StatusCode;

use crate::domain::{
    Id, Result,
    inbound::{Webhook, WebhookRefusal, WebhookReply},
    source::{SourceEvent, Taken},
};

use super::{Conversations, visit::Visit, webhook_log::Addressed};

impl Conversations {
    /// Takes a webhook for the source `name`. The reply is given only after what it acknowledges is durable.
    pub async fn arrive(
        &self,
        tenant: &Id,
        name: &str,
        webhook: &Webhook,
        traceparent: &str,
    ) -> WebhookReply {
        let Some(source) = self.live.source(name) else {
            self.metrics.webhooks.refused("", "unknown_source");
            let why = "it names a source that is not configured";
            self.webhook_log
                .refused(Addressed::Nobody, "unknown_source", &why, Some(webhook));
            return WebhookReply::status(StatusCode::NOT_FOUND);
        };
        let received = match source.receive(webhook) {
            Ok(received) => received,
            Err(refusal) => return self.refuse_source(name, webhook, &refusal),
        };
        match self.visit(tenant, name, received.events, traceparent).await {
            Ok(taken) => {
                let reply = received.reply.reply(&taken).await;
                self.count(name, webhook, reply)
            }
            Err(error) => {
                self.metrics.sources.webhook(name, "not_taken");
                tracing::error!(source = name, %error, "a source's webhook could not be committed");
                WebhookReply::status(StatusCode::SERVICE_UNAVAILABLE)
            }
        }
    }

    /// Commits events of a source in one transaction, so that a webhook is taken whole or not at all.
    pub(super) async fn visit(
        &self,
        tenant: &Id,
        name: &str,
        events: Vec<SourceEvent>,
        traceparent: &str,
    ) -> Result<Vec<Taken>> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let directory = self.live.directory();
        let Some((account, agent)) = directory.account_of_source(name) else {
            return Err(crate::domain::Error::not_found("account of source", name));
        };
        let unit = Visit {
            tenant: tenant.clone(),
            source: Id::trusted(name),
            account: Arc::clone(account),
            agent: Arc::clone(agent),
            ready: self.ready(agent),
            oldest: self.clock.now() - self.idempotency_window,
            events,
            traceparent: traceparent.to_owned(),
            desk: self.desk(),
        };
        Ok(self.committer.submit(unit).await?.output)
    }

    /// Counts a webhook by its reply: a challenge at set-up brings no event, and may be refused all the same.
    fn count(&self, name: &str, webhook: &Webhook, reply: WebhookReply) -> WebhookReply {
        let whom = Addressed::Source(name);
        if reply.status == StatusCode::FORBIDDEN {
            self.metrics.sources.webhook(name, "unverified");
            let why =
                "a challenge that is no subscription, or whose token is none of verify_tokens";
            self.webhook_log
                .refused(whom, "unverified", &why, Some(webhook));
        } else {
            self.webhook_log.believed(whom, webhook);
            self.metrics.sources.webhook(name, "taken");
        }
        reply
    }

    fn refuse_source(
        &self,
        name: &str,
        webhook: &Webhook,
        refusal: &WebhookRefusal,
    ) -> WebhookReply {
        let (label, status) = match refusal {
            WebhookRefusal::Unverified(_) => ("unverified", StatusCode::UNAUTHORIZED),
            WebhookRefusal::Malformed => ("malformed", StatusCode::BAD_REQUEST),
            WebhookRefusal::UnknownAgent { acknowledge: true } => ("unknown", StatusCode::OK),
            WebhookRefusal::UnknownAgent { acknowledge: false } => {
                ("unknown", StatusCode::NOT_FOUND)
            }
        };
        self.metrics.sources.webhook(name, label);
        self.webhook_log
            .refused(Addressed::Source(name), label, refusal, Some(webhook));
        WebhookReply::status(status)
    }
}
