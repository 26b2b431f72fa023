//! Where the master keys come from, as configuration names it.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::ExitStatus,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{
    beside,
    command::{self, MAX_BYTES},
    line::BadLine,
    ring::KeyRing,
};

/// What is answered to a master key that is written down in the configuration.
const NOT_A_PLACE: &str = "a master key is never written down here: name its place, { file = \"/path\" }, \
    { env = \"NAME\" } or { command = [\"/path/of/program\", \"argument\"] }";

/// Where the master keys stand. Written `{ file = "/path" }`, `{ env = "NAME" }` or `{ command = ["program", ...] }`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "toml::Value", rename_all = "snake_case")]
pub enum KeySource {
    File(PathBuf),
    Env(String),
    /// A program and its arguments; it prints the lines.
    Command(Vec<String>),
    /// A file beside the database.
    #[default]
    #[serde(skip)]
    Beside,
}

/// Whether the keys were there, or have just been made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    Given,
    /// A file beside the database that was there already.
    Beside(PathBuf),
    /// A file beside the database that did not exist until now.
    Made(PathBuf),
}

/// Why master keys could not be read. Names the place, never the content.
#[derive(Debug, thiserror::Error)]
pub enum KeySourceError {
    #[error("the master key's file {} cannot be read: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("the master key's file {} cannot be made: {source}", path.display())]
    NotMade { path: PathBuf, source: io::Error },
    #[error("the environment variable {0} is not set, or is not text")]
    Environment(String),
    #[error("encryption.master_key.command is empty: name a program")]
    NoProgram,
    #[error("the program {program} cannot be run: {source}")]
    Program { program: String, source: io::Error },
    #[error("the program {program} printed no key: it ended with {status}")]
    Failed { program: String, status: ExitStatus },
    #[error(
        "the program {program} did not end within {time_limit:?} (encryption.command_time_limit)"
    )]
    TooSlow {
        program: String,
        time_limit: Duration,
    },
    #[error("{place} holds more than {MAX_BYTES} bytes: that is no list of keys")]
    TooLong { place: String },
    #[error("{place} does not hold text")]
    NotText { place: String },
    #[error("master key, {place}: {source}")]
    Line { place: String, source: BadLine },
}

impl KeySource {
    /// Nothing is configured.
    pub fn is_beside(&self) -> bool {
        *self == Self::Beside
    }

    /// Whether looking again is cheap: a file is read, a program would have to be run.
    pub fn is_looked_at(&self) -> bool {
        matches!(self, Self::File(_) | Self::Beside)
    }

    /// The file that holds the keys, where one does and more than its owner can read it.
    pub fn open_to_others(&self, database: &Path) -> Option<PathBuf> {
        let path = match self {
            Self::File(path) => path.clone(),
            Self::Beside => beside::path(database),
            Self::Env(_) | Self::Command(_) => return None,
        };
        let mode = fs::metadata(&path).ok()?.permissions().mode();
        (mode & 0o044 != 0).then_some(path)
    }

    /// Reads the keys. Where nothing is configured and nothing stands beside the database, they are made if `may_make`.
    pub(super) async fn read(
        &self,
        database: &Path,
        time_limit: Duration,
        may_make: bool,
    ) -> Result<(KeyRing, Origin), KeySourceError> {
        let path = beside::path(database);
        let (text, origin) = match self {
            Self::File(path) => (file(path)?, Origin::Given),
            Self::Env(name) => (environment(name)?, Origin::Given),
            Self::Command(program) => (command::output(program, time_limit).await?, Origin::Given),
            Self::Beside if may_make && !path.exists() => {
                (beside::make(&path)?, Origin::Made(path))
            }
            Self::Beside => (file(&path)?, Origin::Beside(path)),
        };
        let ring = KeyRing::parse(&text).map_err(|source| KeySourceError::Line {
            place: self.place(database),
            source,
        })?;
        Ok((ring, origin))
    }

    /// In words, for errors and logs.
    pub fn place(&self, database: &Path) -> String {
        match self {
            Self::File(path) => format!("the file {}", path.display()),
            Self::Env(name) => format!("the environment variable {name}"),
            Self::Command(program) => {
                format!("the program {}", program.first().map_or("", String::as_str))
            }
            Self::Beside => format!("the file {}", beside::path(database).display()),
        }
    }
}

fn file(path: &Path) -> Result<Zeroizing<String>, KeySourceError> {
    let failed = |source| KeySourceError::File {
        path: path.to_owned(),
        source,
    };
    let length = fs::metadata(path).map_err(failed)?.len();
    if length > MAX_BYTES as u64 {
        return Err(KeySourceError::TooLong {
            place: path.display().to_string(),
        });
    }
    fs::read_to_string(path).map(Zeroizing::new).map_err(failed)
}

fn environment(name: &str) -> Result<Zeroizing<String>, KeySourceError> {
    let value = std::env::var(name).map(Zeroizing::new);
    value.map_err(|_| KeySourceError::Environment(name.to_owned()))
}

/// What stands where a place should is never shown: it is most likely the key itself.
impl TryFrom<toml::Value> for KeySource {
    type Error = &'static str;

    fn try_from(written: toml::Value) -> Result<Self, Self::Error> {
        let toml::Value::Table(table) = written else {
            return Err(NOT_A_PLACE);
        };
        let mut entries = table.into_iter();
        let (Some((kind, place)), None) = (entries.next(), entries.next()) else {
            return Err(NOT_A_PLACE);
        };
        match (kind.as_str(), place) {
            ("file", toml::Value::String(path)) if !path.is_empty() => Ok(Self::File(path.into())),
            ("env", toml::Value::String(name)) if !name.is_empty() => Ok(Self::Env(name)),
            ("command", toml::Value::Array(words)) if !words.is_empty() => {
                let words = words.into_iter().map(|word| match word {
                    toml::Value::String(word) => Ok(word),
                    _ => Err(NOT_A_PLACE),
                });
                words.collect::<Result<_, _>>().map(Self::Command)
            }
            _ => Err(NOT_A_PLACE),
        }
    }
}
