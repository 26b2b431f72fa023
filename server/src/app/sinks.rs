//! Sinks, as they are configured.

use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Parts;
use crate::{
    config::{Config, SinkConfig, SinkKind, SinkStart},
    domain::Id,
    nats::{JetStream, Link, StreamSettings},
    sinks::{self, Settings, Sink, Start, Target},
};

/// Starts to relay to each.
pub async fn run(
    config: &Config,
    parts: &Parts,
    stopping: &CancellationToken,
) -> Result<Vec<JoinHandle<()>>> {
    let mut tasks = Vec::new();
    for sink in &config.sinks {
        let target = target(sink);
        let target = target
            .await
            .with_context(|| format!("the sink {}", sink.name))?;
        let sink = Sink::new(shared(parts), settings(config, sink), target);
        tasks.push(tokio::spawn(sink.run(stopping.clone())));
    }
    Ok(tasks)
}

async fn target(config: &SinkConfig) -> Result<Arc<dyn Target>> {
    match config.kind {
        SinkKind::Jetstream => {
            let part = format!("sink {}", config.name);
            let link = Link::open(&config.url, &config.access, &part).await?;
            let settings = StreamSettings {
                stream: config.stream.clone(),
                subject: config.subject.clone(),
                ack_timeout: config.ack_timeout,
            };
            Ok(Arc::new(JetStream::new(link, settings)))
        }
    }
}

fn shared(parts: &Parts) -> sinks::Parts {
    sinks::Parts {
        store: Arc::clone(&parts.store),
        committer: parts.committer.clone(),
        heads: parts.hub.heads(),
        clock: Arc::clone(&parts.store_clock),
        metrics: Arc::clone(&parts.metrics),
        is_shared: parts.replicas.is_some(),
    }
}

fn settings(config: &Config, sink: &SinkConfig) -> Settings {
    let tenants = sink.tenants.iter();
    Settings {
        name: Id::trusted(sink.name.as_str()),
        tenants: tenants.map(|name| Id::trusted(name.as_str())).collect(),
        start: match sink.start {
            SinkStart::Earliest => Start::Earliest,
            SinkStart::Latest => Start::Latest,
        },
        max_in_flight: sink.max_in_flight,
        max_in_flight_bytes: sink.max_in_flight_bytes,
        retry_max: sink.retry_max,
        lease: sink.lease,
        retention_age: config.log.retention_age,
    }
}
