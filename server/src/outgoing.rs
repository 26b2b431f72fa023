//! The outgoing HTTP client: what an adapter needs to call a platform without being led astray.

mod address;
mod guard;

use std::{sync::Arc, time::Duration};

use anyhow::{Context, bail};
use http::Method;
use reqwest::{IntoUrl, RequestBuilder, Response, Url, redirect, tls};

use address::{is_private, literal};
use guard::{Guard, Lookup, System};

/// Shorter than any proxy in use keeps an idle connection, so that a request rarely meets one that is being closed.
const POOL_IDLE: Duration = Duration::from_secs(15);
/// One conversation has one request in flight; this many idle connections serve a burst of conversations.
const IDLE_PER_HOST: usize = 32;
/// How often a quiet connection is asked whether it is alive, and how long the answer may take: a dead path is noticed
/// within 20 s instead of the kernel's quarter of an hour.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
const KEEP_ALIVE_ANSWER: Duration = Duration::from_secs(5);

/// How long a body may take in all, though each piece of it comes in time. The longest is the list of an export's files,
/// of some megabytes.
const WHOLE_BODY: Duration = Duration::from_mins(1);

/// No URL, so that a request to it fails as one that cannot be written: it was certainly not sent.
const NOWHERE: &str = "";

/// Where a client may go and how long it may take.
#[derive(Debug)]
pub struct Limits {
    /// The only place that it is for.
    pub base: Url,
    pub connect_timeout: Duration,
    /// From the request's beginning to its answer's headers, and between two pieces of the body.
    pub read_timeout: Duration,
    pub allow_private_addresses: bool,
}

/// Requests to one place and to no other: what a platform names as an address leads nowhere else.
///
/// It follows no redirects, uses no proxy, whatever the environment says, and, unless allowed, reaches no private
/// address. Compressed bodies come as they are, so that a small one cannot become a large one.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
}

impl Client {
    pub fn get(&self, url: impl IntoUrl) -> RequestBuilder {
        self.request(Method::GET, url)
    }

    pub fn post(&self, url: impl IntoUrl) -> RequestBuilder {
        self.request(Method::POST, url)
    }

    /// A request that fails before it is sent if `url` is not of the base's scheme, host and port, or has credentials in
    /// it.
    ///
    /// An address instead of a name is asked of no resolver, so the place must be looked at here, for each URL: the
    /// base's own was looked at when the client was made.
    pub fn request(&self, method: Method, url: impl IntoUrl) -> RequestBuilder {
        let url = match url.into_url() {
            Ok(url) if self.is_within(&url) => url,
            Ok(_) => {
                tracing::warn!("a request to another place than the configured one was not sent");
                return self.http.request(method, NOWHERE);
            }
            Err(error) => {
                tracing::warn!(%error, "a request to what is no address was not sent");
                return self.http.request(method, NOWHERE);
            }
        };
        self.http.request(method, url)
    }

    fn is_within(&self, url: &Url) -> bool {
        let has_credentials = !url.username().is_empty() || url.password().is_some();
        url.origin() == self.base.origin() && !has_credentials
    }
}

/// A client for the place in `limits`.
///
/// # Errors
///
/// The place may not be reached, or no client can be made.
pub fn client(limits: &Limits) -> anyhow::Result<Client> {
    client_asking(limits, Arc::new(System))
}

fn client_asking(limits: &Limits, lookup: Arc<dyn Lookup>) -> anyhow::Result<Client> {
    check_place(limits)?;
    // Another part of the process may have installed it before; either way there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .connect_timeout(limits.connect_timeout)
        .read_timeout(limits.read_timeout)
        .pool_idle_timeout(POOL_IDLE)
        .pool_max_idle_per_host(IDLE_PER_HOST)
        .tcp_keepalive(KEEP_ALIVE)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .http2_keep_alive_timeout(KEEP_ALIVE_ANSWER)
        .http2_keep_alive_while_idle(true)
        .tls_version_min(tls::Version::TLS_1_2)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .dns_resolver(Guard {
            lookup,
            private: limits.allow_private_addresses,
            loopback: is_loopback(&limits.base),
        });
    let client = if limits.base.scheme() == "https" {
        client.https_only(true)
    } else {
        // Plain http on loopback needs no certificates, and a machine without any must be able to try Parloir.
        client.tls_certs_only([])
    };
    let http = client.build().context("the HTTP client cannot be made")?;
    let base = limits.base.clone();
    Ok(Client { http, base })
}

/// A body of at most `cap` bytes. `None`: it did not come whole, is longer, or takes longer than a minute.
pub async fn whole_body(response: Response, cap: usize) -> Option<Vec<u8>> {
    let body = tokio::time::timeout(WHOLE_BODY, read(response, cap));
    body.await.ok().flatten()
}

async fn read(mut response: Response, cap: usize) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.ok()? {
        if body.len() + piece.len() > cap {
            return None;
        }
        body.extend_from_slice(&piece);
    }
    Some(body)
}

/// What is wrong with the address of an API, for whoever writes it into the configuration. A client refuses it too, but
/// only once the server starts.
pub fn check_address(text: &str) -> Result<(), &'static str> {
    let url: Url = text.parse().map_err(|_| "is not a URL")?;
    if url.query().is_some() || text.contains(['@', '#']) {
        return Err(
            "must hold neither credentials nor a query: secrets have settings of their own",
        );
    }
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(&url) => Ok(()),
        "http" => Err(
            "must be https: plain http would show the credentials, and is accepted for loopback only",
        ),
        _ => Err("must begin with https:// and name a host"),
    }
}

/// Notes that a request to `who` ended without an answer. True: no connection was made, so it was certainly not sent;
/// otherwise nobody can tell.
pub fn unanswered(who: &str, error: &reqwest::Error) -> bool {
    let not_sent = error.is_connect() || error.is_builder();
    // The causes alone: the error's own text holds the URL, which may say more than a log should.
    let causes: Vec<_> =
        std::iter::successors(std::error::Error::source(error), |error| error.source())
            .map(ToString::to_string)
            .collect();
    let causes = causes.join(": ");
    tracing::warn!(who, causes, not_sent, "a request ended without an answer");
    not_sent
}

fn check_place(limits: &Limits) -> anyhow::Result<()> {
    match limits.base.scheme() {
        "https" => {}
        "http" if is_loopback(&limits.base) => {}
        _ => bail!("must be https, or http on loopback"),
    }
    if !limits.base.username().is_empty() || limits.base.password().is_some() {
        bail!("must hold no credentials");
    }
    let address = limits.base.host_str().and_then(literal);
    if address.is_some_and(|address| !address.is_loopback() && is_private(address))
        && !limits.allow_private_addresses
    {
        bail!("is a private address: set allow_private_addresses if that is meant");
    }
    Ok(())
}

/// Whether the URL names this machine in so many words.
pub fn is_loopback(base: &Url) -> bool {
    base.host_str().is_some_and(|host| {
        host == "localhost" || literal(host).is_some_and(|address| address.is_loopback())
    })
}

/// Whether the text is the URL of a host that is, in so many words, this machine or one of a private network. Names are
/// looked up only when they are used.
pub fn is_private_place(text: &str) -> bool {
    let Ok(url) = text.parse::<Url>() else {
        return false;
    };
    url.host_str().is_some_and(|host| {
        let name = host.trim_end_matches('.');
        name == "localhost" || name.ends_with(".localhost") || literal(host).is_some_and(is_private)
    })
}

#[cfg(test)]
mod tests;
