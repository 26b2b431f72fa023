//! Looks for the planted values in everything, in the forms in which they could have been written.

use std::{collections::HashMap, fs};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

use super::plants::Plants;
use crate::process::Setup;

/// The token file of a source.
pub const TOKENS: &str = "tokens.json";

/// Bytes that every window of has to begin with to be looked at more closely.
const PREFIX: usize = 6;

/// The name of a planted value, the form that it has here, and its text.
type Needle<'a> = (&'a str, &'a str, Vec<u8>);

#[derive(Default)]
pub struct Haystack(Vec<(String, Vec<u8>)>);

impl Haystack {
    pub fn add(&mut self, place: &str, bytes: Vec<u8>) {
        self.0.push((place.to_owned(), bytes));
    }

    /// The database with all that stands beside it, and the log.
    pub fn add_files(&mut self, setup: &Setup) {
        let database = setup.path("parloir.db");
        let folder = database.parent().expect("it stands in a folder");
        for file in fs::read_dir(folder).expect("a folder") {
            let path = file.expect("a file").path();
            let name = path
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            if name.starts_with("parloir.db") || name == "server.log" {
                self.add(&name, fs::read(&path).expect("it can be read"));
            }
        }
    }

    /// A search in the wrong place finds nothing either.
    pub fn check_that_it_is_whole(&self) {
        let has = |place: &str, words: &str| {
            self.0.iter().any(|(name, bytes)| {
                name == place
                    && bytes
                        .windows(words.len())
                        .any(|window| window == words.as_bytes())
            })
        };
        for place in [
            "parloir.db",
            "parloir.db-wal",
            "parloir.db-shm",
            TOKENS,
            "server.log",
        ] {
            assert!(self.0.iter().any(|(name, _)| name == place), "no {place}");
        }
        assert!(has("parloir.db", "conv-1"), "the database was not searched");
        // At the lowest level, where our own lines end at DEBUG and those of other crates at INFO.
        assert!(has("server.log", "DEBUG"), "the log is not at trace level");
        assert!(
            has("server.log", "conv-1"),
            "the log tells nothing of the conversation"
        );
        assert!(has("the arguments", "serve"), "the arguments were not read");
        let errors = self.0.iter().filter(|(name, _)| name == "an error answer");
        assert!(errors.count() >= 8, "too few errors were provoked");
    }

    /// One line for each value that is found, with what stands around it.
    pub fn find(&self, plants: &Plants) -> Vec<String> {
        let mut needles: HashMap<[u8; PREFIX], Vec<Needle>> = HashMap::new();
        for (name, value) in plants.all() {
            for (form, text) in forms(value) {
                let prefix = text[..PREFIX].try_into().expect("so many bytes");
                needles.entry(prefix).or_default().push((name, form, text));
            }
        }
        let mut found = Vec::new();
        for (place, bytes) in &self.0 {
            for (at, window) in bytes.windows(PREFIX).enumerate() {
                let prefix: [u8; PREFIX] = window.try_into().expect("so many bytes");
                let Some(candidates) = needles.get(&prefix) else {
                    continue;
                };
                for (name, form, text) in candidates {
                    if bytes[at..].starts_with(text) {
                        let around = &bytes[at.saturating_sub(120)..bytes.len().min(at + 80)];
                        let around = String::from_utf8_lossy(around);
                        found.push(format!("{name} ({form}) in {place}: ...{around}..."));
                    }
                }
            }
        }
        found.dedup();
        found.truncate(20);
        found
    }
}

/// Plain, base64 wherever in a longer text it began, hexadecimal, and percent-encoded.
pub fn forms(value: &str) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = value.as_bytes();
    let mut forms = vec![("plain", bytes.to_vec())];
    for before in 0..3 {
        // The first and the last characters depend on what stands around it.
        let shifted = [&b"\0\0\0"[..before], bytes].concat();
        let skip = (before * 8).div_ceil(6);
        let keep = (before + bytes.len()) * 8 / 6;
        for (form, text) in [
            ("base64", STANDARD_NO_PAD.encode(&shifted)),
            ("base64url", URL_SAFE_NO_PAD.encode(&shifted)),
        ] {
            forms.push((form, text.as_bytes()[skip..keep].to_vec()));
        }
    }
    let each = |form: fn(&u8) -> String| bytes.iter().map(form).collect::<String>().into_bytes();
    forms.push(("hex", each(|byte| format!("{byte:02x}"))));
    forms.push(("HEX", each(|byte| format!("{byte:02X}"))));
    forms.push(("percent-encoded", each(|byte| format!("%{byte:02x}"))));
    forms.push(("PERCENT-ENCODED", each(|byte| format!("%{byte:02X}"))));
    let url = each(|byte| match byte {
        byte if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) => {
            char::from(*byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    });
    forms.push(("URL-encoded", url));
    // As debug output writes a list of bytes.
    let list: Vec<_> = bytes.iter().map(ToString::to_string).collect();
    forms.push(("a list of bytes", list.join(", ").into_bytes()));
    forms
}
