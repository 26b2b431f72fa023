//! Under which other reading a webhook would verify: for an operator who holds the secret and was told nothing by the
//! platform. Only what is known of real schemes is tried.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use super::form::{decoded, is_time, split_prefix};
use crate::{domain::inbound::Webhook, verification::equal};

/// Between a timestamp and the body.
const SEPARATORS: &[&str] = &["", ".", ":", "|", " ", "\n"];

/// A secret, and the setting that names it.
pub(super) struct Named {
    pub(super) setting: String,
    pub(super) secret: SecretString,
}

/// In words, each reading that fits. The secret is named by its setting.
pub(super) fn readings(webhook: &Webhook, secrets: &[Named]) -> Vec<String> {
    let mut found = Vec::new();
    for named in secrets {
        let secret = named.secret.expose_secret();
        let setting = &named.setting;
        for place in places(webhook, secret) {
            found.push(format!("{place} is {setting} itself"));
        }
        for signature in signatures(webhook) {
            for (key_form, key) in keys(secret) {
                for (covered, signed) in signed(webhook) {
                    let Some(algorithm) = fits(&key, &signed, &signature.bytes) else {
                        continue;
                    };
                    found.push(format!(
                        "the header {} is {algorithm} of {covered}, in {}{}, made with {setting}{key_form}",
                        signature.header, signature.encoding, signature.behind
                    ));
                }
            }
        }
    }
    found.dedup();
    found
}

/// A value that may be a signature.
struct Candidate {
    header: String,
    behind: String,
    encoding: &'static str,
    bytes: Vec<u8>,
}

fn signatures(webhook: &Webhook) -> Vec<Candidate> {
    let mut candidates = Vec::new();
    for (name, value) in &webhook.headers {
        let Ok(value) = value.to_str() else { continue };
        // A list may be separated by blanks, commas or semicolons, each element with a prefix of its own.
        let elements = value.split([' ', ',', ';']);
        for element in std::iter::once(value).chain(elements) {
            let (prefix, rest) = split_prefix(element);
            let behind = if prefix.is_empty() {
                String::new()
            } else {
                format!(" behind {prefix:?}")
            };
            for (text, behind) in [(element.trim(), String::new()), (rest, behind)] {
                for (encoding, bytes) in decoded(text) {
                    let candidate = Candidate {
                        header: name.as_str().to_owned(),
                        behind: behind.clone(),
                        encoding,
                        bytes,
                    };
                    let is_known = |other: &Candidate| {
                        other.header == candidate.header && other.bytes == candidate.bytes
                    };
                    if !candidates.iter().any(is_known) {
                        candidates.push(candidate);
                    }
                }
            }
        }
    }
    candidates
}

/// The bytes that a secret may stand for.
fn keys(secret: &str) -> Vec<(&'static str, Vec<u8>)> {
    let mut keys = vec![("", secret.as_bytes().to_vec())];
    let bare = secret.strip_prefix("whsec_").unwrap_or(secret);
    if let Ok(key) = STANDARD.decode(bare) {
        keys.push((", decoded from base64", key));
    }
    if let Some(key) = crate::verification::from_hex(secret).filter(|key| !key.is_empty()) {
        keys.push((", decoded from hexadecimal", key));
    }
    keys.push((" and a line break", format!("{secret}\n").into_bytes()));
    keys
}

/// What may have been signed.
fn signed(webhook: &Webhook) -> Vec<(String, Vec<u8>)> {
    let mut covered = Vec::new();
    for (body_form, body) in bodies(&webhook.body) {
        covered.push((body_form.to_owned(), body.clone()));
        for (name, value) in &webhook.headers {
            let Ok(time) = value.to_str() else { continue };
            if !is_time(time.trim()) {
                continue;
            }
            for separator in SEPARATORS {
                let what = if separator.is_empty() {
                    format!("{name} and {body_form}")
                } else {
                    format!("{name}, {separator:?} and {body_form}")
                };
                covered.push((what, joined(&[time, separator], &body)));
            }
            covered.push((
                format!("\"v0:\", {name}, \":\" and {body_form}"),
                joined(&["v0:", time, ":"], &body),
            ));
            if let Some(id) = webhook
                .headers
                .get("webhook-id")
                .and_then(|id| id.to_str().ok())
            {
                covered.push((
                    format!("webhook-id, {name} and {body_form}, with dots"),
                    joined(&[id, ".", time, "."], &body),
                ));
            }
        }
    }
    covered
}

/// The body, and what tools make of it on the way.
fn bodies(body: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut forms = vec![("the body", body.to_vec())];
    let mut add = |form: &'static str, changed: Vec<u8>| {
        if forms.iter().all(|(_, known)| *known != changed) {
            forms.push((form, changed));
        }
    };
    add("the body without its trailing line break", {
        let text = body.strip_suffix(b"\n").unwrap_or(body);
        text.strip_suffix(b"\r").unwrap_or(text).to_vec()
    });
    add(
        "the body without blanks around it",
        body.trim_ascii().to_vec(),
    );
    add("the body and a line break", [body, b"\n"].concat());
    add("the body with LF for CRLF", replaced(body, b"\r\n", b"\n"));
    let unix = replaced(body, b"\r\n", b"\n");
    add("the body with CRLF for LF", replaced(&unix, b"\n", b"\r\n"));
    forms
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at..].starts_with(from) {
            out.extend_from_slice(to);
            at += from.len();
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    out
}

fn joined(before: &[&str], body: &[u8]) -> Vec<u8> {
    let mut bytes = before.concat().into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// The algorithm by which the signature fits.
fn fits(key: &[u8], signed: &[u8], signature: &[u8]) -> Option<&'static str> {
    macro_rules! fits {
        ($hash:ty) => {
            Hmac::<$hash>::new_from_slice(key)
                .is_ok_and(|mac| mac.chain_update(signed).verify_slice(signature).is_ok())
        };
    }
    match signature.len() {
        20 => fits!(Sha1).then_some("HMAC-SHA1"),
        32 => fits!(Sha256).then_some("HMAC-SHA256"),
        64 => fits!(Sha512).then_some("HMAC-SHA512"),
        _ => None,
    }
}

/// Where the secret itself stands.
fn places(webhook: &Webhook, secret: &str) -> Vec<String> {
    let is_it = |text: &str| equal(text.as_bytes(), secret.as_bytes());
    let mut places = Vec::new();
    for (name, value) in &webhook.headers {
        let Ok(value) = value.to_str() else { continue };
        if is_it(value) {
            places.push(format!("the header {name}"));
        } else if let Some((scheme, rest)) = value.split_once(' ')
            && is_it(rest.trim())
        {
            places.push(format!("the header {name}, behind {scheme:?} and a blank,"));
        }
    }
    if webhook.path.split('/').any(is_it) {
        places.push("a part of the path".to_owned());
    }
    for pair in webhook.query.split('&') {
        if let Some((name, value)) = pair.split_once('=')
            && is_it(value)
        {
            places.push(format!("?{name}= in the query"));
        }
    }
    places
}
