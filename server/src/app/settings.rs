//! From what an operator writes to what each part is built from.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use anyhow::{Context, Result};

use crate::{
    committer::CommitterSettings,
    config::{
        self, AccountConfig, AgentConfig, Config, DatabaseConfig, EscalationFallback, Escalations,
        ForwardedHeader, SourceConfig, UnknownThen, UnlistedAction, WebhooksConfig,
    },
    conversations::{ErasureRules, TenantAge},
    delivery::{Backoff, BreakerSettings},
    domain::{
        Account, ActionFallback, ActionSettings, AgentSettings, Directory, Id, Owner, Parameter,
        SourceEntry, SourceSettings, ports::Source, source::SignTexts,
    },
    hub,
    net::{ClientAddresses, Forwarding},
    store::{Location, StoreSettings, Synchronous},
    subscriptions,
};

/// The size of a page of the embedded database.
const PAGE_BYTES: u64 = 4096;

/// All agents, accounts and sources; nothing is sent to the agents that are `paused`.
pub fn directory(
    config: &Config,
    systems: &HashMap<Id, Arc<dyn Source>>,
    paused: &HashSet<String>,
) -> Directory {
    let agents = config.agents.iter().map(|config| AgentSettings {
        paused: paused.contains(&config.name),
        ..agent(config)
    });
    let agents = agents.collect();
    let sources = config.sources.iter().filter_map(|config| {
        let system = systems.get(config.name.as_str())?;
        Some(SourceEntry {
            settings: source(config),
            capabilities: system.capabilities().clone(),
            system: config.system.name(),
        })
    });
    let sources = sources.collect();
    Directory::new(agents, config.accounts.iter().map(account).collect()).with_sources(sources)
}

/// The embedded database.
pub fn database(config: &Config) -> Result<StoreSettings> {
    let pages = config.database.max_bytes.map(|bytes| bytes / PAGE_BYTES);
    Ok(StoreSettings {
        // The setting's upper bound is what fits.
        max_pages: pages.map(|pages| u32::try_from(pages).unwrap_or(u32::MAX)),
        synchronous: match config.database.synchronous {
            config::Synchronous::Full => Synchronous::Full,
            config::Synchronous::Normal => Synchronous::Normal,
        },
        master_key: config.encryption.master_key.clone(),
        command_time_limit: config.encryption.command_time_limit,
        cached_keys: config.encryption.cached_keys,
        location: location(&config.database)?,
    })
}

/// How work is committed.
pub fn committer(config: &Config) -> CommitterSettings {
    CommitterSettings {
        max_batch: config.log.commit_batch,
        ..CommitterSettings::default()
    }
}

/// Named subscriptions.
pub fn subscriptions(config: &Config) -> subscriptions::Settings {
    let settings = &config.subscriptions;
    subscriptions::Settings {
        max_subscriptions: settings.max_subscriptions,
        max_members: settings.max_members,
        max_in_flight: settings.max_in_flight,
        max_pending: settings.max_pending,
        lease: settings.lease,
        pull_lease: settings.pull_lease,
        retention_alarm: settings.retention_alarm,
        look_interval: settings.look_interval,
        retention_age: config.log.retention_age,
        tenant_ages: tenant_ages(config)
            .into_iter()
            .map(|it| (it.tenant, it.age))
            .collect(),
        measure_interval: config.log.sweep_interval,
    }
}

fn location(config: &DatabaseConfig) -> Result<Location> {
    let location = StoreSettings::from_url(&config.url)?.location;
    let Location::Server(server) = location else {
        return Ok(location);
    };
    let mut server = server
        .with_readers(config.readers)
        .with_statement_timeout(config.statement_timeout);
    if config.password.is_configured() {
        let password = config.password.read().context("database.password")?;
        server = server.with_password(&password);
    }
    Ok(Location::Server(server))
}

/// When a failed request is tried again.
pub fn backoff(config: &Config) -> Backoff {
    Backoff {
        base: config.delivery.retry_base,
        max: config.delivery.retry_max,
    }
}

/// When a platform is asked again to erase.
pub fn erasure_rules(config: &Config) -> ErasureRules {
    ErasureRules {
        backoff: Backoff {
            base: config.erasure.retry_base,
            max: config.erasure.retry_max,
        },
        retry_for: config.erasure.retry_for,
        min_attempts: config.erasure.min_attempts,
    }
}

/// Tenants that keep less than the log does.
pub fn tenant_ages(config: &Config) -> Vec<TenantAge> {
    let each = config.tenants.iter().filter_map(|tenant| {
        Some(TenantAge {
            tenant: Id::trusted(tenant.name.as_str()),
            age: tenant.retention_age?,
        })
    });
    each.collect()
}

/// When an agent is left alone for a while.
pub fn breakers(config: &Config) -> BreakerSettings {
    BreakerSettings {
        failures: config.delivery.breaker_failures,
        open_for: config.delivery.breaker_open_for,
    }
}

