//! A fault in words, as a script or the command line gives it.

use std::time::Duration;

use serde::Deserialize;

use super::{AnswerFault, Fault, WebhookFault};

/// A fault as it is written down; each field is a key of a dialogue's `fault` table.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultWords {
    #[serde(default, with = "humantime_serde::option")]
    pub latency: Option<Duration>,
    pub status: Option<u16>,
    /// Only with `status`.
    #[serde(default, with = "humantime_serde::option")]
    pub retry_after: Option<Duration>,
    pub answer: Option<AnswerWord>,
    pub redirect: Option<String>,
    pub webhooks: Option<WebhookWord>,
    /// Only with `webhooks = "late"`.
    #[serde(default, with = "humantime_serde::option")]
    pub webhook_delay: Option<Duration>,
    pub processed: Option<bool>,
    pub times: Option<u32>,
}

/// The answers that need no further figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum AnswerWord {
    /// The request is read and never answered
    Never,
    /// A TCP reset in place of an answer
    ResetBeforeHeaders,
    /// A 200 and a few bytes, then a TCP reset
    ResetAfterHeaders,
    /// A body shorter than its Content-Length
    Truncated,
    /// A body that never ends
    Endless,
    /// A 200 whose JSON does not parse
    Malformed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum WebhookWord {
    /// Each is sent twice, with the same messageId
    Duplicate,
    /// Neighbouring messages change places
    Reorder,
    /// Each goes out the webhook delay after the request
    Late,
    /// Messages are kept until the conversation has ended
    AfterEnd,
    /// Nothing is sent
    Never,
}

impl FaultWords {
    /// The fault; an error is the remedy, in a sentence.
    pub fn read(self) -> Result<Fault, String> {
        Ok(Fault {
            answer: self.answer()?,
            webhooks: self.webhooks()?,
            latency: self.latency,
            processed: self.processed,
            times: self.times,
        })
    }

    fn answer(&self) -> Result<Option<AnswerFault>, String> {
        if self.retry_after.is_some() && self.status.is_none() {
            return Err("retry_after needs a status; add one, such as 429 or 503".to_owned());
        }
        let answers = (self.status, self.answer, self.redirect.as_ref());
        Ok(Some(match answers {
            (None, None, None) => return Ok(None),
            (Some(code), None, None) => AnswerFault::Status {
                code: error_code(code)?,
                retry_after: self.retry_after,
            },
            (None, Some(word), None) => word.into(),
            (None, None, Some(url)) => AnswerFault::Redirect(url.clone()),
            _ => return Err("give only one of status, answer and redirect".to_owned()),
        }))
    }

    fn webhooks(&self) -> Result<Option<WebhookFault>, String> {
        let fault = match (self.webhooks, self.webhook_delay) {
            (None, None) => return Ok(None),
            (Some(WebhookWord::Late), Some(delay)) => WebhookFault::Late(delay),
            (Some(WebhookWord::Late), None) => {
                return Err("late webhooks need a webhook_delay, such as \"5s\"".to_owned());
            }
            (_, Some(_)) => return Err("webhook_delay goes with webhooks \"late\" only".to_owned()),
            (Some(WebhookWord::Duplicate), None) => WebhookFault::Duplicate,
            (Some(WebhookWord::Reorder), None) => WebhookFault::Reorder,
            (Some(WebhookWord::AfterEnd), None) => WebhookFault::AfterEnd,
            (Some(WebhookWord::Never), None) => WebhookFault::Never,
        };
        Ok(Some(fault))
    }
}

fn error_code(code: u16) -> Result<u16, String> {
    if (400..600).contains(&code) {
        return Ok(code);
    }
    Err(format!(
        "status {code} is no error; give one from 400 to 599"
    ))
}

impl From<AnswerWord> for AnswerFault {
    fn from(word: AnswerWord) -> Self {
        match word {
            AnswerWord::Never => Self::NeverAnswer,
            AnswerWord::ResetBeforeHeaders => Self::ResetBeforeHeaders,
            AnswerWord::ResetAfterHeaders => Self::ResetAfterHeaders,
            AnswerWord::Truncated => Self::TruncatedBody,
            AnswerWord::Endless => Self::EndlessBody,
            AnswerWord::Malformed => Self::MalformedBody,
        }
    }
}
