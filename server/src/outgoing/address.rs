//! Which addresses are nobody's business outside: this machine, private networks, and every spelling of them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The address in a URL's host, if it is one. The URL's own parser has read decimal, octal and hexadecimal ones.
pub(super) fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[')
        .trim_end_matches(']')
        .parse()
        .ok()
}

/// Whether the address is not of the open internet.
pub(super) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => match embedded_v4(address) {
            Some(inner) => is_private_v4(inner),
            None => !is_global_v6(address),
        },
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let octets = address.octets();
    let [a, b, c, _] = octets;
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        // This network, and what was never given out.
        || a == 0
        || a >= 240
        // Shared by providers behind one address, protocol assignments, the old 6to4 relays, benchmarks.
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b))
        // Public by its number, and yet the host agent of every machine in Azure.
        || octets == [168, 63, 129, 16]
}

/// The IPv4 address that an IPv6 one stands for: mapped, translated (`64:ff9b::/96`) or 6to4 (`2002::/16`).
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

/// Only `2000::/3` was ever given out, and parts of it for special ends: `2001::/23` for protocols (Teredo among them,
/// which hides an IPv4 address), `2001:db8::/32` and `3fff::/20` for documentation. In all of it, an interface id of
/// ISATAP hides an IPv4 address too.
fn is_global_v6(address: Ipv6Addr) -> bool {
    let s = address.segments();
    let is_given_out = s[0] & 0xe000 == 0x2000;
    let is_special = (s[0] == 0x2001 && (s[1] < 0x200 || s[1] == 0xdb8))
        || (s[0] == 0x3fff && s[1] < 0x1000)
        || (s[4] & 0xfdff == 0 && s[5] == 0x5efe);
    is_given_out && !is_special
}
