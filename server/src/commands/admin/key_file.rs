//! The file that a new key is written to: readable for its owner alone, and there before the key is made, so that no key
//! is made that cannot be kept.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// An empty file that waits for a key. Dropped without one, it is removed.
pub(super) struct KeyFile {
    path: PathBuf,
    file: Option<File>,
}

impl KeyFile {
    /// Makes it. One that is there already is never written over: it may hold a key that counts.
    pub(super) fn create(path: &Path) -> Result<Self> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .with_context(|| format!("--to: the file {} cannot be made", path.display()))?;
        Ok(Self {
            path: path.to_owned(),
            file: Some(file),
        })
    }

    /// Writes the key, down to the disk.
    pub(super) fn keep(mut self, text: &str) -> Result<()> {
        let written = self.file.as_mut().map_or(Ok(()), |file| {
            writeln!(file, "{text}").and_then(|()| file.sync_all())
        });
        let path = self.path.display();
        written.with_context(|| {
            format!("the key cannot be written to {path}: revoke it, and make another")
        })?;
        self.file = None;
        Ok(())
    }
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        if self.file.is_some() {
            // Left behind it would only be empty.
            let _ = fs::remove_file(&self.path);
        }
    }
}
