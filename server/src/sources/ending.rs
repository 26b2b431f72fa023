//! How a request to a source ended, where that means the same for several of them.

use std::time::Duration;

use http::HeaderMap;

use crate::{
    domain::{
        outbound::{Refusal, Sent},
        redact::{Redactor, SHORTEST_WORDS},
    },
    outgoing,
};

/// Without a connection nothing was sent; after that nobody can tell.
pub(super) fn without_answer(source: &str, error: &reqwest::Error) -> Sent {
    if outgoing::unanswered(source, error) {
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
    let long = removed.iter().filter(|one| one.len() >= SHORTEST_WORDS);
    Redactor::knowing(long.copied()).detail(said.as_bytes())
}

/// A header that counts seconds. What is no number counts as not given.
pub(super) fn seconds(headers: &HeaderMap, name: &str) -> Option<Duration> {
    let value = headers.get(name)?.to_str().ok()?.trim();
    value.parse().ok().map(Duration::from_secs)
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
}
