//! A secret as configuration names it: by the environment variable or file that holds it, never by its text.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fmt, fs, io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What a secret's text in the configuration is answered with.
const NOT_A_PLACE: &str = "a secret (api_key, tokens, secrets) is never written down here: name its place, \
    { env = \"NAME\" } or { file = \"/path\" }";

/// Where a secret stands. Written `{ env = "NAME" }` or `{ file = "/path" }`.
///
/// A file is looked at on every use and read again when it changed, so that a replaced key counts from the next
/// request on without a restart. Clones share what was read.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(try_from = "toml::Value", into = "Reference")]
pub struct Secret {
    reference: Reference,
    last_read: Arc<Mutex<Option<FileContent>>>,
    /// What is held in memory.
    held: Option<SecretString>,
}

thread_local! {
    /// What `{ held = "id" }` stands for, while settings are read that an administrator gave.
    static HELD: RefCell<Option<BTreeMap<String, SecretString>>> = const { RefCell::new(None) };
}

/// Reads settings in which `{ held = "id" }` stands for the secret with this id. Everywhere else that is refused like any
/// other text: nobody can name what is held for somebody else.
pub fn holding<T>(secrets: BTreeMap<String, SecretString>, read: impl FnOnce() -> T) -> T {
    /// Lets go of them also when reading panics.
    struct Scope;
    impl Drop for Scope {
        fn drop(&mut self) {
            HELD.take();
        }
    }
    HELD.replace(Some(secrets));
    let _scope = Scope;
    read()
}

/// Why a secret could not be read. Names the place, never the content.
#[derive(Debug, Error)]
pub enum SecretError {
    /// No place was configured.
    #[error("no secret is configured: give {{ env = \"NAME\" }} or {{ file = \"/path\" }}")]
    NotConfigured,
    /// The environment variable is not set, or is not UTF-8.
    #[error("the environment variable {0} is not set, or is not text")]
    Environment(String),
    /// The file cannot be read, or is not UTF-8.
    #[error("the file {path} cannot be read: {source}")]
    File {
        /// The configured file.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// There is nothing in the named place.
    #[error("the secret in {0} is empty")]
    Empty(String),
}

impl Secret {
    /// The secret in an environment variable.
    pub fn in_environment(name: impl Into<String>) -> Self {
        Reference::Env(name.into()).into()
    }

    /// The secret in a file.
    pub fn in_file(path: impl Into<PathBuf>) -> Self {
        Reference::File(path.into()).into()
    }

    /// Whether a place was configured at all.
    pub fn is_configured(&self) -> bool {
        self.reference != Reference::default()
    }

    /// The secret as it stands now, without line breaks at its end.
    pub fn read(&self) -> Result<SecretString, SecretError> {
        let value = match &self.reference {
            Reference::Held(_) => return self.held.clone().ok_or(SecretError::NotConfigured),
            Reference::Env(name) if name.is_empty() => return Err(SecretError::NotConfigured),
            Reference::Env(name) => {
                trimmed(std::env::var(name).map_err(|_| SecretError::Environment(name.clone()))?)
            }
            Reference::File(path) => self.read_file(path).map_err(|source| SecretError::File {
                path: path.display().to_string(),
                source,
            })?,
        };
        if secrecy::ExposeSecret::expose_secret(&value).is_empty() {
            return Err(SecretError::Empty(self.reference.to_string()));
        }
        Ok(value)
    }

    fn read_file(&self, path: &PathBuf) -> io::Result<SecretString> {
        let stamp = Stamp::of(&fs::metadata(path)?)?;
        let mut last = self
            .last_read
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(content) = last.as_ref().filter(|content| content.stamp == stamp) {
            return Ok(content.value.clone());
        }
        let value = trimmed(fs::read_to_string(path)?);
        // A file written a moment ago can be written again without a visible change of its time: look again.
        *last = stamp.is_settled().then(|| FileContent {
            stamp,
            value: value.clone(),
        });
        Ok(value)
    }
}

/// The place alone; which of two secrets it is can be compared and shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Reference {
    Env(String),
    File(PathBuf),
    /// In memory, by the id of what is kept in the database.
    Held(String),
}

struct FileContent {
    stamp: Stamp,
    value: SecretString,
}

/// What tells one version of a file from the next.
#[derive(PartialEq, Eq)]
struct Stamp {
    modified: SystemTime,
    length: u64,
}

impl Stamp {
    fn of(metadata: &fs::Metadata) -> io::Result<Self> {
        Ok(Self {
            modified: metadata.modified()?,
            length: metadata.len(),
        })
    }

    /// Two seconds: the coarsest time stamp of a file system in common use.
    fn is_settled(&self) -> bool {
        self.modified
            .elapsed()
            .is_ok_and(|age| age > Duration::from_secs(2))
    }
}

