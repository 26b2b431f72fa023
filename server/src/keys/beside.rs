//! The key file beside the database, for whoever configures nothing: sealed is then what leaves the machine without that
//! file, such as a copy of the database alone.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::{line::new_line, source::KeySourceError};

pub(super) fn path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".key");
    name.into()
}

/// Makes a key file that its owner alone can read. It is on the disk before anything is sealed under it.
pub(super) fn make(path: &Path) -> Result<Zeroizing<String>, KeySourceError> {
    let line = Zeroizing::new(format!("{}\n", *new_line()));
    write(path, line.as_bytes()).map_err(|source| KeySourceError::NotMade {
        path: path.to_owned(),
        source,
    })?;
    Ok(line)
}

fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text)?;
    file.sync_all()?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
