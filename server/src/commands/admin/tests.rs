//! Verbs of administrators, without a server: what is typed, what is sent, what is shown.

mod arguments;
mod documents;
mod refusals;
mod secrets;
mod shown;
mod structs;

use super::document::{Document, List};

/// An agent as the configuration has one.
const AGENT: &str = r#"
name = "support"
send_timeout = "5s"
max_queued = 200
[platform.zendesk]
bot_id = "65f0c1a2b3d4e5f60718293a"
base_url = "https://example.zendesk.com/ai-agents/api"
api_key = { file = "/run/secrets/support_key" }
[platform.zendesk.webhook.static_header]
header = "x-webhook-secret"
secrets = [{ env = "ONE" }, { env = "TWO" }]
[[actions]]
name = "refund"
results = { file = "a word like any other" }
"#;

fn parsed(text: &str, name: Option<&str>) -> anyhow::Result<Document> {
    Document::parse(text, List::Agents, name)
}
