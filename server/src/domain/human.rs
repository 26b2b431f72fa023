//! What a human's sign must hold before it is recorded and shown to the visitor.

use super::{
    error::{Error, Result, Violation},
    message::{HumanMessage, HumanMessageKind, check_text},
};

/// Bytes of a human's name: a full name in any script, many times over.
pub const MAX_NAME_BYTES: usize = 256;
/// Bytes of a picture's address: what every browser takes.
pub const MAX_AVATAR_URL_BYTES: usize = 2048;

impl HumanMessage {
    /// Checks what needs no look at the log, and tells all that is wrong. Fields are named as in a call that holds one
    /// of `text`, `joined`, `queue`, `left` and `failed`.
    pub fn check(&self) -> Result<()> {
        let mut wrong = Vec::new();
        if self.kind == HumanMessageKind::Text
            && let Err(Error::Invalid(found)) = check_text("text.text", &self.text)
        {
            wrong.extend(found);
        }
        let mut note = |field: String, found: Option<String>| {
            wrong.extend(found.map(|description| Violation { field, description }));
        };
        note(format!("{}.name", self.field()), name_fault(&self.name));
        note(
            format!("{}.avatar_url", self.field()),
            avatar_fault(&self.avatar_url),
        );
        if self.kind == HumanMessageKind::Queue {
            note("queue".to_owned(), self.queue_fault());
        }
        Error::none_of(wrong)
    }

    /// Whether the platform's widget may show it, where a human has `joined` the conversation or not. Words come after
    /// the joining, unless the agent's `human_must_join` leaves that to the platform.
    pub fn may_be_shown(&self, joined: bool, human_must_join: bool) -> bool {
        self.kind != HumanMessageKind::Text || joined || !human_must_join
    }

    fn field(&self) -> &'static str {
        match self.kind {
            HumanMessageKind::Text => "text",
            HumanMessageKind::Joined => "joined",
            HumanMessageKind::Queue => "queue",
            HumanMessageKind::Left => "left",
            HumanMessageKind::Failed => "failed",
        }
    }

    fn queue_fault(&self) -> Option<String> {
        match (self.queue_position, self.waiting_time) {
            (Some(0), _) => Some("the place in the queue counts from 1".to_owned()),
            (None, None) => Some("must tell the place in the queue or the waiting time".to_owned()),
            _ => None,
        }
    }
}

fn name_fault(name: &str) -> Option<String> {
    if name.len() > MAX_NAME_BYTES {
        return Some(format!("must be at most {MAX_NAME_BYTES} bytes long"));
    }
    name.chars()
        .any(char::is_control)
        .then(|| "must not contain control characters".to_owned())
}

fn avatar_fault(url: &str) -> Option<String> {
    if url.is_empty() {
        return None;
    }
    if url.len() > MAX_AVATAR_URL_BYTES {
        return Some(format!("must be at most {MAX_AVATAR_URL_BYTES} bytes long"));
    }
    let is_web = url.parse::<http::Uri>().is_ok_and(|url| {
        matches!(url.scheme_str(), Some("http" | "https"))
            && url.host().is_some_and(|h| !h.is_empty())
    });
    (!is_web).then(|| "must be an http or https URL".to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::message::MAX_TEXT_CHARS;

    fn sign(kind: HumanMessageKind) -> HumanMessage {
        HumanMessage {
            message_id: "h-1".into(),
            kind,
            text: String::new(),
            name: String::new(),
            avatar_url: String::new(),
            queue_position: None,
            waiting_time: None,
            from_source: false,
            raw: String::new(),
        }
    }

    fn said(text: &str) -> HumanMessage {
        HumanMessage {
            text: text.into(),
            ..sign(HumanMessageKind::Text)
        }
    }

    fn joined(name: &str, avatar_url: &str) -> HumanMessage {
        HumanMessage {
            name: name.into(),
            avatar_url: avatar_url.into(),
            ..sign(HumanMessageKind::Joined)
        }
    }

    /// The fields that are wrong.
    fn wrong(message: &HumanMessage) -> Vec<String> {
        match message.check() {
            Ok(()) => Vec::new(),
            Err(Error::Invalid(violations)) => violations.into_iter().map(|v| v.field).collect(),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn check_95_words_without_words_are_refused() {
        for bad in ["", "  ", "\n\t", "a\0b", &"x".repeat(MAX_TEXT_CHARS + 1)] {
            assert_eq!(wrong(&said(bad)), ["text.text"], "{bad:.5}");
        }
        let longest = format!(" {} ", "é".repeat(MAX_TEXT_CHARS));
        assert!(wrong(&said(&longest)).is_empty());
    }

    #[test]
    fn a_name_and_a_picture_are_short_and_lead_to_the_web() {
        let longest = "x".repeat(MAX_NAME_BYTES);
        let url = format!(
            "https://cdn.example.org/{}",
            "x".repeat(MAX_AVATAR_URL_BYTES - 24)
        );
        for fine in [
            joined("", ""),
            joined(&longest, &url),
            joined("Lee", "http://cdn.example.org/lee.png?s=2"),
        ] {
            assert!(wrong(&fine).is_empty());
        }
        let too_long = format!("{longest}x");
        for bad in [too_long.as_str(), "Lee\n"] {
            assert_eq!(wrong(&joined(bad, "")), ["joined.name"], "{bad:.5}");
        }
        let too_long = format!("{url}x");
        for bad in [
            too_long.as_str(),
            "lee.png",
            "/lee.png",
            "ftp://example.org/lee.png",
            "javascript:alert(1)",
            "https://",
            "https:lee",
            "https://example.org/a b",
        ] {
            assert_eq!(
                wrong(&joined("Lee", bad)),
                ["joined.avatar_url"],
                "{bad:.20}"
            );
        }
        assert_eq!(wrong(&joined("\r", "x")).len(), 2, "all at once");
    }

    #[test]
    fn news_of_the_queue_hold_a_place_from_one_or_a_time() {
        let queue = |queue_position, waiting_time| HumanMessage {
            queue_position,
            waiting_time,
            ..sign(HumanMessageKind::Queue)
        };
        let minute = Some(Duration::from_mins(1));
        for fine in [(Some(1), None), (None, minute), (Some(7), minute)] {
            assert!(wrong(&queue(fine.0, fine.1)).is_empty(), "{fine:?}");
        }
        for bad in [(None, None), (Some(0), None), (Some(0), minute)] {
            assert_eq!(wrong(&queue(bad.0, bad.1)), ["queue"], "{bad:?}");
        }
        for kind in [HumanMessageKind::Left, HumanMessageKind::Failed] {
            assert!(wrong(&sign(kind)).is_empty(), "{kind:?} needs nothing");
        }
    }

    #[test]
    fn check_96_words_wait_for_the_joining_unless_set_otherwise() {
        let words = said("Hi, Lee here.");
        assert!(!words.may_be_shown(false, true));
        assert!(words.may_be_shown(true, true));
        assert!(words.may_be_shown(false, false));
        for kind in [
            HumanMessageKind::Joined,
            HumanMessageKind::Queue,
            HumanMessageKind::Left,
            HumanMessageKind::Failed,
        ] {
            assert!(sign(kind).may_be_shown(false, true), "{kind:?}");
        }
    }
}
