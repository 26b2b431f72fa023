//! From where a webhook may come.

use std::net::IpAddr;

use http::StatusCode;

use super::{Addressed, Conversations};
use crate::domain::{inbound::WebhookReply, tenant_of};

impl Conversations {
    /// What a webhook is answered that comes from where it may not; `None`: it may. Asked before its body is read.
    /// `from` is `None` where a proxy named no address.
    pub fn turn_away(&self, whom: Addressed<'_>, from: Option<IpAddr>) -> Option<WebhookReply> {
        if self.admits(whom, from) {
            return None;
        }
        match whom {
            Addressed::Source(name) => self.metrics.sources.webhook(name, "address"),
            // Only of those who are configured there is a list that it could be missing from.
            Addressed::Agent(name) => self.metrics.webhooks.refused(tenant_of(name), "address"),
            Addressed::Nobody => {}
        }
        let why = match from {
            Some(from) => format!("it came from {from}, which allowed_addresses does not hold"),
            None => "a proxy of webhooks.trusted_proxies named an address that is none".to_owned(),
        };
        self.webhook_log.refused(whom, "address", &why, None);
        Some(WebhookReply::status(StatusCode::FORBIDDEN))
    }

    /// Whoever is not configured has no list: the route says so later.
    fn admits(&self, whom: Addressed<'_>, from: Option<IpAddr>) -> bool {
        let directory = self.live.directory();
        let allowed = match whom {
            Addressed::Agent(name) => directory.agent(name).map(|agent| &agent.allowed),
            Addressed::Source(name) => directory
                .source(name)
                .map(|source| &source.settings.allowed),
            Addressed::Nobody => None,
        };
        allowed.is_none_or(|allowed| allowed.admits(from))
    }
}
