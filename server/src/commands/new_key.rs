//! `parloir new-key`: a fresh key for a caller, and where to put it.

use std::{
    fs::OpenOptions,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::Args;
use secrecy::ExposeSecret;

use crate::access::Key;

/// Makes a key for a caller of the configuration.
///
/// Talks to no server. The key goes to standard output, or to a file that only its owner can read; what to do with it
/// goes to standard error.
#[derive(Debug, Args)]
pub struct NewKeyArgs {
    /// Write the key into this file, which must not be there yet, instead of showing it.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Makes one.
///
/// # Errors
///
/// A file that is there already or cannot be written.
pub fn run(args: &NewKeyArgs) -> Result<()> {
    let key = Key::generate().context("the system has no randomness to give")?;
    let place = if let Some(file) = &args.file {
        write(file, &key)?;
        file.display().to_string()
    } else {
        println!("{}", key.text().expose_secret());
        "/path/to/key".to_owned()
    };
    let id = key.id();
    eprintln!(
        "This is the key {id}. It is not kept anywhere else. Put it into a file that only the server can read ({place}), and \
         name that in the configuration:\n\n\
         [[callers]]\nname = \"crm\"\nscopes = [\"converse\", \"subscribe\"]\nkeys = [{{ file = \"{place}\" }}]\n\n\
         The caller sends it with every call: `authorization: Bearer <key>`; verbs of parloir take --key-file or PARLOIR_KEY."
    );
    Ok(())
}

fn write(file: &Path, key: &Key) -> Result<()> {
    let mut options = OpenOptions::new();
    let opened = options.write(true).create_new(true).mode(0o600).open(file);
    let named = || format!("--file: {} cannot be made", file.display());
    let mut opened = opened.with_context(named)?;
    writeln!(opened, "{}", key.text().expose_secret()).with_context(named)
}
