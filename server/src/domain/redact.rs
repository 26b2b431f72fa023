//! What the other side said about a refusal, without what must not be repeated.

use std::fmt::Write;

use super::outbound::{Outbound, OutboundContent};

/// Bytes of a refusal's words that are kept: enough for a sentence, far below what any client takes in a status.
const MAX_DETAIL: usize = 512;
/// Words shorter than this are left in: every second detail would hold them by chance.
pub const SHORTEST_WORDS: usize = 4;
const REMOVED: &str = "[removed]";

/// Knows what a request carried that its answer may repeat.
pub struct Redactor {
    /// Longest first, so that a secret within another does not spoil it.
    secrets: Vec<String>,
}

impl Redactor {
    /// Knows a request to an agent, and the key that it was made with.
    pub fn new(key: &str, outbound: &Outbound) -> Self {
        let words: &str = match &outbound.content {
            OutboundContent::Message { text, .. } | OutboundContent::Ticket { text, .. } => text,
            OutboundContent::Human(message) => &message.text,
            OutboundContent::Start { .. }
            | OutboundContent::Parameters { .. }
            | OutboundContent::End => "",
        };
        let parameters = outbound.content.parameters();
        let personal = parameters
            .iter()
            .filter(|parameter| parameter.personal)
            .map(|parameter| parameter.value.as_str());
        let words = Some(words).filter(|words| words.len() >= SHORTEST_WORDS);
        Self::knowing(personal.chain([key]).chain(words))
    }

    /// What an answer may not repeat.
    pub fn knowing<'a>(secrets: impl Iterator<Item = &'a str>) -> Self {
        let mut secrets: Vec<_> = secrets
            .flat_map(|secret| [secret.to_owned(), as_in_json(secret), in_ascii(secret)])
            // As the body is looked at.
            .map(|secret| without_control(&secret))
            .filter(|secret| !secret.is_empty())
            .collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.dedup();
        Self { secrets }
    }

    /// The first 512 bytes, without what it knows and without control characters.
    pub fn detail(&self, said: &[u8]) -> String {
        // First of all: taken out later, they would have hidden a secret that they stood in.
        let mut text = without_control(&String::from_utf8_lossy(said));
        for secret in &self.secrets {
            if text.contains(secret) {
                text = text.replace(secret, REMOVED);
            }
        }
        let end = text.floor_char_boundary(MAX_DETAIL);
        text.truncate(end);
        text.trim().to_owned()
    }
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redactor")
    }
}

/// How a text looks within a JSON string.
fn as_in_json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// The same, as most platforms write JSON: in ASCII.
fn in_ascii(text: &str) -> String {
    let mut ascii = String::new();
    for c in as_in_json(text).chars() {
        if c.is_ascii() {
            ascii.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(ascii, "\\u{unit:04x}");
            }
        }
    }
    ascii
}

fn without_control(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Parameter;

    fn redactor() -> Redactor {
        let parameter = |value: &str, personal| Parameter {
            key: "k".into(),
            value: value.into(),
            personal,
        };
        let outbound = Outbound {
            upstream_id: "c".into(),
            content: OutboundContent::Message {
                text: "my \"secret\" words".into(),
                card_index: None,
                parameters: vec![parameter("ana@example.org", true), parameter("gold", false)],
            },
        };
        Redactor::new("the-key", &outbound)
    }

    #[test]
    fn a_detail_repeats_no_key_no_personal_value_and_no_words_of_the_visitor() {
        let body = r#"{"error":"the-key may not send ana@example.org: my \"secret\" words","tier":"gold"}"#;
        assert_eq!(
            redactor().detail(body.as_bytes()),
            r#"{"error":"[removed] may not send [removed]: [removed]","tier":"gold"}"#
        );
    }

    #[test]
    fn a_detail_is_512_bytes_of_text_without_control_characters_at_most() {
        let body = format!("a\u{1b}[31m\r\nb\0{}", "é".repeat(1000));
        let detail = redactor().detail(body.as_bytes());
        assert!(detail.starts_with("a[31mb"), "{detail}");
        assert!((511..=512).contains(&detail.len()), "{}", detail.len());
        assert_eq!(redactor().detail(&[0xff, b'x']), "\u{fffd}x");
    }

    #[test]
    fn control_characters_hide_no_secret() {
        let body = b"the\0-k\ney, my \"sec\x1bret\" words";
        assert_eq!(redactor().detail(body), "[removed], [removed]");
        let secrets = Redactor::knowing(["two\nlines"].into_iter());
        assert_eq!(
            secrets.detail(b"two\nlines, two\\nlines"),
            "[removed], [removed]"
        );
    }

    #[test]
    fn words_beyond_ascii_are_known_however_they_are_escaped() {
        let secrets = Redactor::knowing(["Zoë 😀"].into_iter());
        let body = r#"{"error":"Zo\u00eb \ud83d\ude00","said":"Zoë 😀"}"#;
        assert_eq!(
            secrets.detail(body.as_bytes()),
            r#"{"error":"[removed]","said":"[removed]"}"#
        );
    }
}
