//! The three listeners: callers from inside, platforms from outside, operators from nearby.

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context, Result};
use parloir_proto::v1::{
    account_service_server, admin_service_server, conversation_service_server,
};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

use crate::{
    config::Config,
    grpc::{
        self,
        health::{HealthReporter, health},
        reflection, server,
    },
    metrics::Listener,
    net::{Acceptor, BodyReader, Gate, Tls, http::HttpLimits},
    ops::{self, Readiness},
    webhook::{self, Webhooks},
};

use super::{Addresses, Parts, settings, tls};

/// What orchestrators may ask the health of.
const SERVICES: &[&str] = &[
    conversation_service_server::SERVICE_NAME,
    account_service_server::SERVICE_NAME,
    admin_service_server::SERVICE_NAME,
];

/// Bound, and not serving yet: an address that is taken is found out before anything is changed.
pub struct Listeners {
    pub addresses: Addresses,
    grpc: TcpListener,
    webhooks: TcpListener,
    ops: TcpListener,
}

impl Listeners {
    pub async fn bind(config: &Config) -> Result<Self> {
        let grpc = bind("grpc", config.grpc.listen).await?;
        let webhooks = bind("webhooks", config.webhooks.listen).await?;
        let ops = bind("ops", config.ops.listen).await?;
        let addresses = Addresses {
            grpc: grpc.local_addr()?,
            webhooks: webhooks.local_addr()?,
            ops: ops.local_addr()?,
        };
        Ok(Self {
            addresses,
            grpc,
            webhooks,
            ops,
        })
    }

    /// Serves until `stopping`, and then as long as the grace allows.
    pub fn serve(
        self,
        config: &Config,
        parts: &Parts,
        stopping: &CancellationToken,
    ) -> Result<(HealthReporter, Readiness, Vec<JoinHandle<()>>)> {
        let committer = parts.committer.clone();
        let readiness = Readiness::new(config.ops.max_commit_wait, move || committer.stalled_for());
        let clock = Arc::clone(&parts.conversations.clock);
        let grpc_tls = tls::grpc(&config.grpc.tls, &clock)?;
        let (health, grpc) = serve_grpc(self.grpc, config, parts, grpc_tls.clone(), stopping)?;
        let tls = tls::http(&config.webhooks.tls, &clock)?;
        let webhooks = serve_webhooks(self.webhooks, config, parts, tls.clone(), stopping);
        let ops_tls = tls::http(&config.ops.tls, &clock)?;
        let ops = serve_ops(
            self.ops,
            config,
            parts,
            &readiness,
            ops_tls.clone(),
            stopping,
        );
        let mut tasks = vec![grpc, webhooks, ops];
        let each = [grpc_tls, tls, ops_tls].into_iter().flatten();
        tasks.extend(each.map(|tls| tokio::spawn(tls.keep_live(stopping.clone()))));
        Ok((health, readiness, tasks))
    }
}

async fn bind(section: &str, address: SocketAddr) -> Result<TcpListener> {
    let listener = TcpListener::bind(address).await;
    listener.with_context(|| {
        format!("cannot listen on {address}: set {section}.listen to a free address")
    })
}

fn serve_grpc(
    listener: TcpListener,
    config: &Config,
    parts: &Parts,
    tls: Option<Arc<Tls>>,
    stopping: &CancellationToken,
) -> Result<(HealthReporter, JoinHandle<()>)> {
    let options = grpc::Options {
        answer_within: config.grpc.answer_within,
        max_message_bytes: config.grpc.max_message_bytes,
    };
    let (reporter, health) = health(SERVICES, stopping.clone());
    let conversations = Arc::clone(&parts.conversations);
    let clock = Arc::clone(&conversations.clock);
    let accounts = grpc::accounts(Arc::clone(&conversations), options, stopping.clone());
    let calls = grpc::service(
        conversations,
        Arc::clone(&parts.subscriptions),
        options,
        stopping.clone(),
    );
    let epoch = parts.store.epoch();
    let admin = grpc::admin(
        Arc::clone(&parts.admin),
        Arc::clone(&parts.subscriptions),
        epoch,
        options,
        stopping.clone(),
    );
    let hub = Arc::clone(&parts.hub);
    let service = grpc::with_streams(
        calls,
        hub,
        Some(Arc::clone(&parts.subscriptions)),
        clock,
        options.max_message_bytes,
    );
    let mut routes = Routes::new(service)
        .add_service(accounts)
        .add_service(admin)
        .add_service(health);
    if config.grpc.reflection {
        routes = routes
            .add_service(reflection::v1()?)
            .add_service(reflection::v1alpha()?);
    }
    let metrics = Arc::clone(&parts.metrics);
    let server = server::server(
        &config.grpc,
        Arc::clone(&parts.callers),
        Some(Arc::clone(&parts.admin)),
        Arc::clone(&metrics),
    )
    .add_routes(routes);
    let grpc = &config.grpc;
    let gate = Gate::new(
        Listener::Grpc,
        grpc.max_connections,
        grpc.max_connections_per_peer,
        metrics,
    );
    let acceptor = Acceptor::new(listener, gate).with_tls(tls);
    let (stop, drain, grpc) = (stopping.clone(), config.shutdown.grace, grpc.clone());
    let task = tokio::spawn(async move {
        if let Err(error) = server::serve(&grpc, server, acceptor, stop, drain).await {
            tracing::error!(%error, "the gRPC listener failed");
        }
    });
    Ok((reporter, task))
}

fn serve_webhooks(
    listener: TcpListener,
    config: &Config,
    parts: &Parts,
    tls: Option<Arc<Tls>>,
    stopping: &CancellationToken,
) -> JoinHandle<()> {
    let webhooks = &config.webhooks;
    let router = webhook::router(Webhooks {
        conversations: Arc::clone(&parts.conversations),
        bodies: BodyReader::new(webhooks),
        clients: settings::clients(webhooks),
        limits: Arc::clone(&parts.limits),
    });
    let limits = HttpLimits {
        header_timeout: webhooks.header_timeout,
        idle_timeout: webhooks.idle_timeout,
        drain: config.shutdown.grace,
    };
    let metrics = Arc::clone(&parts.metrics);
    let gate = Gate::new(
        Listener::Webhooks,
        webhooks.max_connections,
        webhooks.max_connections_per_peer,
        metrics,
    );
    let acceptor = Acceptor::new(listener, gate).with_tls(tls);
    tokio::spawn(crate::net::http::serve(
        acceptor,
        router,
        limits,
        stopping.clone(),
    ))
}

fn serve_ops(
    listener: TcpListener,
    config: &Config,
    parts: &Parts,
    readiness: &Readiness,
    tls: Option<Arc<Tls>>,
    stopping: &CancellationToken,
) -> JoinHandle<()> {
    let metrics = Arc::clone(&parts.metrics);
    let router = ops::router(Arc::clone(&metrics), readiness.clone());
    let limits = HttpLimits {
        header_timeout: config.ops.header_timeout,
        idle_timeout: config.ops.idle_timeout,
        drain: config.shutdown.grace,
    };
    let gate = Gate::new(Listener::Ops, config.ops.max_connections, 0, metrics);
    let acceptor = Acceptor::new(listener, gate).with_tls(tls);
    tokio::spawn(crate::net::http::serve(
        acceptor,
        router,
        limits,
        stopping.clone(),
    ))
}
