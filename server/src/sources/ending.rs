//! How a request to a source ended, where that means the same for several of them.

use std::time::Duration;

use http::HeaderMap;
use reqwest::Url;

use crate::domain::outbound::{Refusal, Sent};

/// Bytes of a refusal's words that are kept: enough for a sentence, far below what any client takes in a status.
const MAX_DETAIL: usize = 512;
/// Words shorter than this are left in: every second detail would hold them by chance.
const SHORTEST_WORDS: usize = 4;
const REMOVED: &str = "[removed]";

/// Without a connection nothing was sent; after that nobody can tell.
pub(super) fn without_answer(source: &str, error: &reqwest::Error) -> Sent {
    let not_sent = error.is_connect() || error.is_builder();
    // The causes alone: the error's own text holds the URL, which may say more than a log should.
    let causes: Vec<_> =
        std::iter::successors(std::error::Error::source(error), |error| error.source())
            .map(ToString::to_string)
            .collect();
    let causes = causes.join(": ");
    tracing::warn!(source, causes, not_sent, "no answer from the source");
    if not_sent {
        Sent::NotSent
    } else {
        Sent::Unclear
    }
}

/// Refused for good. Of what was said, the first 512 bytes without `removed` and without control characters.
pub(super) fn refused(refusal: Refusal, said: &str, removed: &[&str]) -> Sent {
    Sent::Refused {
        refusal,
        detail: detail(said, removed),
    }
}

/// The first 512 bytes without `removed` and without control characters.
pub(super) fn detail(said: &str, removed: &[&str]) -> String {
    let mut longest_first: Vec<_> = removed
        .iter()
        .filter(|one| one.len() >= SHORTEST_WORDS)
        .collect();
    longest_first.sort_by_key(|one| std::cmp::Reverse(one.len()));
    let mut text = said.to_owned();
    for one in longest_first {
        text = text.replace(*one, REMOVED);
    }
    text.retain(|c| !c.is_control());
    text.truncate(text.floor_char_boundary(MAX_DETAIL));
    text.trim().to_owned()
}

/// A header that counts seconds. What is no number counts as not given.
pub(super) fn seconds(headers: &HeaderMap, name: &str) -> Option<Duration> {
    let value = headers.get(name)?.to_str().ok()?.trim();
    value.parse().ok().map(Duration::from_secs)
}

/// What is wrong with the address of an API; a client refuses it too, but only once the server starts.
pub(super) fn check_base_url(text: &str) -> Result<(), &'static str> {
    let url: Url = text.parse().map_err(|_| "is not a URL")?;
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err("must hold neither credentials nor a query");
    }
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let address: Result<std::net::IpAddr, _> = address.parse();
    let is_loopback = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback => Ok(()),
        "http" => {
            Err("must be https: plain http would show the token, and is accepted for loopback only")
        }
        _ => Err("must begin with https://"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_holds_nothing_that_must_not_be_repeated_and_has_an_end() {
        let said = format!("token-1 for +32470000001\r\n{}", "é".repeat(600));
        let detail = detail(&said, &["token", "token-1", "32470000001", "for"]);
        assert!(detail.starts_with("[removed] for +[removed]é"), "{detail}");
        assert!((511..=512).contains(&detail.len()), "{}", detail.len());
    }

    #[test]
    fn only_https_or_http_on_loopback_is_an_address_of_an_api() {
        for fine in [
            "https://graph.facebook.com",
            "http://127.0.0.1:1",
            "http://[::1]:1/v2",
        ] {
            assert_eq!(check_base_url(fine), Ok(()), "{fine}");
        }
        for bad in [
            "graph",
            "http://8.8.8.8",
            "ftp://x",
            "https://a:b@x",
            "https://x?a=b",
        ] {
            assert!(check_base_url(bad).is_err(), "{bad}");
        }
    }
}
