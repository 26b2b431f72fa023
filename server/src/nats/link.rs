//! The connection to NATS servers: made in the background, kept up by itself, and never waited for.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result};
use async_nats::{Auth, AuthError, Client, ConnectOptions, Event, connection::State};
use secrecy::ExposeSecret;
use tokio::sync::watch;

use crate::{config::NatsAccessConfig, secret::Secret};

/// A server that does not greet by then is not there.
const CONNECT: Duration = Duration::from_secs(2);
/// How often a quiet server is asked whether it is there. It is gone after the third time that it does not answer.
const PING: Duration = Duration::from_secs(2);
/// Between two tries to connect: the first is at once, the second after the shortest.
const RETRY: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(1)];

/// A connection. Clones are the same one.
#[derive(Clone)]
pub struct Link {
    pub(super) client: Client,
    state: watch::Receiver<LinkState>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct LinkState {
    is_connected: bool,
    /// How often it was lost.
    losses: u64,
}

impl Link {
    /// Begins to connect. `part` is what it is for, as the servers show it.
    ///
    /// # Errors
    ///
    /// When what the settings name cannot be read. A server that is not there is none.
    pub async fn open(url: &str, access: &NatsAccessConfig, part: &str) -> Result<Self> {
        let (told, state) = watch::channel(LinkState::default());
        let told = Arc::new(Teller {
            told,
            part: part.to_owned(),
            is_failing: AtomicBool::new(false),
        });
        let options = options(access)?
            .name(format!("parloir {part}"))
            .event_callback(move |event| {
                told.tell(&event);
                std::future::ready(())
            });
        let servers: Vec<_> = url.split(',').collect();
        let client = options.connect(servers).await;
        // Not its own words: they may repeat what was written.
        let client = client.ok().context("the url of a NATS server is none")?;
        Ok(Self { client, state })
    }

    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// Tells whether it is connected, now and whenever that changes.
    pub(super) async fn follow(&self, tell: impl Fn(bool)) {
        let mut state = self.state.clone();
        loop {
            tell(state.borrow_and_update().is_connected);
            if state.changed().await.is_err() {
                return tell(false);
            }
        }
    }

    /// A promise of whatever is begun now: it ends when the connection is lost over which that goes.
    pub(super) fn lost(&self) -> impl Future<Output = ()> + use<> {
        let mut state = self.state.clone();
        let losses = state.borrow().losses;
        async move {
            // The client is gone: so is the connection.
            let _ = state.wait_for(|state| state.losses != losses).await;
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("is_connected", &self.is_connected())
            .finish_non_exhaustive()
    }
}

/// Tells of the connection: each change once, not each try.
struct Teller {
    told: watch::Sender<LinkState>,
    part: String,
    is_failing: AtomicBool,
}

impl Teller {
    fn tell(&self, event: &Event) {
        let part = self.part.as_str();
        match event {
            Event::Connected => {
                self.is_failing.store(false, Ordering::Relaxed);
                self.told.send_modify(|state| state.is_connected = true);
                tracing::info!(part, "connected to NATS");
            }
            Event::Disconnected | Event::Closed => {
                self.told.send_modify(|state| {
                    state.is_connected = false;
                    state.losses += 1;
                });
                tracing::warn!(part, "the connection to NATS was lost; connecting again");
            }
            Event::ClientError(_) | Event::ServerError(_) => {
                if !self.is_failing.swap(true, Ordering::Relaxed) {
                    tracing::warn!(part, why = %event, "NATS cannot be used for now; trying again");
                }
            }
            _ => tracing::debug!(part, %event, "NATS"),
        }
    }
}

fn options(access: &NatsAccessConfig) -> Result<ConnectOptions> {
    let mut options = shown(access)?
        .retry_on_initial_connect()
        .no_echo()
        .connection_timeout(CONNECT)
        .ping_interval(PING)
        .reconnect_delay_callback(pause)
        .require_tls(access.ca.is_some() || access.certificate.is_some());
    if let Some(ca) = &access.ca {
        options = options.add_root_certificates(ca.clone());
    }
    if let (Some(certificate), Some(key)) = (&access.certificate, &access.private_key) {
        options = options.add_client_certificate(certificate.clone(), key.clone());
    }
    Ok(options)
}

/// By what the server shows who it is.
fn shown(access: &NatsAccessConfig) -> Result<ConnectOptions> {
    if let Some(credentials) = &access.credentials {
        let credentials = credentials.read().context("the credentials for NATS")?;
        let options = ConnectOptions::with_credentials(credentials.expose_secret());
        return options.ok().context(
            "the credentials for NATS are not what stands in a .creds file: a user's JWT and its key",
        );
    }
    if access.password.is_none() && access.token.is_none() {
        return Ok(ConnectOptions::new());
    }
    let access = access.clone();
    Ok(ConnectOptions::with_auth_callback(move |_| {
        let auth = auth(&access);
        async move { auth }
    }))
}

/// What is shown, as it stands now: a password that was replaced counts from the next connection on.
fn auth(access: &NatsAccessConfig) -> Result<Auth, AuthError> {
    let read = |secret: &Option<Secret>| {
        let read = secret.as_ref().map(Secret::read).transpose();
        let read = read.map_err(AuthError::new)?;
        Ok(read.map(|secret| secret.expose_secret().to_owned()))
    };
    let mut auth = Auth::new();
    auth.username.clone_from(&access.user);
    auth.password = read(&access.password)?;
    auth.token = read(&access.token)?;
    Ok(auth)
}

/// Before which pause the client's own would be longer: it goes up to several seconds.
fn pause(attempts: usize) -> Duration {
    let [shortest, longest] = RETRY;
    let Some(doublings) = attempts.checked_sub(2) else {
        return Duration::ZERO;
    };
    let doublings = u32::try_from(doublings.min(16)).unwrap_or(16);
    let pause = shortest.saturating_mul(1 << doublings).min(longest);
    // Replicas do not come back all at once.
    pause.mul_f64(0.5 + 0.5 * fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_tried_again_at_least_every_second() {
        assert_eq!(pause(0), Duration::ZERO);
        assert_eq!(pause(1), Duration::ZERO);
        for attempts in [2, 3, 10, 1_000, usize::MAX] {
            let pause = pause(attempts);
            assert!(pause >= RETRY[0] / 2 && pause <= RETRY[1], "{pause:?}");
        }
    }
}
