//! Statements: prepared once by their text, the same on every engine (`$1` is understood by each).

use std::fmt::Write;

use sea_orm::{ConnectionTrait, DbErr, Statement, Value};

use super::{
    fault::Fault,
    row::Row,
    sealing::{Keys, Opening},
};

/// A table's name, key and columns, the key's among them.
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) key: &'static [&'static str],
    pub(super) columns: &'static [&'static str],
}

impl Table {
    /// All columns of the rows that `rest` selects.
    pub(super) fn select(&self, rest: &str) -> String {
        format!(
            "SELECT {} FROM {} {rest}",
            self.columns.join(", "),
            self.name
        )
    }

    /// Writes a row, in place of the one with its key if there is one. Takes all columns in order.
    pub(super) fn upsert(&self) -> String {
        self.upsert_rows(1)
    }

    /// Writes a row unless there is one with its key. Takes all columns in order.
    pub(super) fn insert_new(&self) -> String {
        format!("{} DO NOTHING", self.insert_or())
    }

    /// Writes `rows` rows. Takes all columns in order, row after row.
    pub(super) fn insert(&self, rows: usize) -> String {
        let mut sql = format!(
            "INSERT INTO {} ({}) VALUES ",
            self.name,
            self.columns.join(", ")
        );
        for row in 0..rows {
            sql.push_str(if row == 0 { "(" } else { ", (" });
            for column in 0..self.columns.len() {
                let comma = if column == 0 { "" } else { ", " };
                let number = row * self.columns.len() + column + 1;
                write!(sql, "{comma}${number}").expect("a String takes everything");
            }
            sql.push(')');
        }
        sql
    }

    /// As [`Self::upsert`], many rows at a time.
    pub(super) fn upsert_rows(&self, rows: usize) -> String {
        let rest = self.columns.iter().filter(|name| !self.key.contains(name));
        let set: Vec<_> = rest
            .map(|name| format!("{name} = excluded.{name}"))
            .collect();
        format!(
            "{} ON CONFLICT ({}) DO UPDATE SET {}",
            self.insert(rows),
            self.key.join(", "),
            set.join(", ")
        )
    }

    fn insert_or(&self) -> String {
        format!("{} ON CONFLICT ({})", self.insert(1), self.key.join(", "))
    }
}

/// Runs a statement that answers no rows. Tells how many it changed.
pub(super) async fn execute(
    db: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<u64, DbErr> {
    let done = db.execute_raw(statement(db, sql, values)).await?;
    Ok(done.rows_affected())
}

/// The first row, if there is one.
pub(super) async fn first<T>(
    db: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
    read: impl FnOnce(&mut Row<'_>) -> Result<T, Fault>,
) -> Result<Option<T>, Fault> {
    let row = db.query_one_raw(statement(db, sql, values)).await?;
    row.map(|row| read(&mut Row::new(&row, &Opening::default())))
        .transpose()
}

/// Every row.
pub(super) async fn all<T>(
    db: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
    read: impl Fn(&mut Row<'_>) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let rows = db.query_all_raw(statement(db, sql, values)).await?;
    let none = Opening::default();
    rows.iter()
        .map(|row| read(&mut Row::new(row, &none)))
        .collect()
}

/// As [`first`], of rows in which something is sealed; `key_column` names the key.
pub(super) async fn first_opened<T>(
    db: &impl ConnectionTrait,
    keys: &Keys,
    key_column: &str,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
    read: impl FnOnce(&mut Row<'_>) -> Result<T, Fault>,
) -> Result<Option<T>, Fault> {
    let Some(row) = db.query_one_raw(statement(db, sql, values)).await? else {
        return Ok(None);
    };
    let keys = keys.opening(db, [row.try_get("", key_column)?]).await?;
    read(&mut Row::new(&row, &keys)).map(Some)
}

/// As [`all`], of rows in which something is sealed; `key_column` names the key.
pub(super) async fn all_opened<T>(
    db: &impl ConnectionTrait,
    keys: &Keys,
    key_column: &str,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
    read: impl Fn(&mut Row<'_>) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let rows = db.query_all_raw(statement(db, sql, values)).await?;
    let ids = rows.iter().map(|row| row.try_get("", key_column));
    let ids = ids.collect::<Result<Vec<i64>, _>>()?;
    let keys = keys.opening(db, ids).await?;
    rows.iter()
        .map(|row| read(&mut Row::new(row, &keys)))
        .collect()
}

/// `count` places for values, the first with this number.
pub(super) fn places(first: usize, count: usize) -> String {
    let places: Vec<_> = (first..first + count).map(|n| format!("${n}")).collect();
    places.join(", ")
}

/// A number as databases keep it. What we count never reaches 2^63.
pub(super) fn number(number: impl TryInto<i64>) -> Value {
    number.try_into().unwrap_or(i64::MAX).into()
}

fn statement(
    db: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Statement {
    Statement::from_sql_and_values(db.get_database_backend(), sql, values)
}
