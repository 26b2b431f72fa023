//! Where requests come from, as proxies tell it, and who may send from there.
//!
//! An input is text: a letter, `x` for `X-Forwarded-For` or any other for `Forwarded`, and the address of the connection
//! behind it; on the second line the networks of our own proxies; below, a line of the header each.

use std::net::IpAddr;

use http::{HeaderMap, HeaderValue};
use parloir::{
    domain::{AllowList, Network, Networks},
    net::{ClientAddresses, Forwarding},
};

/// What a visitor would write in front to be taken for somebody else.
const FORGED: &str = "198.51.100.77";

pub fn run(input: &[u8]) {
    let mut lines = input.split(|byte| *byte == b'\n');
    let (Some(first), Some(second)) = (lines.next().and_then(text), lines.next().and_then(text))
    else {
        return;
    };
    let networks: Vec<Network> = second.split(' ').filter_map(network).collect();
    let is_x = first.starts_with('x');
    let Some(peer) = first.get(1..).and_then(|peer| peer.parse::<IpAddr>().ok()) else {
        return;
    };
    let (header, name) = if is_x {
        (Forwarding::XForwardedFor, "x-forwarded-for")
    } else {
        (Forwarding::Forwarded, "forwarded")
    };
    let clients = ClientAddresses {
        trusted: networks.iter().copied().collect(),
        header,
    };
    let values: Vec<_> = lines
        .filter_map(|line| HeaderValue::from_bytes(line).ok())
        .collect();
    let headers = list(name, &values);
    let client = clients.of(peer, &headers);
    believes_only_proxies(&clients, peer, client);
    admits_by_address(&clients.trusted, client);
    if client.is_some_and(|client| !clients.trusted.contains(client)) {
        let forged = if is_x {
            FORGED.to_owned()
        } else {
            format!("for={FORGED}")
        };
        let forged = HeaderValue::from_str(&forged).expect("a value");
        let more = list(name, &[vec![forged], values].concat());
        assert_eq!(
            clients.of(peer, &more),
            client,
            "what stands in front is believed"
        );
    }
}

fn believes_only_proxies(clients: &ClientAddresses, peer: IpAddr, client: Option<IpAddr>) {
    if !clients.trusted.contains(peer) {
        assert_eq!(client, Some(peer.to_canonical()), "a stranger is believed");
    }
    if let Some(client) = client {
        assert_eq!(
            client,
            client.to_canonical(),
            "an address in its other spelling"
        );
    }
}

fn admits_by_address(networks: &Networks, client: Option<IpAddr>) {
    let known = client.is_some_and(|client| networks.contains(client));
    assert_eq!(AllowList::only(networks.clone()).admits(client), known);
    assert!(AllowList::default().admits(client));
}

/// It holds its own first address, in both spellings; what is refused comes with what to write, or repeats what was
/// written.
fn network(text: &str) -> Option<Network> {
    let network: Network = match text.parse() {
        Ok(network) => network,
        Err(why) => {
            let why: String = why;
            let Some((_, remedy)) = why.rsplit_once(": write ") else {
                assert!(why.contains(&format!("{text:?}")), "{why}");
                return None;
            };
            let remedied = remedy.parse::<Network>();
            assert!(
                remedied.is_ok(),
                "the remedy {remedy:?} is refused: {remedied:?}"
            );
            return None;
        }
    };
    let address = text
        .split('/')
        .next()
        .and_then(|first| first.parse::<IpAddr>().ok());
    let address = address.expect("a network begins with an address");
    assert!(
        network.contains(address),
        "{text:?} without its first address"
    );
    if let IpAddr::V4(v4) = address {
        assert!(network.contains(v4.to_ipv6_mapped().into()), "{text:?}");
    }
    Some(network)
}

fn list(name: &'static str, values: &[HeaderValue]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(name, value.clone());
    }
    headers
}

fn text(line: &[u8]) -> Option<&str> {
    std::str::from_utf8(line).ok()
}
