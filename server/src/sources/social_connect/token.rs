//! The token that calls carry: one that was made by hand, or one in a file that is renewed before it expires.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use super::{
    config::SocialConnectConfig,
    kept::Kept,
    oauth::{Grant, OAuth, OAuthError},
    token_file::TokenFile,
};
use crate::{
    config::SourceConfig,
    domain::{Clock, Timestamp},
    secret::Secret,
    sources::Means,
};

/// How long before its end a token is renewed: several calls may fail for minutes before anything is lost.
const AHEAD: Duration = Duration::from_mins(5);
/// How long a renewal that failed is not tried again.
const PAUSE: Duration = Duration::from_mins(1);
/// How long a call waits for a renewal while the old token lives: most answers come within it, and a host that hangs
/// holds up nobody for long.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long a call waits whose rejected token has just been replaced: the next one is there at once.
const AT_ONCE: Duration = Duration::from_secs(1);
/// How long it waits while the renewal fails or takes its time; each repetition is a call that is rejected again.
const LATER: Duration = Duration::from_secs(10);

/// Why there is no token for a call.
#[derive(Debug, Clone)]
pub(super) enum NoToken {
    /// A renewal failed in a way that may pass, or takes too long.
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
    kept: Kept,
    oauth: OAuth,
    clock: Arc<dyn Clock>,
    send_timeout: Duration,
    /// One renewal at a time; what the last one that failed says.
    pause: Mutex<Option<Pause>>,
    /// The token that a rejected one was renewed to, until a call succeeds with it.
    doubted: std::sync::Mutex<Option<SecretString>>,
}

/// A renewal that failed.
#[derive(Debug)]
struct Pause {
    until: Timestamp,
    /// What failed: other tokens are not held up.
    grant: Grant,
    error: NoToken,
}

impl Tokens {
    pub(super) fn new(
        source: &SourceConfig,
        config: &SocialConnectConfig,
        means: &Means,
    ) -> anyhow::Result<Self> {
        let Some(path) = &config.token_file else {
            return Ok(Self::Made(config.token.clone().unwrap_or_default()));
        };
        let clock = &means.clock;
        let file = TokenFile::new(&source.name, path, means.custody.clone());
        Ok(Self::File(Arc::new(Renewed {
            kept: Kept::new(file, clock),
            oauth: OAuth::new(config, Arc::clone(clock))?,
            clock: Arc::clone(clock),
            send_timeout: source.send_timeout,
            pause: Mutex::default(),
            doubted: std::sync::Mutex::default(),
        })))
    }

    /// The token for a call that is made now. Takes half of the send timeout at most, so that time is left for the call.
    pub(super) async fn current(&self) -> Result<SecretString, NoToken> {
        let renewed = match self {
            Self::Made(secret) => {
                return secret
                    .read()
                    .map_err(|error| NoToken::Refused(error.to_string()));
            }
            Self::File(renewed) => renewed,
        };
        let grant = renewed.kept.read()?;
        if !renewed.is_due(&grant) {
            return Ok(grant.access_token.into());
        }
        let is_over = renewed.is_over(&grant);
        match renewed.renew_within(is_over, None).await {
            Some(done) => done,
            None if is_over => Err(NoToken::Later),
            None => Ok(grant.access_token.into()),
        }
    }

    /// The vendor does not know this token any more. Renews it, if it is still the file's, and tells when the call may be
    /// repeated with another; `None`: never.
    pub(super) async fn replace(&self, rejected: &SecretString) -> Option<Duration> {
        let Self::File(renewed) = self else {
            return None;
        };
        // Once: where the next one is rejected too, the token is not to blame.
        if renewed.is_doubted(rejected) {
            return None;
        }
        match renewed.renew_within(false, Some(rejected.clone())).await {
            Some(Err(NoToken::Refused(_))) => None,
            Some(Ok(_)) => Some(AT_ONCE),
            Some(Err(NoToken::Later)) | None => Some(LATER),
        }
    }

    /// Under which master key the file is; it is sealed anew where that is not the one that seals.
    pub(super) fn reseal(&self) -> Option<String> {
        match self {
            Self::Made(_) => None,
            Self::File(renewed) => renewed.kept.reseal(),
        }
    }

    /// A call went well with this token.
    pub(super) fn trust(&self, token: &SecretString) {
        if let Self::File(renewed) = self
            && renewed.is_doubted(token)
        {
            *renewed.doubted() = None;
        }
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

    /// `None`: it takes too long. It goes on in a task of its own: a caller that gives up must not lose tokens which
    /// exist nowhere else.
    async fn renew_within(
        self: &Arc<Self>,
        is_over: bool,
        rejected: Option<SecretString>,
    ) -> Option<Result<SecretString, NoToken>> {
        let patience = if is_over {
            self.send_timeout / 2
        } else {
            PATIENCE.min(self.send_timeout / 4)
        };
        let renewing = Arc::clone(self);
        let renewing = tokio::spawn(async move { renewing.renew(rejected.as_ref()).await });
        let done = tokio::time::timeout(patience, renewing).await.ok()?;
        Some(done.unwrap_or(Err(NoToken::Later)))
    }

    /// Renews what is due or `rejected`.
    async fn renew(&self, rejected: Option<&SecretString>) -> Result<SecretString, NoToken> {
        let mut pause = self.pause.lock().await;
        // Somebody else may have done it while we waited for our turn.
        let grant = self.kept.read()?;
        let is_rejected = rejected.is_some_and(|it| it.expose_secret() == grant.access_token);
        if !is_rejected && !self.is_due(&grant) {
            return Ok(grant.access_token.into());
        }
        let lives = !is_rejected && !self.is_over(&grant);
        let now = self.clock.now();
        let paused = pause.take_if(|pause| pause.grant != grant || pause.until <= now);
        drop(paused);
        if let Some(pause) = pause.as_ref() {
            let lives = lives.then(|| grant.access_token.into());
            return lives.ok_or_else(|| pause.error.clone());
        }
        match self.oauth.refresh(&grant.refresh_token).await {
            Ok(next) => {
                self.kept.keep(&grant, next);
                let next = self.kept.read()?.access_token;
                if is_rejected {
                    *self.doubted() = Some(next.clone().into());
                }
                Ok(next.into())
            }
            Err(error) => {
                tracing::warn!(source = self.kept.source(), %error, "the token cannot be renewed");
                let token = grant.access_token.clone();
                let error = verdict(&error);
                let until = self.clock.now() + PAUSE;
                *pause = Some(Pause {
                    until,
                    grant,
                    error: error.clone(),
                });
                lives.then(|| token.into()).ok_or(error)
            }
        }
    }

    fn is_doubted(&self, token: &SecretString) -> bool {
        let doubted = self.doubted();
        doubted
            .as_ref()
            .is_some_and(|doubted| doubted.expose_secret() == token.expose_secret())
    }

    fn doubted(&self) -> std::sync::MutexGuard<'_, Option<SecretString>> {
        self.doubted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn verdict(error: &OAuthError) -> NoToken {
    match error {
        OAuthError::Refused(_) | OAuthError::Ours(_) => NoToken::Refused(error.to_string()),
        OAuthError::NotReached | OAuthError::Unclear => NoToken::Later,
    }
}

/// A token as the header wants it.
pub(super) fn bearer(token: &SecretString) -> Option<http::HeaderValue> {
    let value = format!("Bearer {}", token.expose_secret());
    let mut value = http::HeaderValue::from_str(&value).ok()?;
    value.set_sensitive(true);
    Some(value)
}
