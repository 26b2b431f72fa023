//! How a client is set up: where to, how patient, how much may be under way.

use std::time::Duration;

use tonic::transport::Endpoint;

use crate::{Client, Error, credentials::Transport, pool::Pool};

/// The HTTP/2 default. Below it some peers fail, so a stream's window is never made smaller.
const SMALLEST_STREAM_WINDOW: u32 = 65_535;

/// Sets up a [`Client`]. Every setting has a default that suits a backend in the same network as the server.
#[derive(Debug, Clone)]
pub struct Builder {
    url: String,
    pub(crate) settings: Settings,
    transport: Transport,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) connect_timeout: Duration,
    pub(crate) deadline: Duration,
    pub(crate) attempts: u32,
    pub(crate) keep_alive_interval: Duration,
    pub(crate) keep_alive_timeout: Duration,
    pub(crate) stream_window: u32,
    pub(crate) subscriptions_per_connection: u16,
    pub(crate) max_message_bytes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            deadline: Duration::from_secs(10),
            attempts: 5,
            keep_alive_interval: Duration::from_secs(30),
            keep_alive_timeout: Duration::from_secs(10),
            stream_window: 64 * 1024,
            subscriptions_per_connection: 50,
            // A platform may send 10 MB at once, and text that is kept as JSON inside an event grows by its escapes.
            max_message_bytes: 32 * 1024 * 1024,
        }
    }
}

impl Builder {
    pub(crate) fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            settings: Settings::default(),
            transport: Transport::default(),
        }
    }

    /// The longest time to wait for a TCP connection: 5 seconds unless set.
    #[must_use]
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.settings.connect_timeout = limit;
        self
    }

    /// The longest time that a unary call may take, repeats and pauses included: 10 seconds unless set. The server
    /// answers a quarter of a second earlier with the state reached so far. Below 6 seconds a call may come back
    /// before the agent has had its usual time to answer; nothing is lost by that.
    #[must_use]
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.settings.deadline = limit;
        self
    }

    /// How often a call is tried in all while the server answers UNAVAILABLE: 5 times unless set, 1 for no repeats.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.settings.attempts = attempts;
        self
    }

    /// Signs of life on a connection, also while it is idle: asked for every `interval`, missed after `timeout`; 30
    /// and 10 seconds unless set. Asking much more often than every 20 seconds may be taken for an attack.
    #[must_use]
    pub fn keep_alive(mut self, interval: Duration, timeout: Duration) -> Self {
        self.settings.keep_alive_interval = interval;
        self.settings.keep_alive_timeout = timeout;
        self
    }

    /// How many bytes the server may send on one stream before this side has read them: 64 KiB unless set, never
    /// less than 65,535. The connection's window is this times [`Self::subscriptions_per_connection`], so that
    /// subscriptions that are not read cannot stop those that are.
    #[must_use]
    pub fn stream_window(mut self, bytes: u32) -> Self {
        self.settings.stream_window = bytes.max(SMALLEST_STREAM_WINDOW);
        self
    }

    /// How many subscriptions share a connection before another one is opened: 50 unless set, at least 1. Unary
    /// calls have a connection of their own.
    #[must_use]
    pub fn subscriptions_per_connection(mut self, subscriptions: u16) -> Self {
        self.settings.subscriptions_per_connection = subscriptions.max(1);
        self
    }

    /// The largest message that is accepted from the server: 32 MiB unless set. A larger one ends the call, or the
    /// subscription, with `OUT_OF_RANGE`.
    #[must_use]
    pub fn max_message_bytes(mut self, bytes: usize) -> Self {
        self.settings.max_message_bytes = bytes;
        self
    }

    /// The caller's key, `parloir_...`: shown with every call and every stream. Over `http://` it travels in the clear.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.transport.key = Some(key.into());
        self
    }

    /// A root, in PEM, that the server's certificate must lead to; may be said several times. Without any, those of the
    /// system are believed. Counts for `https://` only.
    #[must_use]
    pub fn tls_root(mut self, pem: impl Into<String>) -> Self {
        self.transport.roots.push(pem.into());
        self
    }

    /// A client certificate with what leads to its root, and its private key, in PEM: shown to the server instead of a
    /// key, or beside it. Counts for `https://` only.
    #[must_use]
    pub fn client_certificate(
        mut self,
        certificate: impl Into<String>,
        private_key: impl Into<String>,
    ) -> Self {
        self.transport.identity = Some((certificate.into(), private_key.into()));
        self
    }

    /// Connects now. The URL begins with `http://` or `https://`; for any other transport bring a channel to
    /// [`Client::over`].
    ///
    /// Fails with `INVALID_ARGUMENT` for a URL that is none, and with UNAVAILABLE when no connection can
    /// be made. Later the connection is made anew whenever it is lost.
    pub async fn connect(self) -> Result<Client, Error> {
        let endpoint = self.endpoint()?;
        let credentials = self.transport.credentials()?;
        let calls = endpoint.connect().await.map_err(|error| {
            let cause = innermost(&error);
            Error::unavailable(format!("cannot connect to {}: {cause}", self.url))
        })?;
        Ok(Client::new(
            calls,
            Pool::of_connections(endpoint, self.settings),
            self.settings,
            credentials,
        ))
    }

    /// Connects with the first call. Fails with `INVALID_ARGUMENT` for a URL that is none. Must be called inside a
    /// tokio runtime.
    pub fn connect_lazy(self) -> Result<Client, Error> {
        let endpoint = self.endpoint()?;
        let calls = endpoint.connect_lazy();
        let credentials = self.transport.credentials()?;
        Ok(Client::new(
            calls,
            Pool::of_connections(endpoint, self.settings),
            self.settings,
            credentials,
        ))
    }

    fn endpoint(&self) -> Result<Endpoint, Error> {
        let endpoint = Endpoint::from_shared(self.url.clone()).map_err(|_| {
            Error::invalid(format!("{:?} is no URL; write http://host:port", self.url))
        })?;
        // Without a scheme "host:port" parses too, and then fails to connect for no visible reason.
        let endpoint = match endpoint.uri().scheme_str() {
            Some("http") => endpoint,
            Some("https") => {
                let secured = endpoint.tls_config(self.transport.tls());
                secured.map_err(|error| {
                    let cause = innermost(&error);
                    Error::invalid(format!("the TLS settings are not good: {cause}"))
                })?
            }
            _ => {
                return Err(Error::invalid(format!(
                    "{:?} begins neither with http:// nor with https://; write http://host:port",
                    self.url
                )));
            }
        };
        let Settings {
            stream_window,
            subscriptions_per_connection,
            ..
        } = self.settings;
        Ok(endpoint
            .user_agent(concat!("parloir-client/", env!("CARGO_PKG_VERSION")))
            .map_err(|error| Error::invalid(error.to_string()))?
            .connect_timeout(self.settings.connect_timeout)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(self.settings.keep_alive_interval)
            .keep_alive_timeout(self.settings.keep_alive_timeout)
            .keep_alive_while_idle(true)
            // Measured: with the adaptive window 10 unread neighbours stall a stream after 6 events.
            .http2_adaptive_window(false)
            .initial_stream_window_size(stream_window)
            .initial_connection_window_size(
                stream_window.saturating_mul(subscriptions_per_connection.into()),
            ))
    }
}

/// tonic's own words are "transport error"; what went wrong is the last of its sources.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
