//! One fault: a wrong answer, webhooks gone astray, or both.

use std::time::Duration;

/// One fault. The default is none; the functions below make and refine one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// How long the answer is held back after the request has arrived.
    pub latency: Option<Duration>,
    /// What is answered in place of an empty 200.
    pub answer: Option<AnswerFault>,
    /// What happens to the webhooks that the request leads to.
    pub webhooks: Option<WebhookFault>,
    /// Whether the bot reacts to the request nevertheless. Absent: only where the fault does not say
    /// by a status that the request was refused.
    pub processed: Option<bool>,
    /// How many requests meet this fault. Absent: all.
    pub times: Option<u32>,
}

/// A wrong answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswerFault {
    Status {
        code: u16,
        retry_after: Option<Duration>,
    },
    /// The request is read and no byte comes back.
    NeverAnswer,
    /// A TCP reset in place of an answer.
    ResetBeforeHeaders,
    /// A 200 with its headers and the first bytes of a body, then a TCP reset.
    ResetAfterHeaders,
    /// A body shorter than its Content-Length, then an orderly close.
    TruncatedBody,
    /// A body that never ends.
    EndlessBody,
    /// A 200 whose JSON does not parse.
    MalformedBody,
    /// A 302 to this URL.
    Redirect(String),
}

/// What goes wrong with the webhooks of one turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookFault {
    /// Each is sent twice with the same `messageId`; those that wait for an answer, twice at once.
    Duplicate,
    /// Neighbouring messages change places.
    Reorder,
    /// Each goes out this long after the request has arrived; messages do not wait for one another.
    Late(Duration),
    /// Messages are kept until the conversation has ended.
    AfterEnd,
    /// Nothing is sent; what waits for an answer counts as failed.
    Never,
}

impl Fault {
    pub fn answer(answer: AnswerFault) -> Self {
        Self {
            answer: Some(answer),
            ..Self::default()
        }
    }

    pub fn status(code: u16) -> Self {
        Self::answer(AnswerFault::Status {
            code,
            retry_after: None,
        })
    }

    /// A status with a `Retry-After` header, rounded up to whole seconds.
    pub fn status_retry_after(code: u16, retry_after: Duration) -> Self {
        Self::answer(AnswerFault::Status {
            code,
            retry_after: Some(retry_after),
        })
    }

    pub fn latency(latency: Duration) -> Self {
        Self {
            latency: Some(latency),
            ..Self::default()
        }
    }

    pub fn webhooks(webhooks: WebhookFault) -> Self {
        Self {
            webhooks: Some(webhooks),
            ..Self::default()
        }
    }

    /// Limits the fault to the next `times` requests.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Says whether the bot reacts to the request although it is answered wrongly.
    #[must_use]
    pub fn processed(mut self, processed: bool) -> Self {
        self.processed = Some(processed);
        self
    }

    pub(in crate::simulate) fn is_processed(&self) -> bool {
        let refused = matches!(
            self.answer,
            Some(AnswerFault::Status { .. } | AnswerFault::Redirect(_))
        );
        self.processed.unwrap_or(!refused)
    }

    /// This fault, with what it leaves open taken from `other`.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            latency: self.latency.or(other.latency),
            answer: self.answer.or(other.answer),
            webhooks: self.webhooks.or(other.webhooks),
            processed: self.processed.or(other.processed),
            times: None,
        }
    }
}
