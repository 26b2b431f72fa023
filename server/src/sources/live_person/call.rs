//! What a call of `LivePerson`'s asks for, by its method and address.

use http::{Method, StatusCode};

use super::LivePersonConfig;

/// One of the four calls.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Call<'w> {
    /// Which environments a bot has.
    Environments,
    /// How a bot is.
    State,
    /// A conversation begins.
    Begin { conversation: &'w str },
    /// Something happened in it.
    Event { conversation: &'w str },
}

impl<'w> Call<'w> {
    /// The status tells what is wrong: no such bot, environment or address (404), or another method (405).
    pub(super) fn of(
        method: &Method,
        path: &'w str,
        config: &LivePersonConfig,
    ) -> Result<Self, StatusCode> {
        let steps: Vec<&str> = path.trim_end_matches('/').split('/').collect();
        let ["v1", "bots", bot, "environments", rest @ ..] = steps.as_slice() else {
            return Err(StatusCode::NOT_FOUND);
        };
        let knows = |names: &[String], name: &str| names.iter().any(|known| known == name);
        if !knows(&config.bots, bot)
            || (rest.first()).is_some_and(|name| !knows(&config.environments, name))
        {
            return Err(StatusCode::NOT_FOUND);
        }
        let (call, only) = match *rest {
            [] => (Self::Environments, Method::GET),
            [_, "state"] => (Self::State, Method::GET),
            [_, "conversations", conversation] if is_id(conversation) => {
                (Self::Begin { conversation }, Method::PUT)
            }
            [_, "conversations", conversation, "events"] if is_id(conversation) => {
                (Self::Event { conversation }, Method::POST)
            }
            _ => return Err(StatusCode::NOT_FOUND),
        };
        if *method == only {
            Ok(call)
        } else {
            Err(StatusCode::METHOD_NOT_ALLOWED)
        }
    }
}

/// `LivePerson`'s ids are UUIDs; anything printable is taken, as long as it is no longer than an id of ours may be.
fn is_id(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
