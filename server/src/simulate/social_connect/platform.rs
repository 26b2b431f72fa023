//! The whole of a simulated Social Connect without a socket: what it is asked, it answers.

use std::{collections::VecDeque, fmt, sync::Mutex};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::ExposeSecret;
use sha2::Sha256;
use tokio::sync::watch;

use super::{
    access::ALL_SCOPES,
    contact,
    fault::Failure,
    handover, inbox, publisher,
    record::{Call, SeenCall},
    settings::Settings,
    state::State,
    wire::{Answered, Asked, NOT_FOUND, Refusal, Reply, Request},
};
use crate::simulate::locked;

/// How long a token of the OAuth exchange lives, in seconds. An hour, so that tests meet its end.
const TOKEN_LIVES: u64 = 3600;

/// One account and all that happens in it.
pub struct Platform {
    settings: Settings,
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

impl Platform {
    pub fn new(settings: Settings) -> Self {
        let mut state = State::default();
        state
            .access
            .allow(settings.token.expose_secret(), ALL_SCOPES, None);
        Self {
            settings,
            state: Mutex::new(state),
            changed: watch::Sender::new(()),
        }
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Answers a call, and records it.
    pub fn answer(&self, request: &Request) -> Reply {
        let Some(asked) = Asked::read(request) else {
            return Reply::of(Err(NOT_FOUND));
        };
        let call = Call::of(&asked.method, &asked.segments);
        self.change(|state| {
            let failure = state.faults.get_mut(&call).and_then(VecDeque::pop_front);
            let reply = match &failure {
                Some(failure) if !failure.processed => failure.reply(),
                Some(failure) => {
                    self.process(state, &asked, call);
                    failure.reply()
                }
                None => self.process(state, &asked, call),
            };
            state.calls.push(seen(call, asked, &reply));
            reply
        })
    }

    /// What goes wrong with the next call of a kind that nothing else was set for.
    pub fn fail_next(&self, call: Call, failure: Failure) {
        self.change(|state| state.faults.entry(call).or_default().push_back(failure));
    }

    pub fn calls(&self) -> Vec<SeenCall> {
        self.look(|state| state.calls.clone())
    }

    pub fn count(&self, call: Call) -> usize {
        self.look(|state| state.calls.iter().filter(|seen| seen.call == call).count())
    }

    /// A token that may do what `scopes` say, until a second since 1970.
    pub fn allow(&self, token: &str, scopes: &str, expires_at: Option<u64>) {
        self.change(|state| state.access.allow(token, scopes, expires_at));
    }

    /// What comes back when a person consents.
    pub fn new_code(&self) -> String {
        self.change(|state| state.access.new_code(ALL_SCOPES))
    }

    /// `x-signature` of a body.
    pub fn signature(&self, body: &[u8]) -> String {
        let key = self.settings.client_secret.expose_secret().as_bytes();
        let mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
        STANDARD.encode(mac.chain_update(body).finalize().into_bytes())
    }

    /// The next webhook that waits to be sent; it will not come again.
    pub fn next_webhook(&self) -> Option<String> {
        locked(&self.state).webhooks.pop_front()
    }

    /// Told of every change.
    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    pub(super) fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&locked(&self.state))
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut locked(&self.state));
        self.changed.send_replace(());
        changed
    }

    fn process(&self, state: &mut State, asked: &Asked, call: Call) -> Reply {
        let now = (self.settings.now)();
        if call == Call::OAuth {
            return state
                .access
                .exchange(asked, &self.settings, TOKEN_LIVES, now);
        }
        let token = match state.access.token(asked, now) {
            Ok(token) => token,
            Err(refusal) => return Reply::of(Err(refusal)),
        };
        let (headers, is_over) = state
            .access
            .count(&token, self.settings.calls_per_hour, now);
        if is_over {
            return Reply::of(Err(Refusal(400, "rate_limit_reached"))).with(headers);
        }
        Reply::of(self.done(state, asked, call, &token)).with(headers)
    }

    fn done(&self, state: &mut State, asked: &Asked, call: Call, token: &str) -> Answered {
        let settings = &self.settings;
        if asked.segments.first() != Some(&settings.account_id) {
            return Err(NOT_FOUND);
        }
        state.access.check_scopes(token, scopes(call))?;
        let at = |index: usize| {
            asked
                .segments
                .get(index)
                .map(String::as_str)
                .unwrap_or_default()
        };
        match call {
            Call::ReadHandover | Call::HandOver | Call::HandBack => {
                handover::answer(state, settings, &asked.method, at(3), at(4))
            }
            Call::ReadContact => contact::read(state, asked, at(3), at(4)),
            Call::EditContact => contact::edit(state, asked, at(3), at(4)),
            Call::Publish => publisher::add(state, settings, asked),
            Call::ReadPublished => Ok(publisher::list(state)),
            Call::ReadInbox => inbox::list(state, settings, asked, token),
            Call::OAuth | Call::Other => Err(NOT_FOUND),
        }
    }
}

fn scopes(call: Call) -> &'static [&'static str] {
    match call {
        Call::ReadHandover | Call::HandOver | Call::HandBack => &["accounts_handover"],
        Call::EditContact => &["accounts_read", "accounts_write"],
        Call::Publish => &["accounts_write"],
        _ => &["accounts_read"],
    }
}

fn seen(call: Call, asked: Asked, reply: &Reply) -> SeenCall {
    let secret = |name: &str| name.contains("token") || name.contains("secret") || name == "code";
    let fields = if asked.form.is_empty() {
        asked.query
    } else {
        asked.form
    };
    SeenCall {
        call,
        method: asked.method,
        path: format!("/{}", asked.segments.join("/")),
        fields: fields
            .into_iter()
            .filter(|(name, _)| !secret(name))
            .collect(),
        status: match reply {
            Reply::Answer { status, .. } => Some(*status),
            Reply::Silent | Reply::Reset => None,
        },
    }
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Platform")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
