//! The outgoing HTTP client: what an adapter needs to call a platform without being led astray.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use anyhow::{Context, bail};
use reqwest::{
    Client, Response, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect, tls,
};

/// Shorter than any proxy in use keeps an idle connection, so that a request rarely meets one that is being closed.
const POOL_IDLE: Duration = Duration::from_secs(15);
/// One conversation has one request in flight; this many idle connections serve a burst of conversations.
const IDLE_PER_HOST: usize = 32;
/// How often a quiet connection is asked whether it is alive, and how long the answer may take: a dead path is noticed
/// within 20 s instead of the kernel's quarter of an hour.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
const KEEP_ALIVE_ANSWER: Duration = Duration::from_secs(5);

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

/// A client that follows no redirects, uses no proxy and, unless allowed, reaches no private address.
pub fn client(limits: &Limits) -> anyhow::Result<Client> {
    check_place(limits)?;
    // Another part of the process may have installed it before; either way there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder()
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
            private: limits.allow_private_addresses,
            loopback: is_loopback(&limits.base),
        });
    let client = if limits.base.scheme() == "https" {
        client.https_only(true)
    } else {
        // Plain http on loopback needs no certificates, and a machine without any must be able to try Parloir.
        client.tls_certs_only([])
    };
    client.build().context("the HTTP client cannot be made")
}

/// A body of at most `cap` bytes. `None`: it did not come whole, or is longer.
pub async fn whole_body(mut response: Response, cap: usize) -> Option<Vec<u8>> {
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

fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[')
        .trim_end_matches(']')
        .parse()
        .ok()
}

/// Resolves names and leaves out the addresses that may not be reached: a name's owner decides where it points, and
/// may change that between two look-ups.
struct Guard {
    private: bool,
    /// The operator named loopback in so many words.
    loopback: bool,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (private, loopback) = (self.private, self.loopback);
        Box::pin(async move {
            let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0))
                .await?
                .filter(|address| {
                    let ip = address.ip();
                    private || !is_private(ip) || (loopback && ip.is_loopback())
                })
                .collect();
            if found.is_empty() {
                return Err(
                    "resolves to private addresses alone: set allow_private_addresses if that is meant"
                        .into(),
                );
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => match embedded_v4(address) {
            Some(inner) => is_private_v4(inner),
            None => {
                address.is_loopback()
                    || address.is_unspecified()
                    || address.is_multicast()
                    || address.is_unique_local()
                    || address.is_unicast_link_local()
            }
        },
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        // This network, and what was never given out.
        || a == 0
        || a >= 240
        // Shared by providers behind one address, protocol assignments, benchmarks.
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b))
}

/// The IPv4 address that an IPv6 one stands for: mapped, translated (`64:ff9b::/96`) or
/// 6to4 (`2002::/16`).
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let s = address.segments();
    let of = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match s {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(of(high, low))
        }
        [0x2002, high, low, ..] => Some(of(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(base: &str, allow_private_addresses: bool) -> Limits {
        Limits {
            base: base.parse().expect("a URL"),
            connect_timeout: Duration::from_secs(1),
            read_timeout: Duration::from_secs(1),
            allow_private_addresses,
        }
    }

    #[test]
    fn only_https_or_http_on_loopback_is_taken() {
        for fine in [
            "http://127.0.0.1:1",
            "http://[::1]:1",
            "http://localhost:1",
            "https://8.8.8.8",
        ] {
            assert!(check_place(&limits(fine, false)).is_ok(), "{fine}");
        }
        for bad in ["http://8.8.8.8", "http://example.org", "ftp://example.org"] {
            assert!(check_place(&limits(bad, true)).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_is_https_or_loopback_and_holds_no_credentials() {
        for fine in [
            "https://graph.facebook.com",
            "https://example.zendesk.com/ai-agents/api",
            "http://127.0.0.1:1",
            "http://[::1]:1/v2",
            "http://localhost:8090",
        ] {
            assert_eq!(check_address(fine), Ok(()), "{fine}");
        }
        for bad in [
            "graph",
            "http://8.8.8.8",
            "ftp://x",
            "https://a:b@x",
            "https://x?a=b",
            "https://x#a",
            "https://",
        ] {
            assert!(check_address(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn private_addresses_are_told_apart_in_every_disguise() {
        for private in [
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "127.0.0.1",
            "255.255.255.255",
            "::1",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
        ] {
            assert!(
                is_private(private.parse().expect("an address")),
                "{private}"
            );
        }
        for public in ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111"] {
            assert!(!is_private(public.parse().expect("an address")), "{public}");
        }
    }

    #[test]
    fn a_private_address_is_refused_unless_allowed() {
        assert!(check_place(&limits("https://10.0.0.1", false)).is_err());
        assert!(check_place(&limits("https://10.0.0.1", true)).is_ok());
    }

    #[tokio::test]
    async fn a_name_that_points_to_loopback_is_refused_unless_the_operator_said_so() {
        let resolve = |private, loopback| async move {
            let name: Name = "localhost".parse().expect("a name");
            Guard { private, loopback }.resolve(name).await.map(drop)
        };
        assert!(resolve(false, false).await.is_err());
        assert!(resolve(false, true).await.is_ok());
        assert!(resolve(true, false).await.is_ok());
    }
}
