//! The file with the tokens: sealed under the master key and for its source, so that a copy of it is worth nothing, and
//! neither is one that is put in another source's place.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::oauth::Grant;
use crate::keys::{Custody, NotOpened, Place};

/// Bytes of the file at most: two tokens are far shorter.
const MAX_FILE_BYTES: usize = 64 * 1024;

/// One source's file.
#[derive(Debug)]
pub struct TokenFile {
    source: String,
    path: PathBuf,
    /// Absent where nothing is sent, and the file never looked at.
    custody: Option<Arc<Custody>>,
}

/// What stands in the file.
#[derive(Debug, Serialize, Deserialize)]
struct Envelope {
    master_id: String,
    /// In base64.
    sealed: String,
}

/// What was found in it.
#[derive(Debug)]
pub struct Found {
    pub grant: Grant,
    /// The master key that it is sealed under; absent: it stands there plain, as versions before wrote it.
    pub master_id: Option<String>,
}

/// Why there is nothing to be had of it. Names no content.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    #[error("cannot be read ({0})")]
    File(io::ErrorKind),
    #[error("holds no tokens")]
    Nonsense,
    #[error("is sealed, and there are no master keys here")]
    NoKeys,
    #[error("does not open: {0}; put the master key's line back, or")]
    Sealed(#[from] NotOpened),
}

impl TokenFile {
    pub fn new(source: &str, path: &Path, custody: Option<Arc<Custody>>) -> Self {
        Self {
            source: source.to_owned(),
            path: path.to_owned(),
            custody,
        }
    }

    /// The name of its source.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What it holds now.
    ///
    /// # Errors
    ///
    /// It is not there, makes no sense, or does not open.
    pub fn read(&self) -> Result<Found, Unread> {
        let text = read_short(&self.path).map_err(|error| Unread::File(error.kind()))?;
        let Ok(envelope) = serde_json::from_slice::<Envelope>(&text) else {
            let grant = serde_json::from_slice(&text).map_err(|_| Unread::Nonsense)?;
            return Ok(Found {
                grant,
                master_id: None,
            });
        };
        let sealed = STANDARD.decode(&envelope.sealed);
        let sealed = sealed.map_err(|_| Unread::Nonsense)?;
        let ring = self.custody.as_ref().ok_or(Unread::NoKeys)?.ring();
        let plain = ring.open(&envelope.master_id, self.place(), &sealed)?;
        Ok(Found {
            grant: serde_json::from_slice(&plain).map_err(|_| Unread::Nonsense)?,
            master_id: Some(envelope.master_id),
        })
    }

    /// Writes what was granted, sealed and readable for us alone, in one step: whoever reads meets the old or the new.
    ///
    /// # Errors
    ///
    /// Its folder takes no file.
    pub fn write(&self, grant: &Grant) -> io::Result<()> {
        let Some(custody) = &self.custody else {
            return Err(io::Error::other("there are no master keys here"));
        };
        let plain = Zeroizing::new(serde_json::to_vec(grant)?);
        let sealed = custody.ring().seal(self.place(), &plain);
        let envelope = Envelope {
            master_id: sealed.master_id.to_string(),
            sealed: STANDARD.encode(sealed.bytes),
        };
        let folder = self.path.parent();
        let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
        // Made with mode 0600.
        let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
        file.write_all(&serde_json::to_vec_pretty(&envelope)?)?;
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        Ok(())
    }

    /// Whether this is the master key under which it would be written now.
    pub(super) fn is_current(&self, master_id: Option<&str>) -> bool {
        let custody = self.custody.as_ref();
        custody.is_none_or(|custody| master_id == Some(custody.ring().sealing().as_str()))
    }

    /// The names of sources are unique in a server, whoever's tenant they serve.
    fn place(&self) -> Place<'_> {
        Place {
            table: "token_file",
            row: &self.source,
            column: "grant",
        }
    }
}

/// A pipe would hold the reader up, and a long file fill the memory.
fn read_short(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // At its whole length from the start: a buffer that grows would leave copies behind.
    let mut text = Zeroizing::new(Vec::with_capacity(MAX_FILE_BYTES + 1));
    let file = File::open(path)?;
    file.take(MAX_FILE_BYTES as u64 + 1)
        .read_to_end(&mut text)?;
    if text.len() > MAX_FILE_BYTES {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(text)
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
        let text = "x".repeat(MAX_FILE_BYTES);
        fs::write(&path, &text).expect("written");
        let read = read_short(&path).expect("short enough");
        assert_eq!(*read, text.as_bytes());
        fs::write(&path, text + "x").expect("written");
        assert!(read_short(&path).is_err(), "too long");
    }
}
