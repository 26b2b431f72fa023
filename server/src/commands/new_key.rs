//! `parloir new-key`: a fresh key for a caller, and where to put it.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use secrecy::ExposeSecret;

use super::owners_file;
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
    let (place, what_next) = if let Some(file) = &args.file {
        owners_file::write(file, key.text().expose_secret())?;
        let place = file.display().to_string();
        let what_next =
            format!("It stands in {place}, for its owner alone. Let the server read it");
        (place, what_next)
    } else {
        println!("{}", key.text().expose_secret());
        let place = "/path/to/key".to_owned();
        let what_next = format!("Put it into a file that only the server can read ({place})");
        (place, what_next)
    };
    let id = key.id();
    eprintln!(
        "This is the key {id}. It is not kept anywhere else. {what_next}, and name that in the configuration:\n\n\
         [[callers]]\nname = \"crm\"\nscopes = [\"converse\", \"subscribe\", \"respond\"]\nkeys = [{{ file = \"{place}\" }}]\n\n\
         The caller sends it with every call: `authorization: Bearer <key>`; verbs of parloir take --key-file or PARLOIR_KEY."
    );
    Ok(())
}
