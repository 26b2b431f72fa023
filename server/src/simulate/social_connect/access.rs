//! Who may call, and how often: tokens, their renewal, scopes, calls by the hour.

use std::collections::HashMap;

use secrecy::ExposeSecret;
use serde_json::json;

use super::{
    settings::Settings,
    wire::{Asked, NO_PERMISSION, Refusal, Reply},
};

const HOUR: u64 = 3600;
const NO_TOKEN: Refusal = Refusal(401, "no_permission");
const TWO_TOKENS: Refusal = Refusal(400, "invalid_parameter");

/// Everything that the application may ask for.
pub(super) const ALL_SCOPES: &str = "accounts_read accounts_write accounts_handover";

#[derive(Debug, Default)]
pub(super) struct Access {
    grants: HashMap<String, Granted>,
    /// What a code or a refresh token stands for: its scopes.
    codes: HashMap<String, String>,
    refreshes: HashMap<String, String>,
    windows: HashMap<String, Window>,
    issued: u64,
}

#[derive(Debug)]
struct Granted {
    scopes: String,
    expires_at: Option<u64>,
}

#[derive(Debug)]
struct Window {
    ends_at: u64,
    calls: u32,
}

impl Access {
    pub(super) fn allow(&mut self, token: &str, scopes: &str, expires_at: Option<u64>) {
        let scopes = scopes.to_owned();
        self.grants
            .insert(token.to_owned(), Granted { scopes, expires_at });
    }

    /// What a person's consent brings back.
    pub(super) fn new_code(&mut self, scopes: &str) -> String {
        let code = self.new_name("code");
        self.codes.insert(code.clone(), scopes.to_owned());
        code
    }

    /// The token of a request, if it is good now.
    pub(super) fn token(&self, asked: &Asked, now: u64) -> Result<String, Refusal> {
        let token = match (&asked.bearer, asked.parameter("access_token")) {
            (Some(token), None) => token.clone(),
            (None, Some(token)) => token.to_owned(),
            (None, None) => return Err(NO_TOKEN),
            (Some(_), Some(_)) => return Err(TWO_TOKENS),
        };
        let granted = self.grants.get(&token).ok_or(NO_TOKEN)?;
        let lives = granted.expires_at.is_none_or(|expires_at| expires_at > now);
        lives.then_some(token).ok_or(NO_TOKEN)
    }

    pub(super) fn check_scopes(&self, token: &str, needed: &[&str]) -> Result<(), Refusal> {
        let granted = self.grants.get(token).ok_or(NO_TOKEN)?;
        let has = |scope: &&str| granted.scopes.split(' ').any(|one| one == *scope);
        needed.iter().all(has).then_some(()).ok_or(NO_PERMISSION)
    }

    /// Counts a call. What the headers say, and whether it is one too many.
    pub(super) fn count(
        &mut self,
        token: &str,
        limit: u32,
        now: u64,
    ) -> (Vec<(String, String)>, bool) {
        let window = self.windows.entry(token.to_owned()).or_insert(Window {
            ends_at: now + HOUR,
            calls: 0,
        });
        if window.ends_at <= now {
            *window = Window {
                ends_at: now + HOUR,
                calls: 0,
            };
        }
        let is_over = window.calls >= limit;
        window.calls += u32::from(!is_over);
        let header = |name: &str, value: u64| (format!("X-RateLimit-{name}"), value.to_string());
        let headers = vec![
            header("Limit", limit.into()),
            header("Time", HOUR),
            header("Remaining", (limit - window.calls).into()),
            header("Reset", window.ends_at),
        ];
        (headers, is_over)
    }

    /// `/oauth/access_token/`.
    pub(super) fn exchange(
        &mut self,
        asked: &Asked,
        settings: &Settings,
        lives: u64,
        now: u64,
    ) -> Reply {
        let refused =
            |error: &str| Reply::json(400, &json!({ "error": error, "error_description": "no" }));
        let parameter = |name: &str| asked.parameter(name).unwrap_or_default();
        let is_ours = parameter("client_id") == settings.client_id
            && parameter("client_secret") == settings.client_secret.expose_secret();
        if !is_ours {
            return refused("invalid_client");
        }
        let scopes = match parameter("grant_type") {
            "authorization_code" => self.codes.remove(parameter("code")),
            // Good once: whoever loses the answer has lost the access.
            "refresh_token" => self.refreshes.remove(parameter("refresh_token")),
            _ => return refused("unsupported_grant_type"),
        };
        let Some(scopes) = scopes else {
            return refused("invalid_grant");
        };
        let (token, refresh) = (self.new_name("token"), self.new_name("refresh"));
        self.allow(&token, &scopes, Some(now + lives));
        self.refreshes.insert(refresh.clone(), scopes.clone());
        let answer = json!({
            "access_token": token, "expires_in": lives, "scope": scopes, "refresh_token": refresh,
        });
        Reply::json(200, &answer)
    }

    fn new_name(&mut self, kind: &str) -> String {
        self.issued += 1;
        format!("{kind}-{}", self.issued)
    }
}
