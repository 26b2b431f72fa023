//! Deleting what the platform keeps of conversations' visitors.

use anyhow::bail;
use serde::Serialize;

use super::{
    caller::{CallFault, Caller},
    config::ZendeskConfig,
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
}