fn trimmed(mut text: String) -> SecretString {
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    text.into()
}

impl Default for Reference {
    fn default() -> Self {
        Self::Env(String::new())
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "the environment variable {name}"),
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::Held(_) => f.write_str("held"),
        }
    }
}

/// What stands where a place should is never shown: it is most likely the secret itself.
impl TryFrom<toml::Value> for Secret {
    type Error = &'static str;

    fn try_from(written: toml::Value) -> Result<Self, Self::Error> {
        let only = |table: toml::Table| {
            let mut entries = table.into_iter();
            entries.next().filter(|_| entries.next().is_none())
        };
        let place = match written {
            toml::Value::Table(table) => only(table),
            _ => None,
        };
        match place {
            Some((kind, toml::Value::String(name))) if kind == "env" => {
                Ok(Self::in_environment(name))
            }
            Some((kind, toml::Value::String(path))) if kind == "file" => Ok(Self::in_file(path)),
            Some((kind, toml::Value::String(id))) if kind == "held" => {
                let held = HELD.with_borrow(|held| held.as_ref()?.get(&id).cloned());
                let held = held.ok_or(NOT_A_PLACE)?;
                Ok(Self {
                    reference: Reference::Held(id),
                    held: Some(held),
                    ..Self::default()
                })
            }
            _ => Err(NOT_A_PLACE),
        }
    }
}

impl From<Reference> for Secret {
    fn from(reference: Reference) -> Self {
        Self {
            reference,
            last_read: Arc::default(),
            held: None,
        }
    }
}

impl From<Secret> for Reference {
    fn from(secret: Secret) -> Self {
        secret.reference
    }
}

/// Two secrets are equal when they stand in the same place.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.reference == other.reference
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.reference)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use secrecy::ExposeSecret;

    use super::*;

    fn set_age(path: &std::path::Path, age: Duration) {
        let file = File::options()
            .write(true)
            .open(path)
            .expect("the test's own file");
        file.set_modified(SystemTime::now() - age)
            .expect("the test's own file");
    }

    #[test]
    fn a_replaced_file_counts_from_the_next_read_on() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("key");
        fs::write(&path, "first\n").expect("a writable folder");
        set_age(&path, Duration::from_mins(1));
        let secret = Secret::in_file(&path);
        assert_eq!(secret.read().expect("readable").expose_secret(), "first");
        assert!(secret.last_read.lock().expect("not poisoned").is_some());

        fs::write(&path, "other\n").expect("a writable folder");
        assert_eq!(secret.read().expect("readable").expose_secret(), "other");
        fs::write(&path, "third\n").expect("a writable folder");
        assert_eq!(secret.read().expect("readable").expose_secret(), "third");
    }

    #[test]
    fn neither_debug_nor_an_error_shows_the_secret() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("key");
        fs::write(&path, b"hunter2\xff").expect("a writable folder");
        let secret = Secret::in_file(&path);
        let error = secret.read().expect_err("not UTF-8").to_string();
        assert!(error.contains("key"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
        fs::write(&path, b"hunter2").expect("a writable folder");
        secret.read().expect("readable");
        assert!(!format!("{secret:?}").contains("hunter2"));
    }

    #[test]
    fn what_is_held_can_be_named_only_where_it_is_held() {
        let written: toml::Table = "secret = { held = \"s-1\" }".parse().expect("TOML");
        let read = || written["secret"].clone().try_into::<Secret>();
        assert!(read().is_err());
        let held = BTreeMap::from([("s-1".to_owned(), SecretString::from("hunter2"))]);
        let secret = holding(held, read).expect("held here");
        assert_eq!(secret.read().expect("held").expose_secret(), "hunter2");
        assert!(read().is_err(), "no longer");
        let others = BTreeMap::from([("s-2".to_owned(), SecretString::from("other"))]);
        assert!(holding(others, read).is_err());
        assert_eq!(format!("{secret:?}"), "Secret(held)");
        let shown = toml::Value::try_from(&secret).expect("shown").to_string();
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn nothing_configured_nothing_set_and_nothing_inside_are_told_apart() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("key");
        fs::write(&path, "\r\n").expect("a writable folder");
        assert!(matches!(
            Secret::default().read(),
            Err(SecretError::NotConfigured)
        ));
        let unset = Secret::in_environment("PARLOIR_TEST_VARIABLE_THAT_NOBODY_SETS");
        assert!(matches!(unset.read(), Err(SecretError::Environment(_))));
        assert!(matches!(
            Secret::in_file(path).read(),
            Err(SecretError::Empty(_))
        ));
    }
}
