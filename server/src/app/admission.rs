//! Who is let in, as configured; and the refusal to start where everybody would be.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};
use secrecy::{ExposeSecret, SecretSlice};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    access::{Anonymous, Callers, Configured, Limits, Pepper},
    config::Config,
    domain::Clock,
};

/// How often it is said that everybody is let in.
const REMIND_EVERY: Duration = Duration::from_hours(1);

/// What callers, tenants and agents may ask for.
pub fn limits(config: &Config) -> Arc<Limits> {
    Arc::new(Limits::new(&config.limits, &config.tenants))
}

/// All callers that are configured; stored ones are handed in later. `pepper` is the database's, because digests of
/// stored keys outlive the process.
///
/// # Errors
///
/// A pepper that is none.
pub fn callers(
    config: &Config,
    pepper: &SecretSlice<u8>,
    limits: &Arc<Limits>,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<Callers>> {
    let pepper: &[u8; 32] = pepper
        .expose_secret()
        .try_into()
        .context("the database's pepper has not 32 bytes")?;
    let anonymous = if config.grpc.allow_unauthenticated {
        Anonymous::Always
    } else if config.grpc.listen.ip().is_loopback() {
        Anonymous::UntilCallersAreNamed
    } else {
        Anonymous::Never
    };
    let callers = Callers::new(
        Pepper::new(pepper),
        anonymous,
        Configured::new(&config.callers),
        Arc::clone(limits),
        Arc::clone(clock),
    );
    Ok(Arc::new(callers.telling(config.logging.refused_calls)))
}

/// Refuses to start on an address that other machines can reach while nobody is named who could call.
///
/// # Errors
///
/// How to mend it.
pub fn check(config: &Config, callers: &Callers) -> Result<()> {
    let listen = config.grpc.listen;
    if listen.ip().is_loopback() || config.grpc.allow_unauthenticated || callers.is_anyone_named() {
        return Ok(());
    }
    bail!(
        "grpc.listen = {listen} can be reached by other machines, and no caller is named: name one in [[callers]] with a \
         key (`parloir new-key` makes one and tells where it goes) and set [grpc.tls], or listen on 127.0.0.1; \
         grpc.allow_unauthenticated = true lets everybody in who reaches it"
    );
}

/// Says again and again that everybody is let in, where that is so.
pub fn remind(config: &Config, stopping: &CancellationToken) -> Option<JoinHandle<()>> {
    if !config.grpc.allow_unauthenticated {
        return None;
    }
    let stopping = stopping.clone();
    Some(tokio::spawn(async move {
        let mut reminders = tokio::time::interval(REMIND_EVERY);
        while stopping
            .run_until_cancelled(reminders.tick())
            .await
            .is_some()
        {
            tracing::warn!(
                "EVERYBODY WHO REACHES THE CALLS IS LET IN, because grpc.allow_unauthenticated is true: name [[callers]] and \
                 set it to false"
            );
        }
    }))
}
