//! The ports of keys: what units of work and everybody else may ask of them.

use async_trait::async_trait;
use secrecy::SecretSlice;

use super::{
    administration, data_key, master, reads::SqlStore, secret, transaction::SqlTransaction,
};
use crate::domain::{
    Result,
    ports::{SealedStore, Sealing},
};

#[async_trait]
impl Sealing for SqlTransaction {
    async fn rewrap(&mut self, limit: usize) -> Result<usize> {
        let ring = self.keys.vault.custody.ring();
        let rewrapped = async {
            let mut done = data_key::rewrap(&self.db, &ring, limit).await?;
            done += administration::rewrap(&self.db, &ring, limit - done).await?;
            done += secret::rewrap(&self.db, &ring, limit - done).await?;
            Ok(done)
        };
        let done = rewrapped.await;
        self.wrote(done)
    }
}

#[async_trait]
impl SealedStore for SqlStore {
    fn pepper(&self) -> SecretSlice<u8> {
        self.pepper.clone()
    }

    async fn keys_by_master(&self) -> Result<Vec<(String, u64)>> {
        let counts = self.read(async move |db, _| master::by_master(&db).await);
        Ok(counts.await?.into_iter().collect())
    }
}
