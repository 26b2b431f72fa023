//! `parloir new-master-key`: a line for the file, the variable or the program that `encryption.master_key` names.

use clap::Args;

use crate::keys;

/// Prints a fresh master key under a random id, as a line `ID:BASE64`.
///
/// In the list of keys the first line seals and all lines open: to change the key while the server runs, put the new line
/// above the old one, and take the old one out once `/metrics` shows nothing under its id.
#[derive(Debug, Args)]
pub struct NewMasterKeyArgs {}

/// Prints it.
pub fn run(_: &NewMasterKeyArgs) {
    println!("{}", *keys::new_line());
}
