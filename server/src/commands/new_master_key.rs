//! `parloir new-master-key`: a line for the file, the variable or the program that `encryption.master_key` names.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::owners_file;
use crate::keys;

/// Makes a fresh master key under a random id, as a line `ID:BASE64`.
///
/// In the list of keys the first line seals and all lines open: to change the key while the server runs, put the new line
/// above the old one, and take the old one out once `/metrics` shows nothing under its id.
#[derive(Debug, Args)]
pub struct NewMasterKeyArgs {
    /// Write the line into this file, which must not be there yet and which only its owner can read, instead of showing
    /// it.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Makes it.
///
/// # Errors
///
/// A file that is there already or cannot be written.
pub fn run(args: &NewMasterKeyArgs) -> Result<()> {
    let line = keys::new_line();
    if let Some(file) = &args.file {
        return owners_file::write(file, &line);
    }
    println!("{}", *line);
    Ok(())
}
