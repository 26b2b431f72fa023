//! A row as it is read: column after column, in the order in which the table names them.

use sea_orm::{DbErr, QueryResult, TryGetable};

use super::{
    fault::Fault,
    sealing::{Opening, PLAIN},
};
use crate::{
    domain::{ConversationKey, Id, Timestamp},
    keys::Place,
};

pub(super) struct Row<'a> {
    found: &'a QueryResult,
    next: usize,
    keys: &'a Opening,
}

impl<'a> Row<'a> {
    /// `keys`: those that what is sealed in it needs.
    pub(super) fn new(found: &'a QueryResult, keys: &'a Opening) -> Self {
        Self {
            found,
            next: 0,
            keys,
        }
    }

    /// Bytes that may be sealed; absent: their key is gone, and so are they.
    pub(super) fn opened(
        &mut self,
        key_id: i64,
        place: Place<'_>,
        column: &'static str,
    ) -> Result<Option<Vec<u8>>, Fault> {
        let bytes = self.bytes()?;
        self.keys.open(key_id, place, bytes, column)
    }

    /// A text that stands either plain, or in the two columns behind it, sealed: the key's id and the blob. Empty where
    /// the key is gone.
    pub(super) fn opened_text(
        &mut self,
        plain: String,
        place: Place<'_>,
        column: &'static str,
    ) -> Result<String, Fault> {
        let key_id = self.key_id()?;
        let sealed = self.maybe_bytes()?.unwrap_or_default();
        if key_id == PLAIN {
            return Ok(plain);
        }
        let opened = self.keys.open(key_id, place, sealed, column)?;
        let text = String::from_utf8(opened.unwrap_or_default());
        text.map_err(|_| Fault::Nonsense(column))
    }

    pub(super) fn key_id(&mut self) -> Result<i64, DbErr> {
        self.value()
    }

    pub(super) fn text(&mut self) -> Result<String, DbErr> {
        self.value()
    }

    pub(super) fn maybe_text(&mut self) -> Result<Option<String>, DbErr> {
        self.value()
    }

    pub(super) fn bytes(&mut self) -> Result<Vec<u8>, DbErr> {
        self.value()
    }

    pub(super) fn maybe_bytes(&mut self) -> Result<Option<Vec<u8>>, DbErr> {
        self.value()
    }

    pub(super) fn flag(&mut self) -> Result<bool, DbErr> {
        self.value()
    }

    pub(super) fn id(&mut self) -> Result<Id, DbErr> {
        self.text().map(Id::trusted)
    }

    pub(super) fn maybe_id(&mut self) -> Result<Option<Id>, DbErr> {
        Ok(self.maybe_text()?.map(Id::trusted))
    }

    /// Tenant, account and conversation.
    pub(super) fn key(&mut self) -> Result<ConversationKey, DbErr> {
        Ok(ConversationKey {
            tenant: self.id()?,
            account: self.id()?,
            id: self.id()?,
        })
    }

    pub(super) fn time(&mut self) -> Result<Timestamp, DbErr> {
        self.value().map(Timestamp)
    }

    pub(super) fn maybe_time(&mut self) -> Result<Option<Timestamp>, DbErr> {
        Ok(self.value::<Option<i64>>()?.map(Timestamp))
    }

    /// A number that is never negative, of any width; the fault names `column`.
    pub(super) fn number<N: TryFrom<i64>>(&mut self, column: &'static str) -> Result<N, Fault> {
        let number: i64 = self.value()?;
        N::try_from(number).map_err(|_| Fault::Nonsense(column))
    }

    pub(super) fn maybe_number<N: TryFrom<i64>>(
        &mut self,
        column: &'static str,
    ) -> Result<Option<N>, Fault> {
        let number: Option<i64> = self.value()?;
        let number = number.map(N::try_from).transpose();
        number.map_err(|_| Fault::Nonsense(column))
    }

    /// A number that stands for something.
    pub(super) fn code<T>(
        &mut self,
        column: &'static str,
        read: impl FnOnce(i32) -> Option<T>,
    ) -> Result<T, Fault> {
        read(self.number(column)?).ok_or(Fault::Nonsense(column))
    }

    pub(super) fn maybe_code<T>(
        &mut self,
        column: &'static str,
        read: impl FnOnce(i32) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        let Some(number) = self.maybe_number(column)? else {
            return Ok(None);
        };
        read(number).map(Some).ok_or(Fault::Nonsense(column))
    }

    fn value<T: TryGetable>(&mut self) -> Result<T, DbErr> {
        let value = self.found.try_get_by_index(self.next)?;
        self.next += 1;
        Ok(value)
    }
}
