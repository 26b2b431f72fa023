//! Where a request comes from, when proxies stand between: believed from the right as far as the proxies are ours.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;

use crate::domain::Networks;

/// The header in which our proxies write for whom they ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forwarding {
    /// `X-Forwarded-For: client, proxy`.
    XForwardedFor,
    /// `Forwarded: for=client, for=proxy` (RFC 7239).
    Forwarded,
}

/// Tells where requests come from.
#[derive(Debug, Clone)]
pub struct ClientAddresses {
    /// Our own proxies: what they write is believed.
    pub trusted: Networks,
    pub header: Forwarding,
}

impl ClientAddresses {
    /// Where a request comes from whose connection is from `peer`. `None`: a proxy of ours names an address that is
    /// none.
    ///
    /// The header is read from the right, because each proxy adds what it saw at the end; the first that is none of our
    /// proxies counts, and what stands left of it, anybody could have written.
    pub fn of(&self, peer: IpAddr, headers: &HeaderMap) -> Option<IpAddr> {
        let mut client = peer.to_canonical();
        for named in self.named(headers).rev() {
            if !self.trusted.contains(client) {
                return Some(client);
            }
            client = named?;
        }
        Some(client)
    }

    /// Whom the header names, from left to right; `None` for what is no address.
    fn named<'h>(
        &self,
        headers: &'h HeaderMap,
    ) -> impl DoubleEndedIterator<Item = Option<IpAddr>> + use<'h> {
        let (name, read): (_, fn(&str) -> Option<IpAddr>) = match self.header {
            Forwarding::XForwardedFor => ("x-forwarded-for", address),
            Forwarding::Forwarded => ("forwarded", forwarded_for),
        };
        // Several lines are one list.
        let lines = headers.get_all(name).into_iter();
        lines.flat_map(move |line| {
            // What is no text is one element, and no address.
            let text = line.to_str().unwrap_or("?");
            text.split(',').map(move |element| read(element.trim()))
        })
    }
}

/// `for=` of one element of `Forwarded`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut found = element.split(';').filter_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        name.trim_end().eq_ignore_ascii_case("for").then_some(value)
    });
    let (value, None) = (found.next()?, found.next()) else {
        return None;
    };
    let value = value.trim();
    match value.strip_prefix('"') {
        Some(quoted) => address(quoted.strip_suffix('"')?),
        None => address(value),
    }
}

/// An address with or without a port, IPv6 in brackets or, without a port, bare.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.parse::<IpAddr>().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    let bracketed = || {
        text.strip_prefix('[')?
            .strip_suffix(']')?
            .parse()
            .ok()
            .map(IpAddr::V6)
    };
    let address = bare.or_else(with_port).or_else(bracketed)?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clients(header: Forwarding) -> ClientAddresses {
        let trusted = ["10.0.0.0/8", "2001:db8::/32"];
        ClientAddresses {
            trusted: trusted
                .iter()
                .map(|text| text.parse().expect("a network"))
                .collect(),
            header,
        }
    }

    fn seen(header: Forwarding, peer: &str, lines: &[&str]) -> Option<String> {
        let name = match header {
            Forwarding::XForwardedFor => "x-forwarded-for",
            Forwarding::Forwarded => "forwarded",
        };
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(name, line.parse().expect("a header"));
        }
        let peer = peer.parse().expect("an address");
        let client = clients(header).of(peer, &headers)?;
        Some(client.to_string())
    }

    #[test]
    fn the_first_from_the_right_that_is_no_proxy_of_ours_counts() {
        let x = |peer, lines: &[&str]| seen(Forwarding::XForwardedFor, peer, lines);
        let is = |text: &str| Some(text.to_owned());
        // Nobody else is believed, whatever they write.
        assert_eq!(x("203.0.113.9", &["34.140.214.64"]), is("203.0.113.9"));
        assert_eq!(x("203.0.113.9", &["nonsense"]), is("203.0.113.9"));
        assert_eq!(x("10.0.0.1", &["34.140.214.64"]), is("34.140.214.64"));
        assert_eq!(x("::ffff:10.0.0.1", &["::ffff:8.8.8.8"]), is("8.8.8.8"));
        // A forged element stands left of what our proxy saw.
        assert_eq!(
            x("10.0.0.1", &["34.140.214.64, 203.0.113.9"]),
            is("203.0.113.9")
        );
        assert_eq!(
            x("10.0.0.1", &["1.1.1.1, 203.0.113.9, 10.0.0.2"]),
            is("203.0.113.9")
        );
        assert_eq!(
            x("10.0.0.1", &["1.1.1.1", "203.0.113.9", "10.0.0.2"]),
            is("203.0.113.9")
        );
        assert_eq!(x("10.0.0.1", &["nonsense, 203.0.113.9"]), is("203.0.113.9"));
        // Proxies alone: the outermost.
        assert_eq!(x("10.0.0.1", &["10.0.0.3, 10.0.0.2"]), is("10.0.0.3"));
        assert_eq!(x("10.0.0.1", &[]), is("10.0.0.1"));
        assert_eq!(x("10.0.0.1", &["203.0.113.9:4711"]), is("203.0.113.9"));
        assert_eq!(x("10.0.0.1", &["[2606:4700::1]:4711"]), is("2606:4700::1"));
        assert_eq!(x("2001:db8::7", &["2606:4700::1"]), is("2606:4700::1"));
        for malformed in [
            "",
            "unknown",
            "1.2.3.4,",
            "1.2.3.4, ?",
            "1.2.3",
            "[1.2.3.4]",
            "1.2.3.4 5",
        ] {
            assert_eq!(x("10.0.0.1", &[malformed]), None, "{malformed:?}");
        }
        assert_eq!(x("10.0.0.1", &["203.0.113.9", "nonsense"]), None);
    }

    #[test]
    fn the_standard_header_is_read_the_same_way() {
        let f = |lines: &[&str]| seen(Forwarding::Forwarded, "10.0.0.1", lines);
        let is = |text: &str| Some(text.to_owned());
        assert_eq!(f(&["for=203.0.113.9;proto=https"]), is("203.0.113.9"));
        assert_eq!(
            f(&["proto=https; For=\"203.0.113.9:1\""]),
            is("203.0.113.9")
        );
        assert_eq!(
            f(&["for=1.1.1.1, for=203.0.113.9, for=10.0.0.2"]),
            is("203.0.113.9")
        );
        assert_eq!(f(&["for=\"[2606:4700::1]:4711\""]), is("2606:4700::1"));
        for malformed in [
            "",
            "for=unknown",
            "for=_hidden",
            "proto=https",
            "for=\"1.1.1.1",
            "for=1.1.1.1;for=2.2.2.2",
        ] {
            assert_eq!(f(&[malformed]), None, "{malformed:?}");
        }
    }

    #[test]
    fn the_header_that_our_proxies_do_not_write_is_not_read() {
        let mut headers = HeaderMap::new();
        headers.insert("forwarded", "for=34.140.214.64".parse().expect("a header"));
        let peer: IpAddr = "10.0.0.1".parse().expect("an address");
        assert_eq!(
            clients(Forwarding::XForwardedFor).of(peer, &headers),
            Some(peer)
        );
    }
}
