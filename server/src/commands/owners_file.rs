//! A file that a secret is put into: readable for its owner alone from the first byte on, and never one that is there.

use std::{fs::OpenOptions, io::Write, os::unix::fs::OpenOptionsExt, path::Path};

use anyhow::{Context, Result};

/// Writes one line, down to the disk. A file that is there already is never written over: it may hold what counts.
///
/// # Errors
///
/// A file that is there already or cannot be written.
pub(super) fn write(file: &Path, line: &str) -> Result<()> {
    let mut options = OpenOptions::new();
    let opened = options.write(true).create_new(true).mode(0o600).open(file);
    let named = || format!("--file: {} cannot be made", file.display());
    let mut opened = opened.with_context(named)?;
    let written = writeln!(opened, "{line}").and_then(|()| opened.sync_all());
    written.with_context(named)
}