/// Where webhooks come from.
pub fn clients(config: &WebhooksConfig) -> ClientAddresses {
    ClientAddresses {
        trusted: config::addresses::networks(&config.trusted_proxies),
        header: match config.forwarded_header {
            ForwardedHeader::XForwardedFor => Forwarding::XForwardedFor,
            ForwardedHeader::Forwarded => Forwarding::Forwarded,
        },
    }
}

/// How subscribers are served.
pub fn hub(config: &Config) -> hub::Settings {
    let stream = &config.stream;
    hub::Settings {
        ring_events: stream.ring_events,
        ring_bytes: stream.ring_bytes,
        page_events: stream.page_events,
        max_frame_bytes: stream.max_frame_bytes,
        max_streams: config.grpc.max_streams,
        heartbeat: stream.heartbeat,
        lifetime: stream.lifetime,
        ..hub::Settings::default()
    }
}

fn agent(config: &AgentConfig) -> AgentSettings {
    let mut settings = AgentSettings {
        name: Id::trusted(config.name.as_str()),
        paused: false,
        allowed: config::addresses::allow_list(&config.allowed_addresses),
        session_timeout: config.session_timeout,
        send_timeout: config.send_timeout,
        max_queue_age: config.max_queue_age,
        max_queued: config.max_queued,
        max_open_requests: config.max_open_requests,
        action_time_limit: config.action_time_limit,
        escalation_time_limit: config.escalation_time_limit,
        availability_time_limit: config.availability_time_limit,
        repeat_window: config.repeat_window,
        fence_by_id: config.fence_by_id,
        human_must_join: config.human_must_join,
        default_account: config.default_account.as_deref().map(Id::trusted),
        handback_parameter: config.handback_parameter.clone(),
        always_personal: config
            .always_personal
            .iter()
            .map(|key| key.to_ascii_lowercase())
            .collect(),
        action_fallback: fallback(config.action_fallback, &[]),
        accept_unanswered_escalations: config.escalation_fallback == EscalationFallback::Accept,
        refuse_unlisted_actions: config.unlisted_action == UnlistedAction::Refuse,
        actions: actions(config),
    };
    let configured = std::mem::take(&mut settings.actions);
    settings.actions = configured
        .into_iter()
        .map(|(name, mut action)| {
            if let Some(ActionFallback::Results(results)) = &mut action.fallback {
                settings.mark_personal(results);
            }
            (name, action)
        })
        .collect();
    settings
}

fn actions(config: &AgentConfig) -> HashMap<String, ActionSettings> {
    let each = config.actions.iter().map(|action| {
        let results: Vec<_> = action
            .results
            .iter()
            .map(|(key, value)| Parameter {
                key: key.clone(),
                value: value.clone(),
                personal: false,
            })
            .collect();
        // Results that are declared are the fallback, unless a failure is asked for.
        let declared = action
            .fallback
            .or_else(|| (!results.is_empty()).then_some(config::ActionFallback::Empty));
        let settings = ActionSettings {
            time_limit: action.time_limit,
            fallback: declared.map(|declared| fallback(declared, &results)),
        };
        (action.name.clone(), settings)
    });
    each.collect()
}

fn fallback(kind: config::ActionFallback, results: &[Parameter]) -> ActionFallback {
    match kind {
        config::ActionFallback::Error => ActionFallback::Error,
        config::ActionFallback::Empty if results.is_empty() => ActionFallback::Empty,
        config::ActionFallback::Empty => ActionFallback::Results(results.to_vec()),
    }
}

fn account(config: &AccountConfig) -> Account {
    Account {
        name: Id::trusted(config.name.as_str()),
        agent: Id::trusted(config.agent.as_str()),
        upstream_prefix: config.upstream_prefix.clone(),
        source: config.source.as_deref().map(Id::trusted),
    }
}

fn source(config: &SourceConfig) -> SourceSettings {
    let by_language = |texts: &BTreeMap<String, String>| {
        texts
            .iter()
            .map(|(language, text)| (language.clone(), text.clone()))
            .collect()
    };
    SourceSettings {
        name: Id::trusted(config.name.as_str()),
        allowed: config::addresses::allow_list(&config.allowed_addresses),
        send_timeout: config.send_timeout,
        max_queue_age: config.max_queue_age,
        takes_escalations: config.escalations == Escalations::Source,
        handover_phrases: config.handover_phrases.clone().into_iter().collect(),
        handover_text: by_language(&config.handover_text),
        sign_texts: SignTexts {
            joined: by_language(&config.sign_texts.joined),
            queue: by_language(&config.sign_texts.queue),
            left: by_language(&config.sign_texts.left),
            failed: by_language(&config.sign_texts.failed),
        },
        owner_settles: config.owner_settles,
        owner_max_age: config.owner_max_age,
        human_max_age: config.human_max_age,
        owner_unknown_max: config.owner_unknown_max,
        owner_unknown_then: match config.owner_unknown_then {
            UnknownThen::Human => Owner::Human,
            UnknownThen::Agent => Owner::Agent,
            UnknownThen::None => Owner::None,
        },
    }
}
