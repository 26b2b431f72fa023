//! Networks of addresses, and who may send from where.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// An address, or all that begin like it: `192.0.2.0/24`, `2001:db8::/32`, or one address alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    bits: u32,
}

/// Some networks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<Network>);

/// From where somebody may send. The default is from everywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowList(Option<Networks>);

impl Network {
    /// Whether the address belongs to it. An IPv4 address counts in both spellings.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address.to_canonical()) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                let mask = mask_v4(self.bits);
                first.to_bits() == address.to_bits() & mask
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                first.to_bits() == address.to_bits() & mask_v6(self.bits)
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    /// What is wrong with it, and what to write instead.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} is neither an address nor a network such as 192.0.2.0/24 or 2001:db8::/32"
            )
        };
        let (address, bits) = match text.split_once('/') {
            // A sign is no digit here, whatever Rust takes for a number.
            Some((_, bits)) if !bits.bytes().all(|c| c.is_ascii_digit()) => return Err(wrong()),
            Some((address, bits)) => (address, Some(bits.parse().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let written = if address.is_ipv4() { 32 } else { 128 };
        let bits: u32 = bits.unwrap_or(written);
        let canonical = address.to_canonical();
        // `::ffff:192.0.2.0/120` is `192.0.2.0/24`.
        let hidden = if address.is_ipv6() && canonical.is_ipv4() {
            96
        } else {
            0
        };
        if bits > written || bits < hidden {
            return Err(wrong());
        }
        let bits = bits - hidden;
        let first = match canonical {
            IpAddr::V4(v4) => Ipv4Addr::from_bits(v4.to_bits() & mask_v4(bits)).into(),
            IpAddr::V6(v6) => IpAddr::from(Ipv6Addr::from_bits(v6.to_bits() & mask_v6(bits))),
        };
        if first != canonical {
            return Err(format!(
                "{text:?} has an address beyond its network: write {first}/{bits}"
            ));
        }
        Ok(Self { first, bits })
    }
}

impl Networks {
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

impl FromIterator<Network> for Networks {
    fn from_iter<I: IntoIterator<Item = Network>>(networks: I) -> Self {
        Self(networks.into_iter().collect())
    }
}

impl AllowList {
    /// From these networks alone; from nowhere, if there are none.
    pub fn only(networks: Networks) -> Self {
        Self(Some(networks))
    }

    /// Whether somebody at `address` may send. `None`: nobody knows where it comes from.
    pub fn admits(&self, address: Option<IpAddr>) -> bool {
        match &self.0 {
            None => true,
            Some(networks) => address.is_some_and(|address| networks.contains(address)),
        }
    }
}

fn mask_v4(bits: u32) -> u32 {
    u32::MAX.checked_shl(32 - bits).unwrap_or(0)
}

fn mask_v6(bits: u32) -> u128 {
    u128::MAX.checked_shl(128 - bits).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().expect(text)
    }

    fn address(text: &str) -> IpAddr {
        text.parse().expect(text)
    }

    #[test]
    fn a_network_holds_what_begins_like_it_and_nothing_beside() {
        for (net, inside, outside) in [
            ("34.140.214.64", "34.140.214.64", "34.140.214.65"),
            ("35.0.0.0/8", "35.255.255.255", "36.0.0.0"),
            ("192.0.2.128/25", "192.0.2.128", "192.0.2.127"),
            ("0.0.0.0/0", "255.255.255.255", "::1"),
            ("2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::"),
            ("::/0", "2001:db8::", "1.2.3.4"),
            ("2001:db8::1", "2001:db8::1", "2001:db8::2"),
        ] {
            assert!(network(net).contains(address(inside)), "{net} {inside}");
            assert!(!network(net).contains(address(outside)), "{net} {outside}");
        }
    }

    #[test]
    fn an_ipv4_address_counts_in_both_spellings() {
        assert!(network("10.0.0.0/8").contains(address("::ffff:10.1.2.3")));
        assert_eq!(network("::ffff:10.0.0.0/104"), network("10.0.0.0/8"));
        assert!(network("::ffff:10.0.0.1").contains(address("10.0.0.1")));
    }

    #[test]
    fn what_is_no_network_is_refused_with_what_to_write() {
        for wrong in [
            "",
            "/8",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0/8",
            "010.0.0.0/8",
            "::/129",
            "::ffff:0.0.0.0/95",
            "example.org",
            "10.0.0.0/8/8",
            " 10.0.0.1",
        ] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong:?}");
        }
        let remedy = "10.1.2.3/8".parse::<Network>().expect_err("beyond");
        assert!(remedy.contains("write 10.0.0.0/8"), "{remedy}");
    }

    #[test]
    fn an_allow_list_admits_no_unknown_address_unless_it_admits_everybody() {
        assert!(AllowList::default().admits(None));
        let only = AllowList::only([network("10.0.0.0/8")].into_iter().collect());
        assert!(only.admits(Some(address("10.1.1.1"))));
        assert!(!only.admits(Some(address("11.1.1.1"))));
        assert!(!only.admits(None));
        assert!(!AllowList::only(Networks::default()).admits(Some(address("10.1.1.1"))));
    }
}
