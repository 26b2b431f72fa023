//! The file with the tokens, and what could not be written to it yet.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{oauth::Grant, token::NoToken};
use crate::domain::{Clock, Timestamp};

/// How long a file that could not be written is not tried again: a full disk is not freed by the second.
const PAUSE: Duration = Duration::from_mins(1);

/// Bytes of the file at most: two tokens are far shorter.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// The newest tokens that we know of.
#[derive(Debug)]
pub(super) struct Kept {
    source: String,
    path: PathBuf,
    clock: Arc<dyn Clock>,
    unwritten: Mutex<Option<Unwritten>>,
}

/// Tokens that exist in memory alone. Those that they replaced are void: the vendor takes a refresh token once.
#[derive(Debug)]
struct Unwritten {
    replaced: Grant,
    next: Grant,
    try_at: Timestamp,
}

impl Kept {
    pub(super) fn new(source: &str, path: &Path, clock: &Arc<dyn Clock>) -> Self {
        Self {
            source: source.to_owned(),
            path: path.to_owned(),
            clock: Arc::clone(clock),
            unwritten: Mutex::default(),
        }
    }

    /// The name of the source, for the log.
    pub(super) fn source(&self) -> &str {
        &self.source
    }

    /// The file's tokens, looked at for every call, so that another login counts at once; or those that should have
    /// taken the place of what is still there.
    pub(super) fn read(&self) -> Result<Grant, NoToken> {
        let mut unwritten = self.unwritten();
        let found = self.file()?;
        let waiting = unwritten.take_if(|waiting| waiting.replaced != found);
        if waiting.is_some() {
            let source = &self.source;
            tracing::info!(
                source,
                "somebody else has written token_file: its tokens count"
            );
        }
        let Some(waiting) = unwritten.as_mut() else {
            return Ok(found);
        };
        let next = waiting.next.clone();
        if waiting.try_at <= self.clock.now() {
            waiting.try_at = self.clock.now() + PAUSE;
            if self.is_written(&next) {
                *unwritten = None;
            }
        }
        Ok(next)
    }

    /// Keeps `next`, which `replaced` was renewed to; not where somebody else has changed the file since.
    pub(super) fn keep(&self, replaced: &Grant, next: Grant) {
        let mut unwritten = self.unwritten();
        // What never came to the file was replaced a second time: the file still holds what was there before.
        let former = unwritten.take().filter(|former| former.next == *replaced);
        let replaced = former.map_or_else(|| replaced.clone(), |former| former.replaced);
        let is_untouched = self.file().is_ok_and(|found| found == replaced);
        if is_untouched && self.is_written(&next) {
            return;
        }
        // Where the file holds something else, the next reader finds out, and lets it be.
        *unwritten = Some(Unwritten {
            replaced,
            next,
            try_at: self.clock.now() + PAUSE,
        });
    }

    fn is_written(&self, next: &Grant) -> bool {
        let written = write_grant(&self.path, next);
        if let Err(error) = &written {
            let source = &self.source;
            tracing::error!(source, %error, "the renewed token cannot be written to token_file: a restart loses it");
        }
        written.is_ok()
    }

    fn file(&self) -> Result<Grant, NoToken> {
        let refused =
            |what: String| NoToken::Refused(format!("token_file {what}: run parloir source-login"));
        let text = read_short(&self.path);
        let text = text.map_err(|error| refused(format!("cannot be read ({})", error.kind())))?;
        serde_json::from_str(&text).map_err(|_| refused("holds no tokens".to_owned()))
    }

    fn unwritten(&self) -> MutexGuard<'_, Option<Unwritten>> {
        self.unwritten
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A pipe would hold the reader up, and a long file fill the memory.
fn read_short(path: &Path) -> io::Result<String> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut text = String::new();
    let mut file = File::open(path)?.take(MAX_FILE_BYTES + 1);
    if u64::try_from(file.read_to_string(&mut text)?).is_ok_and(|bytes| bytes <= MAX_FILE_BYTES) {
        return Ok(text);
    }
    Err(io::ErrorKind::FileTooLarge.into())
}

/// Writes what was granted, readable for us alone, in one step: whoever reads meets the old or the new.
pub fn write_grant(path: &Path, grant: &Grant) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    // Made with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(&serde_json::to_vec_pretty(grant)?)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_tokens_is_a_short_one() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(read_short(folder.path()).is_err(), "no file");
        assert!(read_short(Path::new("/dev/null")).is_err(), "a device");
        let path = folder.path().join("tokens.json");
        let text = "x".repeat(64 * 1024);
        fs::write(&path, &text).expect("written");
        assert_eq!(read_short(&path).expect("short enough"), text);
        fs::write(&path, text + "x").expect("written");
        assert!(read_short(&path).is_err(), "too long");
    }
}
