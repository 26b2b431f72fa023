//! What is asked of keys from above the store. Sealing itself happens below: nobody above sees what is sealed, nor a key.

use async_trait::async_trait;
use secrecy::SecretSlice;

use crate::domain::Result;

/// Keys within a transaction.
#[async_trait]
pub trait Sealing: Send {
    /// Seals data keys and secrets anew that are under another master key than the first, at most `limit`. Answers how
    /// many.
    async fn rewrap(&mut self, limit: usize) -> Result<usize>;
}

/// Keys outside of transactions.
#[async_trait]
pub trait SealedStore {
    /// 32 random bytes, drawn when the database was made: the key under which callers' credentials are hashed.
    fn pepper(&self) -> SecretSlice<u8> {
        Vec::new().into()
    }

    /// How many data keys and secrets are under each master key.
    async fn keys_by_master(&self) -> Result<Vec<(String, u64)>> {
        Ok(Vec::new())
    }
}
