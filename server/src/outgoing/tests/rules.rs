//! Which addresses count as private, and which bases are taken.

use std::{sync::Arc, time::Duration};

use reqwest::dns::{Name, Resolve};

use super::super::{
    Limits,
    address::is_private,
    check_address, check_place,
    guard::{Guard, System},
};

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
    for public in [
        "8.8.8.8",
        "172.32.0.1",
        "100.128.0.1",
        "168.63.129.17",
        "2606:4700::1111",
        "2001:4860:4860::8888",
        "64:ff9b::808:808",
        "2002:808:808::",
    ] {
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
        let guard = Guard {
            lookup: Arc::new(System),
            private,
            loopback,
        };
        guard.resolve(name).await.map(drop)
    };
    assert!(resolve(false, false).await.is_err());
    assert!(resolve(false, true).await.is_ok());
    assert!(resolve(true, false).await.is_ok());
}
