//! Facebook as far as a page's conversations go: it keeps who owns each and when its visitor spoke, enforces tokens,
//! ownership, windows and limits, and signs what it tells. Stands on nothing but the fake server beside it.

use std::{
    collections::{HashMap, HashSet},
    fmt::Write,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::fake_server::{Behaviour, FakeServer, Request};

pub const PAGE: &str = "100200300400500";
/// The agent's app: the default one.
pub const APP: &str = "611000000000001";
pub const SOCIAL_CONNECT: &str = "622000000000002";
pub const INBOX: &str = "263902037430900";
pub const TOKEN: &str = "page-token-5ecret";
pub const APP_SECRET: &str = "app-5ecret";
pub const VERIFY_TOKEN: &str = "verify-token-5ecret";

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const LONGEST_CONTROL_S: i64 = 604_800;

/// The platform's state; clones share it.
#[derive(Clone)]
pub struct FakeMessenger(Arc<Mutex<State>>);

struct State {
    token: String,
    /// Where its clock stands; absent: it runs.
    standing_ms: Option<i64>,
    /// Milliseconds by which it was moved.
    moved_ms: i64,
    threads: HashMap<String, Thread>,
    /// Whoever is spoken to has just spoken, as if this were a page with every visitor in the world.
    knows_everybody: bool,
    limited: HashSet<String>,
    blocked: HashSet<String>,
    human_agent: bool,
    /// Without a default application nobody may take.
    has_default: bool,
    calls: Vec<Call>,
}

#[derive(Default)]
struct Thread {
    owner: Option<String>,
    control_until_ms: i64,
    spoke_ms: i64,
    shown: Vec<Value>,
}

/// A call as it came.
#[derive(Debug, Clone)]
pub struct Call {
    pub edge: String,
    pub psid: String,
    /// Null for a reading one.
    pub body: Value,
    pub succeeded: bool,
}

/// HTTP status, code, subcode.
type Fault = (u16, i64, i64);

const TOKEN_INVALID: Fault = (400, 190, 463);
const NOT_OWNER: Fault = (400, 10, 2_018_300);
const WINDOW_CLOSED: Fault = (400, 10, 2_018_278);
const TAG_WINDOW_CLOSED: Fault = (400, 10, 2_018_065);
const NOT_APPROVED: Fault = (403, 200, 2_018_028);
const UNREACHABLE: Fault = (400, 551, 1_545_041);
const NO_SUCH_USER: Fault = (400, 100, 2_018_001);
const NO_SUCH_OBJECT: Fault = (404, 100, 33);
const WRONG_APP: Fault = (400, 100, 2_018_164);
const NO_ROLE: Fault = (400, 2_018_171, 0);
const BOTH_MESSAGE_AND_ACTION: Fault = (400, 100, 2_018_014);
const TOO_FAST: Fault = (400, 613, 2_018_338);
const INVALID: Fault = (400, 100, 0);

impl FakeMessenger {
    /// Its clock is the machine's.
    pub fn running() -> Self {
        Self::with_clock(None)
    }

    /// Its clock stands.
    pub fn at(milliseconds: i64) -> Self {
        Self::with_clock(Some(milliseconds))
    }

    fn with_clock(standing_ms: Option<i64>) -> Self {
        Self(Arc::new(Mutex::new(State {
            token: TOKEN.to_owned(),
            standing_ms,
            moved_ms: 0,
            threads: HashMap::new(),
            knows_everybody: false,
            limited: HashSet::new(),
            blocked: HashSet::new(),
            human_agent: false,
            has_default: true,
            calls: Vec::new(),
        })))
    }

    /// Its end of the API.
    pub async fn server(&self) -> FakeServer {
        let state = self.clone();
        FakeServer::answering(move |request| state.lock().answer(request)).await
    }

    pub fn know_everybody(&self) {
        self.lock().knows_everybody = true;
    }

    /// Moves its clock on.
    pub fn pass_time(&self, by: Duration) {
        self.lock().moved_ms += i64::try_from(by.as_millis()).expect("a short time");
    }

    /// Any other token is refused from now on.
    pub fn accept_token(&self, token: &str) {
        token.clone_into(&mut self.lock().token);
    }

    /// Messages to this visitor come too fast, until told otherwise.
    pub fn limit(&self, psid: &str, limited: bool) {
        let limits = &mut self.lock().limited;
        if limited {
            limits.insert(psid.to_owned());
        } else {
            limits.remove(psid);
        }
    }

    /// This visitor wants no messages of the page any more.
    pub fn block(&self, psid: &str) {
        self.lock().blocked.insert(psid.to_owned());
    }

    /// The feature Human Agent is approved.
    pub fn approve_human_agent(&self) {
        self.lock().human_agent = true;
    }

    /// The page has no default application any more.
    pub fn remove_default(&self) {
        self.lock().has_default = false;
    }

    /// Who owns the conversation; absent while it is idle.
    pub fn owner(&self, psid: &str) -> Option<String> {
        self.lock().owner(psid)
    }

    /// When control ends, in milliseconds since 1970.
    pub fn control_until(&self, psid: &str) -> i64 {
        self.lock().threads[psid].control_until_ms
    }

    /// What the visitor was shown by our app, in order: the `message` of each call.
    pub fn shown(&self, psid: &str) -> Vec<Value> {
        let state = self.lock();
        state
            .threads
            .get(psid)
            .map(|thread| thread.shown.clone())
            .unwrap_or_default()
    }

    /// All calls so far, failed ones too.
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.clone()
    }

    /// Calls to one edge.
    pub fn calls_to(&self, edge: &str) -> Vec<Call> {
        let calls = self.calls().into_iter();
        calls.filter(|call| call.edge == edge).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the platform tells our app: bodies of webhooks.
impl FakeMessenger {
    /// The visitor writes: what our app hears of it depends on who owns the conversation.
    pub fn says(&self, psid: &str, mid: &str, text: &str) -> String {
        self.hears(psid, json!({ "message": { "mid": mid, "text": text } }))
    }

    /// The visitor sends something that is no text.
    pub fn sends(&self, psid: &str, mid: &str, kind: &str) -> String {
        let attachment = json!({ "type": kind, "payload": { "url": "https://cdn.example/x" } });
        self.hears(
            psid,
            json!({ "message": { "mid": mid, "attachments": [attachment] } }),
        )
    }

    /// The visitor taps a quick reply.
    pub fn chooses(&self, psid: &str, mid: &str, title: &str, payload: &str) -> String {
        let quick_reply = json!({ "payload": payload });
        self.hears(
            psid,
            json!({ "message": { "mid": mid, "text": title, "quick_reply": quick_reply } }),
        )
    }

    /// The visitor taps a button of our app: our app is told, whoever owns the conversation.
    pub fn taps(&self, psid: &str, mid: &str, title: &str, payload: &str) -> String {
        self.lock().speaks(psid);
        let postback = json!({ "mid": mid, "title": title, "payload": payload });
        self.update(psid, "messaging", json!({ "postback": postback }))
    }

    /// The visitor taps a button of another app.
    pub fn taps_elsewhere(&self, psid: &str, mid: &str, title: &str) -> String {
        self.lock().speaks(psid);
        self.update(
            psid,
            "standby",
            json!({ "postback": { "mid": mid, "title": title } }),
        )
    }

    /// Somebody wrote to the visitor: an app, or without one a human in the page's inbox.
    pub fn echoes(&self, psid: &str, mid: &str, app: Option<&str>, text: &str) -> String {
        let mut message = json!({ "mid": mid, "is_echo": true, "text": text });
        if let Some(app) = app {
            message["app_id"] = app.parse::<u64>().expect("digits").into();
        }
        let ours = self.owner(psid).is_none_or(|owner| owner == APP);
        let array = if ours { "messaging" } else { "standby" };
        let at = self.lock().now();
        envelope(
            array,
            &[json!({
                "sender": { "id": PAGE }, "recipient": { "id": psid }, "timestamp": at, "message": message,
            })],
        )
    }

    /// Control passes to `app`, as its owner wishes.
    pub fn passes(&self, psid: &str, app: &str) -> String {
        self.changes(psid, app, "pass_thread_control")
    }

    /// `app` takes control.
    pub fn takes(&self, psid: &str, app: &str) -> String {
        self.changes(psid, app, "take_thread_control")
    }

    fn changes(&self, psid: &str, app: &str, edge: &str) -> String {
        let before = self.owner(psid);
        self.lock().give(psid, app);
        let change = json!({
            "previous_owner_app_id": before, "new_owner_app_id": app, "metadata": "{}",
        });
        self.update(psid, "messaging", json!({ edge: change }))
    }

    /// `app` asks our app for the conversation.
    pub fn requests(&self, psid: &str, app: &str) -> String {
        let request = json!({ "requested_owner_app_id": app, "metadata": "" });
        self.update(
            psid,
            "messaging",
            json!({ "request_thread_control": request }),
        )
    }

    /// The roles of apps on the page. In the platform's own example the recipient is a visitor.
    pub fn tells_role(&self, role: &str) -> String {
        let at = self.lock().now();
        let update = json!({
            "recipient": { "id": "PSID" }, "timestamp": at, "app_roles": { APP: [role] },
        });
        envelope("messaging", &[update])
    }

    /// What was delivered to the visitor.
    pub fn delivers(&self, psid: &str, mids: &[&str]) -> String {
        let delivery = json!({ "mids": mids, "watermark": 1 });
        self.update(psid, "messaging", json!({ "delivery": delivery }))
    }

    /// An update of any kind.
    pub fn update(&self, psid: &str, array: &str, about: Value) -> String {
        envelope(array, &[self.item(psid, about)])
    }

    /// One update, to be put into an envelope.
    pub fn item(&self, psid: &str, mut about: Value) -> Value {
        about["sender"] = json!({ "id": psid });
        about["recipient"] = json!({ "id": PAGE });
        about["timestamp"] = self.lock().now().into();
        about
    }

    fn hears(&self, psid: &str, about: Value) -> String {
        let owner = self.lock().speaks(psid);
        let array = if owner == APP { "messaging" } else { "standby" };
        self.update(psid, array, about)
    }
}

/// Updates in their envelope, as the platform posts them.
pub fn envelope(array: &str, updates: &[Value]) -> String {
    json!({ "object": "page", "entry": [entry(array, updates)] }).to_string()
}

pub fn entry(array: &str, updates: &[Value]) -> Value {
    json!({ "id": PAGE, "time": 1_458_692_752_478_i64, array: updates })
}

/// The value of `X-Hub-Signature-256` for these bytes.
pub fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
    mac.update(body);
    let digest = mac.finalize().into_bytes();
    let mut signature = "sha256=".to_owned();
    for byte in digest {
        write!(signature, "{byte:02x}").expect("a string takes all");
    }
    signature
}

impl State {
    fn now(&self) -> i64 {
        let running = || {
            let since = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .expect("after 1970");
            i64::try_from(since.as_millis()).expect("a time")
        };
        self.standing_ms.unwrap_or_else(running) + self.moved_ms
    }

    fn owner(&self, psid: &str) -> Option<String> {
        let thread = self.threads.get(psid)?;
        let owner = thread.owner.clone();
        owner.filter(|_| thread.control_until_ms > self.now())
    }

    /// The visitor speaks: what is idle becomes the default application's.
    fn speaks(&mut self, psid: &str) -> String {
        let owner = self.owner(psid).unwrap_or_else(|| APP.to_owned());
        self.give(psid, &owner);
        let now = self.now();
        self.threads.entry(psid.to_owned()).or_default().spoke_ms = now;
        owner
    }

    fn give(&mut self, psid: &str, app: &str) {
        let until = self.now() + DAY_MS;
        let thread = self.threads.entry(psid.to_owned()).or_default();
        thread.owner = Some(app.to_owned());
        thread.control_until_ms = until;
    }

    fn answer(&mut self, request: &Request) -> Behaviour {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let edge = path.rsplit('/').next().unwrap_or_default().to_owned();
        let psid = body["recipient"]["id"].as_str();
        let psid = psid
            .or(query.strip_prefix("recipient="))
            .unwrap_or_default()
            .to_owned();
        if self.knows_everybody && !self.threads.contains_key(&psid) {
            self.speaks(&psid);
        }
        let outcome = self
            .checked(request, path, &psid)
            .and_then(|()| match edge.as_str() {
                "messages" => self.message(&psid, &body),
                "thread_owner" => Ok(self.thread_owner(&psid)),
                _ => self.control(&edge, &psid, &body),
            });
        self.calls.push(Call {
            edge,
            psid,
            body,
            succeeded: outcome.is_ok(),
        });
        match outcome {
            Ok(answer) => Behaviour::answer(200, &answer.to_string()),
            Err((status, code, subcode)) => {
                // Its words repeat what nobody may see.
                let error = json!({
                    "message": format!("(#{code}) {TOKEN}: my words"), "type": "OAuthException",
                    "code": code, "error_subcode": subcode, "fbtrace_id": "Abc",
                });
                Behaviour::answer(status, &json!({ "error": error }).to_string())
            }
        }
    }

    /// Who calls, and about whom.
    fn checked(&self, request: &Request, path: &str, psid: &str) -> Result<(), Fault> {
        let authorization = request.headers.get("authorization");
        let expected = format!("Bearer {}", self.token);
        if authorization.is_none_or(|given| given.as_bytes() != expected.as_bytes()) {
            return Err(TOKEN_INVALID);
        }
        if path.split('/').nth(2) != Some(PAGE) {
            return Err(NO_SUCH_OBJECT);
        }
        if !self.threads.contains_key(psid) {
            return Err(NO_SUCH_USER);
        }
        Ok(())
    }

    fn message(&mut self, psid: &str, body: &Value) -> Result<Value, Fault> {
        if body.get("message").is_some() == body.get("sender_action").is_some() {
            return Err(BOTH_MESSAGE_AND_ACTION);
        }
        if self.limited.contains(psid) {
            return Err(TOO_FAST);
        }
        if self.blocked.contains(psid) {
            return Err(UNREACHABLE);
        }
        self.may_speak(psid)?;
        self.in_window(psid, body)?;
        let message = &body["message"];
        if !message.is_null() {
            check_message(message)?;
        }
        let control = &body["thread_control"];
        let to = match control["control_type"].as_str() {
            None => None,
            Some("pass") => Some(known_app(control["app_id"].as_str().unwrap_or(APP))?),
            Some("release") => Some(""),
            Some(_) => return Err(INVALID),
        };
        match to {
            None => self.give(psid, APP),
            Some("") => self.release(psid),
            Some(app) => self.give(psid, app),
        }
        let thread = self.threads.entry(psid.to_owned()).or_default();
        thread.shown.push(message.clone());
        let id = format!("m_out_{psid}_{}", thread.shown.len());
        Ok(json!({ "recipient_id": psid, "message_id": id }))
    }

    /// The owner, and the default application while nobody owns it.
    fn may_speak(&self, psid: &str) -> Result<(), Fault> {
        match self.owner(psid) {
            Some(owner) if owner != APP => Err(NOT_OWNER),
            _ => Ok(()),
        }
    }

    fn in_window(&self, psid: &str, body: &Value) -> Result<(), Fault> {
        let age = self.now() - self.threads[psid].spoke_ms;
        match (body["messaging_type"].as_str(), body["tag"].as_str()) {
            (Some("RESPONSE" | "UPDATE"), None) if age <= DAY_MS => Ok(()),
            (Some("RESPONSE" | "UPDATE"), None) => Err(WINDOW_CLOSED),
            (Some("MESSAGE_TAG"), Some("HUMAN_AGENT")) if !self.human_agent => Err(NOT_APPROVED),
            (Some("MESSAGE_TAG"), Some("HUMAN_AGENT")) if age <= 7 * DAY_MS => Ok(()),
            (Some("MESSAGE_TAG"), Some("HUMAN_AGENT")) => Err(TAG_WINDOW_CLOSED),
            _ => Err(INVALID),
        }
    }

    fn control(&mut self, edge: &str, psid: &str, body: &Value) -> Result<Value, Fault> {
        let metadata = &body["metadata"];
        let fits = metadata
            .as_str()
            .is_some_and(|text| text.chars().count() <= 1000);
        if !metadata.is_null() && !fits {
            return Err(INVALID);
        }
        match edge {
            "pass_thread_control" => {
                self.may_speak(psid)?;
                let target = body["target_app_id"].as_str().ok_or(INVALID)?;
                self.give(psid, known_app(target)?);
            }
            "take_thread_control" if !self.has_default => return Err(NO_ROLE),
            "take_thread_control" => self.give(psid, APP),
            "request_thread_control" => {}
            "release_thread_control" => {
                self.may_speak(psid)?;
                self.release(psid);
            }
            "extend_thread_control" => {
                self.may_speak(psid)?;
                let seconds = body["duration"]
                    .as_i64()
                    .filter(|s| (1..=LONGEST_CONTROL_S).contains(s));
                let until = self.now() + seconds.ok_or(INVALID)? * 1000;
                self.threads
                    .entry(psid.to_owned())
                    .or_default()
                    .control_until_ms = until;
            }
            _ => return Err(NO_SUCH_OBJECT),
        }
        Ok(json!({ "success": true }))
    }

    fn release(&mut self, psid: &str) {
        if let Some(thread) = self.threads.get_mut(psid) {
            thread.owner = None;
        }
    }

    /// The default application is told everything, others only until when somebody else owns it.
    fn thread_owner(&self, psid: &str) -> Value {
        let until = self.threads[psid].control_until_ms / 1000;
        match self.owner(psid) {
            None => json!({ "data": [] }),
            Some(owner) if self.has_default || owner == APP => {
                json!({ "data": [{ "thread_owner": { "app_id": owner, "expiration": until } }] })
            }
            Some(_) => json!({ "data": [{ "thread_owner": { "expiration": until } }] }),
        }
    }
}

fn known_app(app: &str) -> Result<&str, Fault> {
    [APP, SOCIAL_CONNECT, INBOX]
        .contains(&app)
        .then_some(app)
        .ok_or(WRONG_APP)
}

fn check_message(message: &Value) -> Result<(), Fault> {
    let attachment = &message["attachment"];
    let payload = &attachment["payload"];
    let replies = message["quick_replies"].as_array();
    let fits = match (message["text"].as_str(), attachment["type"].as_str()) {
        (Some(text), None) => is_text(text, 2000),
        (None, Some("template")) => match payload["template_type"].as_str() {
            Some("button") => {
                let text = payload["text"].as_str();
                text.is_some_and(|text| is_text(text, 640)) && are_buttons(&payload["buttons"], 1)
            }
            Some("generic") => are_elements(&payload["elements"]),
            _ => false,
        },
        _ => false,
    };
    let replies_fit = replies.is_none_or(|replies| {
        (1..=13).contains(&replies.len())
            && replies.iter().all(|reply| {
                reply["content_type"] == "text" && is_choice(&reply["title"], &reply["payload"])
            })
    });
    let metadata_fits = message["metadata"]
        .as_str()
        .is_none_or(|text| text.len() <= 1000);
    (fits && replies_fit && metadata_fits)
        .then_some(())
        .ok_or(INVALID)
}

fn is_text(text: &str, most: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= most
}

fn is_choice(title: &Value, payload: &Value) -> bool {
    title.as_str().is_some_and(|title| is_text(title, 20))
        && payload
            .as_str()
            .is_some_and(|payload| is_text(payload, 1000))
}

fn are_buttons(buttons: &Value, least: usize) -> bool {
    let is_button = |button: &Value| match button["type"].as_str() {
        Some("postback") => is_choice(&button["title"], &button["payload"]),
        Some("web_url") => is_choice(&button["title"], &button["url"]),
        _ => false,
    };
    let none = Vec::new();
    let buttons = buttons.as_array().unwrap_or(&none);
    (least..=3).contains(&buttons.len()) && buttons.iter().all(is_button)
}

/// A card needs something beside its title.
fn are_elements(elements: &Value) -> bool {
    let is_element = |element: &Value| {
        let names = ["subtitle", "image_url", "buttons", "default_action"];
        element["title"]
            .as_str()
            .is_some_and(|title| is_text(title, 80))
            && element.get("subtitle").is_none_or(|subtitle| {
                subtitle
                    .as_str()
                    .is_some_and(|subtitle| is_text(subtitle, 80))
            })
            && are_buttons(&element["buttons"], 0)
            && names.iter().any(|name| element.get(name).is_some())
    };
    let elements = elements.as_array();
    elements.is_some_and(|elements| {
        (1..=10).contains(&elements.len()) && elements.iter().all(is_element)
    })
}
