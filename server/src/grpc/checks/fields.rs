//! Checks of single fields.

use std::{ops::RangeInclusive, time::Duration};

use super::Checks;
use crate::{
    domain::{ConversationKind, Id, Timestamp},
    wire::{
        enums::read_conversation_kind,
        time::{read_duration, read_timestamp},
    },
};

impl Checks {
    pub fn id(&mut self, field: &str, text: &str) -> Option<Id> {
        self.rule(Id::parse(field, text))
    }

    /// An id that may be left out. Nothing is built after a check has failed, so absence need not be told apart.
    pub fn optional_id(&mut self, field: &str, text: &str) -> Option<Id> {
        if text.is_empty() {
            return None;
        }
        self.id(field, text)
    }

    /// What kind of conversation a caller opens; absent where the call leaves it open. The widget's kind comes from the
    /// platform alone.
    pub fn kind(&mut self, field: &str, number: i32) -> Option<ConversationKind> {
        if number == 0 {
            return None;
        }
        let kind = read_conversation_kind(number);
        let kind = kind.filter(|kind| *kind != ConversationKind::Widget);
        if kind.is_none() {
            self.wrong(
                field,
                "must be CONVERSATION_KIND_CHAT or CONVERSATION_KIND_TICKET, or left out",
            );
        }
        kind
    }

    /// One line of text that may be empty.
    pub fn line(&mut self, field: &str, text: String, max_bytes: usize) -> Option<String> {
        if text.len() > max_bytes {
            self.wrong(field, format!("must be at most {max_bytes} bytes long"));
            return None;
        }
        if text.chars().any(char::is_control) {
            self.wrong(field, "must not contain control characters");
            return None;
        }
        Some(text)
    }

    /// Text of several lines that may be empty.
    pub fn prose(&mut self, field: &str, text: String, max_chars: usize) -> Option<String> {
        if text.chars().count() > max_chars {
            self.wrong(
                field,
                format!("must be at most {max_chars} characters long"),
            );
            return None;
        }
        if text.contains('\0') {
            self.wrong(field, "must not contain NUL");
            return None;
        }
        Some(text)
    }

    /// A moment that may be left out.
    pub fn time(
        &mut self,
        field: &str,
        time: Option<&prost_types::Timestamp>,
    ) -> Option<Timestamp> {
        let read = read_timestamp(time?);
        if read.is_none() {
            self.wrong(field, "is not a valid time");
        }
        read
    }

    /// A span of time within bounds.
    pub fn span(
        &mut self,
        field: &str,
        span: Option<&prost_types::Duration>,
        bounds: &RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let read = span
            .and_then(read_duration)
            .filter(|span| bounds.contains(span));
        if read.is_none() {
            let (least, most) = (bounds.start().as_secs(), bounds.end().as_secs());
            self.wrong(field, format!("must be {least} to {most} seconds"));
        }
        read
    }

    /// How many to answer: `default` when 0, at most `max`.
    pub fn page_size(&mut self, asked: i32, default: usize, max: usize) -> Option<usize> {
        match usize::try_from(asked) {
            Ok(0) => Some(default),
            Ok(size) if size <= max => Some(size),
            _ => {
                self.wrong("page_size", format!("must be 0 to {max}; 0 is {default}"));
                None
            }
        }
    }
}
