//! What goes wrong on purpose with the next call of a kind.

use super::wire::Reply;

/// How one call fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub answer: FailedAnswer,
    /// What was asked is done all the same.
    pub processed: bool,
}

/// What a failing call gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FailedAnswer {
    /// A status with the vendor's name of an error.
    Error(u16, &'static str),
    /// Nothing, until the caller gives up.
    Silent,
    /// The connection is reset.
    Reset,
}

impl Failure {
    /// An error, and nothing was done.
    pub fn error(status: u16, name: &'static str) -> Self {
        Self {
            answer: FailedAnswer::Error(status, name),
            processed: false,
        }
    }

    /// No answer.
    pub fn silent(processed: bool) -> Self {
        let answer = FailedAnswer::Silent;
        Self { answer, processed }
    }

    /// A reset.
    pub fn reset(processed: bool) -> Self {
        let answer = FailedAnswer::Reset;
        Self { answer, processed }
    }

    pub(super) fn reply(&self) -> Reply {
        match self.answer {
            FailedAnswer::Error(status, name) => Reply::of(Err(super::wire::Refusal(status, name))),
            FailedAnswer::Silent => Reply::Silent,
            FailedAnswer::Reset => Reply::Reset,
        }
    }
}
