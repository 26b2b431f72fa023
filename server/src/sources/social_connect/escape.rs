//! How text travels in paths, queries and forms.

use std::fmt::Write as _;

/// Percent-encodes all that is not unreserved, so that any text is one segment of a path or one value of a query.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                escaped.push(char::from(byte));
            }
            _ => {
                // Writing to a string cannot fail.
                let _ = write!(escaped, "%{byte:02X}");
            }
        }
    }
    escaped
}

/// Whether it can be one segment of a path: not nothing, and not dots alone, which would be taken for steps.
pub(super) fn is_segment(text: &str) -> bool {
    !text.bytes().all(|byte| byte == b'.')
}

/// Names and values as a query or a form; a blank is `%20` in both.
pub(super) fn pairs(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", escape(name), escape(value)))
        .collect();
    pairs.join("&")
}
