//! What a webhook is answered in which another application asks for a visitor: the visitor is passed on first.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::StreamExt;
use serde_json::json;

use super::{
    client::{Answer, Client},
    graph_id::GraphId,
    webhook::Request,
};
use crate::domain::{
    inbound::WebhookReply,
    source::{SourceReply, Taken},
};

/// The platform wants its answer within 5 s, and better within 2 s.
const WITHIN: Duration = Duration::from_secs(2);
/// Requests in one webhook that are answered at one time; there is rarely more than one.
const AT_ONCE: usize = 8;

/// Passes visitors on, and takes the webhook whatever comes of it.
pub(super) struct PassOn {
    pub(super) source: String,
    pub(super) client: Arc<Client>,
    pub(super) requests: Vec<Request>,
}

#[async_trait]
impl SourceReply for PassOn {
    async fn reply(&self, taken: &[Taken]) -> WebhookReply {
        let is_new = |request: &&Request| taken.get(request.event) != Some(&Taken::Duplicate);
        let requests: Vec<_> = self.requests.iter().filter(is_new).collect();
        let all = futures_util::stream::iter(requests)
            .for_each_concurrent(AT_ONCE, |request| self.pass(request));
        if tokio::time::timeout(WITHIN, all).await.is_err() {
            tracing::warn!(
                source = self.source,
                "visitors who were asked for could not be passed on in time"
            );
        }
        WebhookReply::ok()
    }
}

impl PassOn {
    async fn pass(&self, request: &Request) {
        let body = pass(
            &request.psid,
            &request.app_id,
            &json!({ "reason": "requested" }),
        );
        if let Answer::Done(_) = self.client.post("pass_thread_control", &body).await {
            let app = request.app_id.as_str();
            tracing::info!(
                source = self.source,
                app,
                "a visitor was passed on to the application that asked"
            );
        }
    }
}

/// The body that gives a visitor to another application. The platform wants the metadata as one text.
pub(super) fn pass(
    psid: &str,
    target: &GraphId,
    metadata: &serde_json::Value,
) -> serde_json::Value {
    json!({
        "recipient": { "id": psid },
        "target_app_id": target.as_str(),
        "metadata": metadata.to_string(),
    })
}
