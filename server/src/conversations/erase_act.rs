//! The record of an erasure: who had it done to what, by ids alone. Whose words they were is what must not stay anywhere.

use async_trait::async_trait;

use crate::domain::{
    Id, Identity, Result,
    administration::AuditRecord,
    ports::{Transaction, Unit},
};

use super::{ErasePersonalData, ErasureSubject};

/// An erasure as it will be recorded.
#[derive(Debug, Clone)]
pub(super) struct Act {
    by: Identity,
    target: String,
}

impl Act {
    pub fn of(by: &Identity, command: &ErasePersonalData) -> Self {
        let account = &command.account;
        let target = match &command.subject {
            ErasureSubject::Conversation(id) => format!("accounts/{account}/conversations/{id}"),
            ErasureSubject::Contact(id) => format!("accounts/{account}/contacts/{id}"),
        };
        Self {
            by: by.clone(),
            target,
        }
    }

    pub fn done(&self, receipt_id: &Id) -> AuditRecord {
        let detail = serde_json::json!({ "receipt_id": receipt_id.as_str() });
        self.record(detail.to_string(), None)
    }

    pub fn refused(&self, reason: &'static str) -> AuditRecord {
        self.record("{}".to_owned(), Some(reason))
    }

    fn record(&self, detail: String, refused: Option<&'static str>) -> AuditRecord {
        AuditRecord {
            tenant: self.by.tenant.clone(),
            caller: self.by.caller.clone(),
            credential: self.by.credential.clone(),
            action: "ErasePersonalData".to_owned(),
            target: self.target.clone(),
            detail,
            refused,
        }
    }
}

/// That an erasure was refused: nothing but its record.
#[derive(Debug)]
pub(super) struct Refused(pub AuditRecord);

#[async_trait]
impl Unit for Refused {
    type Output = ();

    async fn run(&self, tx: &mut dyn Transaction) -> Result<()> {
        tx.administration()?.record_act(&self.0).await?;
        Ok(())
    }
}
