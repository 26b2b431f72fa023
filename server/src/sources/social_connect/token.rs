//! The token that calls carry: one that was made by hand, or one in a file that is renewed before it expires.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use super::{
    config::SocialConnectConfig,
    oauth::{Grant, OAuth, OAuthError},
};
use crate::{
    domain::{Clock, Timestamp},
    secret::Secret,
};

/// How long before its end a token is renewed: several calls may fail for minutes before anything is lost.
const AHEAD: Duration = Duration::from_mins(5);
/// How long a renewal that failed is not tried again while the token still lives.
const PAUSE: Duration = Duration::from_mins(1);

/// Why there is no token for a call.
#[derive(Debug)]
pub(super) enum NoToken {
    /// A renewal failed in a way that may pass.
    Later,
    /// Credentials are missing or void.
    Refused(String),
}

/// Where tokens come from.
#[derive(Debug)]
pub(super) enum Tokens {
    Made(Secret),
    File(Arc<Renewed>),
}

/// A token in a file.
#[derive(Debug)]
pub(super) struct Renewed {
    source: String,
    path: PathBuf,
    oauth: OAuth,
    clock: Arc<dyn Clock>,
    /// One renewal at a time; when the next may be tried.
    not_before: Mutex<Option<Timestamp>>,
}

impl Tokens {
    pub(super) fn new(
        source: &str,
        config: &SocialConnectConfig,
        clock: &Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let Some(path) = &config.token_file else {
            return Ok(Self::Made(config.token.clone().unwrap_or_default()));
        };
        Ok(Self::File(Arc::new(Renewed {
            source: source.to_owned(),
            path: path.clone(),
            oauth: OAuth::new(config, Arc::clone(clock))?,
            clock: Arc::clone(clock),
            not_before: Mutex::default(),
        })))
    }

    /// The token for a call that is made now.
    pub(super) async fn current(&self) -> Result<SecretString, NoToken> {
        let renewed = match self {
            Self::Made(secret) => {
                return secret
                    .read()
                    .map_err(|error| NoToken::Refused(error.to_string()));
            }
            Self::File(renewed) => renewed,
        };
        let grant = renewed.read()?;
        if !renewed.is_due(&grant) {
            return Ok(grant.access_token.into());
        }
        // In a task of its own: a caller that gives up must not lose tokens which exist nowhere else.
        let renewing = Arc::clone(renewed);
        let renewing = tokio::spawn(async move { renewing.renew().await });
        renewing.await.unwrap_or(Err(NoToken::Later))
    }
}

impl Renewed {
    fn is_due(&self, grant: &Grant) -> bool {
        let soon = (self.clock.now() + AHEAD).0 / 1_000_000;
        grant
            .expires_at
            .is_some_and(|expires_at| expires_at <= soon)
    }

    fn is_over(&self, grant: &Grant) -> bool {
        let now = self.clock.now().0 / 1_000_000;
        grant.expires_at.is_some_and(|expires_at| expires_at <= now)
    }

    async fn renew(&self) -> Result<SecretString, NoToken> {
        let mut not_before = self.not_before.lock().await;
        // Somebody else may have done it while we waited for our turn.
        let grant = self.read()?;
        let waits = not_before.is_some_and(|until| until > self.clock.now());
        if !self.is_due(&grant) || (waits && !self.is_over(&grant)) {
            return Ok(grant.access_token.into());
        }
        let error = match self.oauth.refresh(&grant.refresh_token).await {
            Ok(next) => {
                // A token that cannot be kept is still good for its time.
                if let Err(error) = write_grant(&self.path, &next) {
                    tracing::error!(source = self.source, %error, "the renewed token cannot be written to token_file");
                }
                *not_before = None;
                return Ok(next.access_token.into());
            }
            Err(error) => error,
        };
        *not_before = Some(self.clock.now() + PAUSE);
        tracing::warn!(source = self.source, %error, "the token cannot be renewed");
        match error {
            _ if !self.is_over(&grant) => Ok(grant.access_token.into()),
            OAuthError::Refused(_) | OAuthError::Ours(_) => {
                Err(NoToken::Refused(error.to_string()))
            }
            OAuthError::NotReached | OAuthError::Unclear => Err(NoToken::Later),
        }
    }

    /// The file's tokens: looked at for every call, so that another login counts at once.
    fn read(&self) -> Result<Grant, NoToken> {
        let refused =
            |what: String| NoToken::Refused(format!("token_file {what}: run parloir source-login"));
        let text = fs::read_to_string(&self.path);
        let text = text.map_err(|error| refused(format!("cannot be read ({})", error.kind())))?;
        serde_json::from_str(&text).map_err(|_| refused("holds no tokens".to_owned()))
    }
}

/// Writes what was granted, readable for us alone, in one step: whoever reads meets the old or the new.
pub fn write_grant(path: &Path, grant: &Grant) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    // Made with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(&serde_json::to_vec_pretty(grant)?)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// A token as the header wants it.
pub(super) fn bearer(token: &SecretString) -> Option<http::HeaderValue> {
    let value = format!("Bearer {}", token.expose_secret());
    let mut value = http::HeaderValue::from_str(&value).ok()?;
    value.set_sensitive(true);
    Some(value)
}
