//! `POST /data-export/v3/get-signed-urls`, and the store that its addresses lead to.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use serde_json::{Value as Json, json};

use super::asked::{
    Asked, Refusal, Work, authorise_organization, bad, object, text_of, unauthorized,
};
use super::bot::RunningBot;
use super::clock::Moment;
use super::conversation::new_id;
use super::locked;
use super::recorder::SeenRequest;
use super::requests::{record, refused};
use super::simulator::Simulator;
use super::world::World;

/// How long an address holds that nobody gave a time: a day.
const LIFE: Duration = Duration::from_hours(24);

/// What a request for files says.
pub(super) struct Wish {
    date: String,
    life: Duration,
    /// Under which name the caller knows this machine.
    host: String,
}

/// What can be fetched.
#[derive(Debug, Default)]
pub(super) struct Exports {
    /// By bot and day: names and contents.
    days: HashMap<(String, String), Vec<(String, Bytes)>>,
    /// By signature.
    signed: HashMap<String, Signed>,
}

#[derive(Debug)]
struct Signed {
    name: String,
    content: Bytes,
    until: Moment,
}

pub(super) fn check(world: &World, request: &SeenRequest) -> Result<Asked, Refusal> {
    if request.header("organizationid").is_none() {
        return Err(unauthorized("the header organizationid is missing"));
    }
    let bot = authorise_organization(world, &request.headers)?;
    let body = object(request)?;
    let date = text_of(&body, "date")?.ok_or_else(|| bad("date is required"))?;
    if humantime::parse_rfc3339(&format!("{date}T00:00:00Z")).is_err() {
        return Err(bad("date must be written as in 2026-09-29"));
    }
    let life = match body.get("ttl") {
        None | Some(Json::Null) => LIFE,
        Some(minutes) => match minutes
            .as_u64()
            .and_then(|minutes| u32::try_from(minutes).ok())
        {
            Some(minutes) if minutes > 0 => Duration::from_mins(minutes.into()),
            _ => return Err(bad("ttl must be a whole number of minutes from 1")),
        },
    };
    let host = request.header(HOST.as_str()).unwrap_or_default().to_owned();
    Ok(Asked::new(bot, Work::Files(Wish { date, life, host })))
}

impl World {
    /// New addresses of the day's files; 404 where there are none.
    pub(super) fn sign(
        &self,
        bot: &RunningBot,
        wish: &Wish,
        at: Moment,
    ) -> Result<Response, Refusal> {
        let files = self.files(bot, &wish.date);
        if files.is_empty() {
            let message = "there is no export of that day".to_owned();
            return Err(Refusal(StatusCode::NOT_FOUND, message));
        }
        let mut exports = locked(&self.exports);
        let url = |(name, content): (String, Bytes)| {
            let signature = new_id();
            let url = format!("http://{}/exports/{name}?signature={signature}", wish.host);
            let until = at + wish.life;
            let signed = Signed {
                name,
                content,
                until,
            };
            exports.signed.insert(signature, signed);
            url
        };
        let urls: Vec<_> = files.into_iter().map(url).collect();
        let body = json!({"date": wish.date, "urls": urls}).to_string();
        Ok(([(CONTENT_TYPE, "application/json")], body).into_response())
    }

    /// What was put there, or else for today one file that tells of the conversations there were.
    fn files(&self, bot: &RunningBot, date: &str) -> Vec<(String, Bytes)> {
        let key = (bot.id().to_owned(), date.to_owned());
        if let Some(files) = locked(&self.exports).days.get(&key) {
            return files.clone();
        }
        let today = humantime::format_rfc3339(SystemTime::now()).to_string();
        let records = self.records(bot.id());
        if !today.starts_with(date) || records.is_empty() {
            return Vec::new();
        }
        let name = format!("conversation_{}_{date}_000000000000.json", bot.id());
        vec![(name, records.into())]
    }

    /// One line for each conversation.
    fn records(&self, bot: &str) -> String {
        let conversations = locked(&self.conversations);
        let mine = conversations.keys().filter(|(of, _)| of == bot);
        let mut ids: Vec<String> = mine.map(|(_, id)| id.clone()).collect();
        drop(conversations);
        ids.sort_unstable();
        let record = |id: String| {
            let view = self.conversation(bot, &id)?;
            let record = json!({
                "conversation_id": view.internal_id, "platform_conversation_id": id, "bot_id": bot,
                "channel": "chat", "test_mode": true,
            });
            Some(format!("{record}\n"))
        };
        ids.into_iter().filter_map(record).collect()
    }
}

/// The store: a signature opens its file, and a key beside it is one too many.
pub(super) async fn download(
    State(world): State<Arc<World>>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let signature = query.strip_prefix("signature=").unwrap_or_default();
    let (answering, request) = match record(&world, request).await {
        Ok(recorded) => recorded,
        Err(Refusal(status, message)) => return refused(status, &message),
    };
    let now = world.clock.now();
    let answer = if request.headers.contains_key(AUTHORIZATION) {
        refused(StatusCode::FORBIDDEN, "the address is enough: show no key")
    } else {
        match locked(&world.exports).signed.get(signature) {
            Some(signed) if signed.name == name && now <= signed.until => {
                ([(CONTENT_TYPE, "application/json")], signed.content.clone()).into_response()
            }
            _ => refused(
                StatusCode::FORBIDDEN,
                "the signature is wrong or has run out",
            ),
        }
    };
    answering.answered(answer.status().as_u16());
    answer
}

impl Simulator {
    /// Puts the files of a day's export there, by name and content, in place of those before. Names are plain.
    pub fn put_export(&self, bot_id: &str, date: &str, files: &[(&str, &str)]) {
        let owned = |(name, content): &(&str, &str)| {
            (
                (*name).to_owned(),
                Bytes::copy_from_slice(content.as_bytes()),
            )
        };
        let files = files.iter().map(owned).collect();
        let key = (bot_id.to_owned(), date.to_owned());
        locked(&self.world().exports).days.insert(key, files);
    }
}
