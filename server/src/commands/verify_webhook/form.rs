//! The form of a header's value: enough to tell what was sent, never the value.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};

/// How a value is written, in words.
pub(super) fn form(value: &str) -> String {
    let (prefix, rest) = match split_prefix(value) {
        // Otherwise it may be the beginning of a secret.
        (prefix, rest) if !decoded(rest).is_empty() => (prefix, rest),
        _ => ("", value),
    };
    let behind = if prefix.is_empty() {
        String::new()
    } else {
        format!(" behind {prefix:?}")
    };
    let count = rest.chars().count();
    let kind = match decoded(rest).first() {
        Some((encoding, bytes)) => format!("{encoding}, {}", size(bytes.len())),
        None if is_time(rest) => "a time".to_owned(),
        None if rest.is_empty() => "empty".to_owned(),
        None => "neither hexadecimal nor base64".to_owned(),
    };
    format!("{count} characters{behind}: {kind}")
}

/// What stands before the value proper, such as `sha256=` or `v1,`: short, and in front of `=`, `,` or a blank.
pub(super) fn split_prefix(value: &str) -> (&str, &str) {
    let value = value.trim();
    let end = value.find(['=', ',', ' ']).map(|at| at + 1);
    match end {
        // Base64 ends in `=`; what is long is no prefix.
        Some(end) if end <= 10 && end < value.trim_end_matches('=').len() => value.split_at(end),
        _ => ("", value),
    }
}

/// What it may stand for, by each way to write bytes.
pub(super) fn decoded(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let mut ways = Vec::new();
    if let Some(bytes) = crate::verification::from_hex(text).filter(|bytes| !bytes.is_empty())
        && !is_time(text)
    {
        ways.push(("hexadecimal", bytes));
        return ways;
    }
    // A word is base64 by chance: only what is long enough for a signature counts.
    let long = |bytes: &Vec<u8>| bytes.len() >= 16;
    if let Some(bytes) = STANDARD.decode(text).ok().filter(long) {
        ways.push(("base64", bytes));
    } else if let Some(bytes) = URL_SAFE_NO_PAD
        .decode(text.trim_end_matches('='))
        .ok()
        .filter(long)
    {
        ways.push(("base64 for addresses", bytes));
    }
    ways
}

/// Seconds or milliseconds since 1970, or RFC 3339.
pub(super) fn is_time(text: &str) -> bool {
    let digits = text.len() >= 9 && text.len() <= 13 && text.bytes().all(|c| c.is_ascii_digit());
    digits || humantime::parse_rfc3339(text).is_ok()
}

fn size(bytes: usize) -> String {
    match bytes {
        20 => "20 bytes, as of SHA-1".to_owned(),
        32 => "32 bytes, as of SHA-256".to_owned(),
        64 => "64 bytes, as of SHA-512".to_owned(),
        bytes => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_tells_how_a_value_is_written_and_never_the_value() {
        let bytes: Vec<u8> = (100..132).collect();
        let hex = (100..132).fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        for (value, told) in [
            (
                hex.clone(),
                "64 characters: hexadecimal, 32 bytes, as of SHA-256",
            ),
            (
                format!("sha256={hex}"),
                "64 characters behind \"sha256=\": hexadecimal, 32 bytes, as of SHA-256",
            ),
            (
                STANDARD.encode(&bytes),
                "44 characters: base64, 32 bytes, as of SHA-256",
            ),
            (
                format!("v1,{}", STANDARD.encode(&bytes[..20])),
                "28 characters behind \"v1,\": base64, 20 bytes, as of SHA-1",
            ),
            ("1764200000".to_owned(), "10 characters: a time"),
            ("2026-11-27T00:00:00Z".to_owned(), "20 characters: a time"),
            (
                "a-plain-secret!".to_owned(),
                "15 characters: neither hexadecimal nor base64",
            ),
        ] {
            assert_eq!(form(&value), told);
        }
    }
}
