//! A row as it is read: column after column, in the order in which the table names them.

use sea_orm::{DbErr, QueryResult, TryGetable};

use super::fault::Fault;
use crate::domain::{ConversationKey, Id, Timestamp};

pub(super) struct Row<'a> {
    row: &'a QueryResult,
    next: usize,
}

impl<'a> Row<'a> {
    pub(super) fn new(row: &'a QueryResult) -> Self {
        Self { row, next: 0 }
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
        let value = self.row.try_get_by_index(self.next)?;
        self.next += 1;
        Ok(value)
    }
}
