//! Deleting what the platform keeps of conversations' visitors.

use anyhow::bail;
use http::StatusCode;
use serde::Serialize;

use super::{
    caller::{CallFault, Caller},
    client::retry_after,
    config::ZendeskConfig,
};
use crate::domain::{
    Clock, SystemClock,
    outbound::{Refusal, Sent},
};

const PATH: &str = "/gdpr/delete-user-data";

/// Conversations in one request. The platform names no limit; a hundred ids are a small request, and a refused one
/// concerns few.
pub const BATCH: usize = 100;
/// Bytes of one id: ten times what the platform's own have.
const MAX_ID_BYTES: usize = 256;

/// Deletes user data of one bot.
#[derive(Debug)]
pub struct UserData {
    caller: Caller,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Deletion<'a> {
    conversation_ids: &'a [String],
}

impl UserData {
    /// Fails when the base URL leads where it may not.
    pub fn new(config: &ZendeskConfig) -> anyhow::Result<Self> {
        Ok(Self {
            caller: Caller::new(config)?,
        })
    }

    /// Refuses what would not be sent.
    pub fn check(ids: &[String]) -> anyhow::Result<()> {
        if ids.is_empty() {
            bail!("no conversation is named");
        }
        for (number, id) in ids.iter().enumerate() {
            if id.trim().is_empty() || id.len() > MAX_ID_BYTES || id.chars().any(char::is_control) {
                bail!(
                    "the id number {} must be 1 to {MAX_ID_BYTES} bytes, not blank and without control characters",
                    number + 1
                );
            }
        }
        Ok(())
    }

    /// Asks once for these conversations, at most [`BATCH`] of them. That is accepted is all that the platform says:
    /// not when, nor whether it knows them.
    pub async fn delete(&self, batch: &[String]) -> Result<(), CallFault> {
        let deletion = Deletion {
            conversation_ids: batch,
        };
        let answer = self.caller.post(PATH, &deletion).await?;
        if answer.response.status().is_success() {
            return Ok(());
        }
        Err(answer.fault().await)
    }

    /// As [`Self::delete`] for one conversation, told as what can be tried again.
    pub(super) async fn erase(&self, id: &str) -> Sent {
        let ids = [id.to_owned()];
        let deletion = Deletion {
            conversation_ids: &ids,
        };
        let answer = match self.caller.post(PATH, &deletion).await {
            Ok(answer) => answer,
            Err(fault) => {
                tracing::warn!(%fault, "an erasure did not reach the platform, or nobody can tell");
                return match fault {
                    CallFault::NotSent(_) => Sent::NotSent,
                    _ => Sent::Unclear,
                };
            }
        };
        let status = answer.response.status();
        if status.is_success() {
            return Sent::Acknowledged;
        }
        tracing::warn!(%status, "the platform did not acknowledge an erasure");
        let refusal = match status {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                return Sent::Busy {
                    retry_after: retry_after(answer.response.headers(), SystemClock.now()),
                };
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Refusal::Credentials,
            StatusCode::NOT_FOUND => Refusal::AgentUnknown,
            status if status.is_client_error() => Refusal::Request,
            _ => return Sent::Unclear,
        };
        Sent::Refused {
            refusal,
            detail: String::new(),
        }
    }
}
