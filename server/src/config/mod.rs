//! Every setting, with its consequence: the one type that all others are configured from, and how it is loaded.

use serde::Serialize;

mod accounts;
pub mod addresses;
mod admin;
mod agents;
mod callers;
mod check;
mod database;
mod delivery;
mod encryption;
mod erasure;
mod grpc;
mod layers;
mod limits;
mod load;
mod log;
mod logging;
pub mod managed;
mod nats;
mod ops;
pub mod problem;
mod read;
pub mod reference;
mod secrets;
pub(crate) mod section;
mod shutdown;
mod sinks;
mod sources;
mod stream;
mod subscriptions;
mod tls;
mod unknown;
pub mod verification;
mod webhooks;

#[cfg(test)]
mod tests;

pub use self::{
    accounts::AccountConfig,
    admin::AdminConfig,
    agents::{
        ActionConfig, ActionFallback, AgentConfig, EscalationFallback, UnknownBot, UnlistedAction,
    },
    callers::{CallerConfig, TenantConfig},
    check::check_objects,
    database::{DatabaseConfig, Synchronous},
    delivery::DeliveryConfig,
    encryption::EncryptionConfig,
    erasure::ErasureConfig,
    grpc::GrpcConfig,
    limits::LimitsConfig,
    load::{Loaded, Origins, environment, load},
    log::LogConfig,
    logging::{LogFormat, LoggingConfig},
    nats::{NatsAccessConfig, NatsConfig},
    ops::OpsConfig,
    problem::{Problem, Problems},
    secrets::check_secrets,
    section::Kind,
    shutdown::ShutdownConfig,
    sinks::{SinkConfig, SinkKind, SinkStart},
    sources::{Escalations, SignTextsConfig, SourceConfig, UnknownThen},
    stream::StreamConfig,
    subscriptions::SubscriptionsConfig,
    tls::{GrpcTlsConfig, TlsConfig},
    unknown::setting_kind,
    webhooks::{ForwardedHeader, WebhooksConfig},
};

/// All settings. The default starts a server on loopback with an embedded database and no agents.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Config {
    /// Where callers connect.
    pub grpc: GrpcConfig,
    /// Where agents' platforms call back.
    pub webhooks: WebhooksConfig,
    /// Where operators look.
    pub ops: OpsConfig,
    /// Where everything is kept.
    pub database: DatabaseConfig,
    /// By which replicas on one database wake each other.
    pub nats: NatsConfig,
    /// The keys under which what is kept is sealed.
    pub encryption: EncryptionConfig,
    /// How subscribers are served.
    pub stream: StreamConfig,
    /// How members of named subscriptions are served.
    pub subscriptions: SubscriptionsConfig,
    /// The event log.
    pub log: LogConfig,
    /// How agents are called when they fail.
    pub delivery: DeliveryConfig,
    /// How platforms are asked to erase.
    pub erasure: ErasureConfig,
    /// What administrators may do.
    pub admin: AdminConfig,
    /// How the server goes.
    pub shutdown: ShutdownConfig,
    /// What the server says of itself.
    pub logging: LoggingConfig,
    /// How much callers, tenants and agents may ask for.
    pub limits: LimitsConfig,
    /// The organisations of which something is set.
    pub tenants: Vec<TenantConfig>,
    /// Who may call.
    pub callers: Vec<CallerConfig>,
    /// The AI agents.
    pub agents: Vec<AgentConfig>,
    /// The systems that bring visitors by themselves.
    pub sources: Vec<SourceConfig>,
    /// The customer accounts, each connected to one agent.
    pub accounts: Vec<AccountConfig>,
    /// Where events are relayed to.
    pub sinks: Vec<SinkConfig>,
}
