//! `--secret PATH=@FILE`: secrets come from a file or from standard input, never from the command line, which everybody
//! on the machine can read.

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal, Read},
};

use anyhow::{Context, Result, bail};
use clap::Args;
use secrecy::{ExposeSecret, SecretString};

use crate::secret::Secret;

/// The most that the server takes; more is not read.
const MOST_BYTES: u64 = 4096;

const HOW: &str = "write --secret PATH=@FILE to read it from a file, or --secret PATH=- to read it from standard input; \
    its text never stands on the command line";

/// Secrets to be set.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct SecretOptions {
    /// A secret, by the path of its setting, and where it is: `PATH=@FILE`, or `PATH=-` for standard input. May be
    /// repeated.
    #[arg(long = "secret", value_name = "PATH=@FILE")]
    secrets: Vec<String>,
}

/// One option, taken apart.
#[derive(Debug, PartialEq)]
enum Place {
    File(String),
    StandardInput,
}

impl SecretOptions {
    /// Reads all of them, and adds those that a file of settings names by their place; an option wins.
    pub(super) fn read(
        &self,
        named: &BTreeMap<String, Secret>,
        input: impl Read,
    ) -> Result<BTreeMap<String, String>> {
        let mut read = BTreeMap::new();
        let given = self.places()?;
        for (path, secret) in named.iter().filter(|(path, _)| !given.contains_key(*path)) {
            read.insert(path.clone(), value(secret).with_context(|| path.clone())?);
        }
        let mut input = Some(input);
        for (path, place) in given {
            let value = match place {
                Place::File(file) => value(&Secret::in_file(file)),
                Place::StandardInput => match input.take() {
                    Some(input) => from_input(input),
                    None => bail!("only one secret can be read from standard input"),
                },
            };
            read.insert(
                path.clone(),
                value.with_context(|| format!("--secret {path}"))?,
            );
        }
        Ok(read)
    }

    /// The only one.
    pub(super) fn read_one(&self, input: impl Read) -> Result<(String, String)> {
        let read = self.read(&BTreeMap::new(), input)?;
        let mut read = read.into_iter();
        match (read.next(), read.next()) {
            (Some(one), None) => Ok(one),
            (None, _) => bail!("the new secret is missing: {HOW}"),
            (Some(_), Some(_)) => bail!("one secret is rotated at a time"),
        }
    }

    fn places(&self) -> Result<BTreeMap<String, Place>> {
        let mut places = BTreeMap::new();
        for option in &self.secrets {
            // What stands behind the sign may be the secret itself, so it is not shown.
            let Some((path, place)) = option.split_once('=').filter(|(path, _)| !path.is_empty())
            else {
                bail!("{HOW}");
            };
            let place = match (place, place.strip_prefix('@')) {
                ("-", _) => Place::StandardInput,
                (_, Some(file)) if !file.is_empty() => Place::File(file.to_owned()),
                _ => bail!("--secret {path}: {HOW}"),
            };
            if places.insert(path.to_owned(), place).is_some() {
                bail!("--secret {path} is given twice");
            }
        }
        Ok(places)
    }
}

/// Standard input, with a word to whoever sits before it.
pub(super) fn standard_input() -> impl Read {
    Asking(io::stdin())
}

struct Asking(io::Stdin);

impl Read for Asking {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.is_terminal() {
            eprintln!("the secret, ended with Enter and Ctrl-D (it shows while you type):");
        }
        self.0.read(buffer)
    }
}

fn value(secret: &Secret) -> Result<String> {
    Ok(secret.read()?.expose_secret().to_owned())
}

fn from_input(input: impl Read) -> Result<String> {
    let mut text = String::new();
    let read = input.take(MOST_BYTES + 2).read_to_string(&mut text);
    let text: SecretString = text.into();
    read.context("standard input cannot be read as text")?;
    let text = text.expose_secret().trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        bail!("there is nothing on standard input");
    }
    if text.len() as u64 > MOST_BYTES {
        bail!("a secret has at most {MOST_BYTES} bytes");
    }
    Ok(text.to_owned())
}
