//! The lock beside the database: a second server on the same file is refused at start.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
    time::Duration,
};

use super::{connect::Location, open::OpenError};

/// How often a lock that is held is tried again, and how long after.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(20);

/// Held until dropped; the operating system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// A database at a server is shared, so nothing is locked.
    pub(super) async fn of(location: &Location) -> Result<Option<Self>, OpenError> {
        match location {
            Location::File(path) => Self::take(path).await.map(Some),
            Location::Server(_) => Ok(None),
        }
    }

    async fn take(database: &Path) -> Result<Self, OpenError> {
        let path = beside(database);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|source| OpenError::File {
                path: path.clone(),
                source,
            })?;
        match lock(&file).await {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse {
                path: database.to_owned(),
            }),
            Err(TryLockError::Error(source)) => Err(OpenError::File { path, source }),
        }
    }
}

/// A program that somebody just starts holds what its parent held, until it has begun: the lock of a server that has ended
/// may be there for a moment longer.
async fn lock(file: &File) -> Result<(), TryLockError> {
    for _ in 0..TRIES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => tokio::time::sleep(PAUSE).await,
            tried => return tried,
        }
    }
    file.try_lock()
}

fn beside(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}
