//! The configuration reference: every key with its default, bounds and meaning, from the types that the code uses.

use std::fmt::Write;

use super::{
    AccountConfig, ActionConfig, AdminConfig, AgentConfig, CallerConfig, DatabaseConfig,
    DeliveryConfig, EncryptionConfig, ErasureConfig, GrpcConfig, GrpcTlsConfig, LimitsConfig,
    LogConfig, LoggingConfig, NatsAccessConfig, NatsConfig, OpsConfig, ShutdownConfig,
    SignTextsConfig, SinkConfig, SourceConfig, StreamConfig, SubscriptionsConfig, TenantConfig,
    TlsConfig, WebhooksConfig,
    section::{Entry, Kind, Part},
};
use crate::{agents::PlatformConfig, sources::SystemConfig};

/// All sections, in the order of the reference.
pub fn parts() -> Vec<Part> {
    let mut parts = vec![
        Part::of::<GrpcConfig>("grpc"),
        Part::of::<GrpcTlsConfig>("grpc.tls"),
        Part::of::<WebhooksConfig>("webhooks"),
        Part::of::<TlsConfig>("webhooks.tls"),
        Part::of::<OpsConfig>("ops"),
        Part::of::<TlsConfig>("ops.tls"),
        Part::of::<DatabaseConfig>("database"),
        Part::of::<NatsConfig>("nats"),
        Part::of::<NatsAccessConfig>("nats.access"),
        Part::of::<EncryptionConfig>("encryption"),
        Part::of::<StreamConfig>("stream"),
        Part::of::<SubscriptionsConfig>("subscriptions"),
        Part::of::<LogConfig>("log"),
        Part::of::<DeliveryConfig>("delivery"),
        Part::of::<ErasureConfig>("erasure"),
        Part::of::<AdminConfig>("admin"),
        Part::of::<ShutdownConfig>("shutdown"),
        Part::of::<LoggingConfig>("logging"),
        Part::of::<LimitsConfig>("limits"),
        Part::of::<TenantConfig>("tenants[]"),
        Part::of::<CallerConfig>("callers[]"),
        Part::of::<AgentConfig>("agents[]"),
        Part::of::<ActionConfig>("agents[].actions[]"),
    ];
    parts.extend(PlatformConfig::reference("agents[].platform"));
    parts.push(Part::of::<SourceConfig>("sources[]"));
    parts.push(Part::of::<SignTextsConfig>("sources[].sign_texts"));
    parts.extend(SystemConfig::reference("sources[].system"));
    parts.push(Part::of::<AccountConfig>("accounts[]"));
    parts.push(Part::of::<SinkConfig>("sinks[]"));
    parts.push(Part::of::<NatsAccessConfig>("sinks[].access"));
    parts
}

/// The reference as Markdown tables, one per section.
pub fn markdown() -> String {
    parts().iter().map(table).collect::<Vec<_>>().join("\n")
}

fn table(part: &Part) -> String {
    let mut text = format!(
        "## `{}`\n\n| key | kind | default | meaning |\n|---|---|---|---|\n",
        heading(&part.at)
    );
    for (entry, default) in &part.settings {
        let default = match default {
            _ if entry.required => "required".to_owned(),
            None => "unset".to_owned(),
            Some(value) => format!("`{value}`"),
        };
        let meaning = format!("{}{}", plain(entry.text), bounds(entry));
        let (name, kind) = (entry.name, kind(entry.kind));
        let _ = writeln!(text, "| `{name}` | {kind} | {default} | {meaning} |");
    }
    text
}

/// A section's key as its heading in a TOML file: `agents[].actions[]` is `[[agents.actions]]`.
fn heading(at: &str) -> String {
    let name = at.replace("[]", "");
    if at.ends_with("[]") {
        format!("[[{name}]]")
    } else {
        format!("[{name}]")
    }
}

fn plain(doc: &str) -> String {
    let words: Vec<&str> = doc.split_whitespace().collect();
    words.join(" ").replace('|', "\\|")
}

fn bounds(entry: &Entry) -> String {
    entry
        .bounds
        .map(|(low, high)| format!(" Between {low} and {high}."))
        .unwrap_or_default()
}

fn kind(kind: Kind) -> String {
    match kind {
        Kind::Text => "text".to_owned(),
        Kind::Texts => "list of texts".to_owned(),
        Kind::Integer => "integer".to_owned(),
        Kind::Boolean => "true or false".to_owned(),
        Kind::Duration => "duration".to_owned(),
        Kind::Address => "address".to_owned(),
        Kind::Path => "path of a file".to_owned(),
        Kind::Secret => "secret".to_owned(),
        Kind::MasterKey => "place of keys".to_owned(),
        Kind::Secrets => "list of secrets".to_owned(),
        Kind::Choice(words) => words.join(" or "),
        Kind::Table => "table".to_owned(),
        Kind::List => "list of tables".to_owned(),
        Kind::Map => "table of text".to_owned(),
    }
}
