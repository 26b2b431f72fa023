//! Master keys in a file of the test's own.

use std::{fs, path::Path, sync::Arc, time::Duration};

use futures_util::FutureExt;

use crate::keys::{Custody, KeySource, new_line};

/// Reads what stands at `path`. Nothing has to be waited for.
pub fn custody_of(path: &Path) -> Arc<Custody> {
    let source = KeySource::File(path.to_owned());
    let opened = Custody::open(source, Path::new("db"), Duration::ZERO, false);
    let opened = opened.now_or_never().expect("a file is there at once");
    Arc::new(opened.expect("keys").0)
}

/// A fresh key.
pub fn custody() -> Arc<Custody> {
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), &*new_line()).expect("written");
    custody_of(file.path())
}
