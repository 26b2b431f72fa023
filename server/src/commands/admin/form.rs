//! How answers are written: lines and tables for people, one JSON object a line for programs.

use std::io::{self, Write};

use clap::ValueEnum;
use serde_json::Value;

use crate::commands::terminal;

/// For whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

/// Where answers go.
pub(super) struct Screen<'a> {
    form: Form,
    out: &'a mut (dyn Write + Send),
}

impl<'a> Screen<'a> {
    pub(super) fn new(form: Form, out: &'a mut (dyn Write + Send)) -> Self {
        Self { form, out }
    }

    /// One object; `text` is how people read it, with its own line breaks.
    pub(super) fn object(&mut self, object: &Value, text: &str) -> io::Result<()> {
        match self.form {
            Form::Json => writeln!(self.out, "{object}"),
            Form::Human => writeln!(self.out, "{}", terminal::many_lines(text).trim_end()),
        }
    }

    /// What people are told and a program is not: it reads that from the exit code.
    pub(super) fn remark(&mut self, text: &str) -> io::Result<()> {
        match self.form {
            Form::Json => Ok(()),
            Form::Human => writeln!(self.out, "{}", terminal::one_line(text)),
        }
    }

    /// Many objects: each as JSON, or all as a table. `none` stands where there are none.
    pub(super) fn list(&mut self, objects: &[Value], table: &Table, none: &str) -> io::Result<()> {
        match self.form {
            Form::Json => objects
                .iter()
                .try_for_each(|object| writeln!(self.out, "{object}")),
            Form::Human if table.rows.is_empty() => self.remark(none),
            Form::Human => write!(self.out, "{}", table.text()),
        }
    }
}

/// Rows below a heading, each column as wide as its widest cell.
pub(super) struct Table {
    heading: &'static [&'static str],
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(heading: &'static [&'static str]) -> Self {
        Self {
            heading,
            rows: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, row: Vec<String>) {
        let cell = |cell: String| terminal::one_line(&cell).into_owned();
        self.rows.push(row.into_iter().map(cell).collect());
    }

    fn text(&self) -> String {
        let heading: Vec<String> = self.heading.iter().map(|cell| (*cell).to_owned()).collect();
        let rows = || std::iter::once(&heading).chain(&self.rows);
        let width = |column: usize| {
            let cells = rows().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..heading.len()).map(width).collect();
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&widths);
            let padded: Vec<String> = cells
                .map(|(cell, width)| format!("{cell:<width$}"))
                .collect();
            format!("{}\n", padded.join("  ").trim_end())
        };
        rows().map(line).collect()
    }
}
