//! Who sends webhooks: one agent for each scheme, and each source that signs, with code that shares nothing with the
//! server's.

use std::{
    fs,
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha1::Sha1;
use sha2::Sha256;
use tempfile::TempDir;

use crate::support::{
    http::Connection,
    server::{BOT, TestServer, Wishes},
    webhook::says_as,
};

const SECRET: &str = "0123456789abcdefghijklmnopqrstuv";
const PHONE: &str = "1906385232743451";

/// A webhook on its way.
pub struct Request {
    path: String,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The proof stands in the path, not in a header.
    in_path: bool,
    proof_header: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    UrlToken,
    StaticHeader,
    HmacHex,
    HmacTimed,
    Support,
    Standard,
    Messenger,
    Whatsapp,
    SocialConnect,
    HelpScout,
    Connector,
}

/// A server with all of them.
pub struct Stage {
    pub server: TestServer,
    _secrets: TempDir,
}

/// A connection that is opened again when the server closes it.
pub struct Kept {
    to: std::net::SocketAddr,
    open: Option<Connection>,
}

impl Sender {
    pub const ALL: [Self; 11] = [
        Self::UrlToken,
        Self::StaticHeader,
        Self::HmacHex,
        Self::HmacTimed,
        Self::Support,
        Self::Standard,
        Self::Messenger,
        Self::Whatsapp,
        Self::SocialConnect,
        Self::HelpScout,
        Self::Connector,
    ];

    /// Each of its webhooks here is one message, with an id by which a repeat is known.
    pub fn tells_messages(self) -> bool {
        !matches!(self, Self::HelpScout | Self::Connector)
    }

    pub fn proves_by_header(self) -> bool {
        self != Self::UrlToken
    }

    pub fn signs(self) -> bool {
        !matches!(self, Self::UrlToken | Self::StaticHeader)
    }

    pub fn time_header(self) -> Option<&'static str> {
        match self {
            Self::HmacTimed => Some("x-timestamp"),
            Self::Support => Some("x-zendesk-webhook-signature-timestamp"),
            Self::Standard => Some("webhook-timestamp"),
            _ => None,
        }
    }

    pub fn proof_header(self) -> &'static str {
        match self {
            Self::UrlToken => "",
            Self::StaticHeader => "x-shared-secret",
            Self::HmacHex | Self::HmacTimed | Self::SocialConnect => "x-signature",
            Self::Support => "x-zendesk-webhook-signature",
            Self::Standard => "webhook-signature",
            Self::Messenger | Self::Whatsapp => "x-hub-signature-256",
            Self::HelpScout => "x-helpscout-signature",
            Self::Connector => "x-liveperson-signature",
        }
    }

    /// What stands before the proof.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::HmacHex | Self::Messenger | Self::Whatsapp => "sha256=",
            Self::Standard => "v1,",
            Self::Connector => "sha1=",
            _ => "",
        }
    }

    /// A genuine webhook: `text` in `conversation`, under this id.
    pub fn request(self, conversation: &str, id: &str, text: &str) -> Request {
        self.made(SECRET, 0, conversation, id, text)
    }

    pub fn made_with(self, secret: &str, conversation: &str, id: &str, text: &str) -> Request {
        self.made(secret, 0, conversation, id, text)
    }

    pub fn signed_at(self, seconds: i64) -> Request {
        self.made(SECRET, seconds, "F", "f", "forged")
    }

    fn made(self, secret: &str, later: i64, conversation: &str, id: &str, text: &str) -> Request {
        let body = self.body(conversation, id, text).into_bytes();
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("after 1970");
        let now = i64::try_from(now.as_secs()).expect("small") + later;
        let time = now.to_string();
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        if let Some(name) = self.time_header() {
            headers.push((name.to_owned(), time.clone()));
        }
        let webhook_id = format!("msg_{id}");
        let before: Vec<&str> = match self {
            Self::HmacTimed => vec![&time, "."],
            Self::Support => vec![&time],
            Self::Standard => vec![&webhook_id, ".", &time, "."],
            _ => vec![],
        };
        let signed = [before.concat().as_bytes(), &body].concat();
        let mac = sha256(secret.as_bytes(), &signed);
        let proof = match self {
            Self::UrlToken | Self::StaticHeader => secret.to_owned(),
            Self::HmacHex | Self::Messenger | Self::Whatsapp => format!("sha256={}", hex(&mac)),
            Self::HmacTimed | Self::Support | Self::SocialConnect => STANDARD.encode(mac),
            Self::Standard => format!("v1,{}", STANDARD.encode(mac)),
            Self::HelpScout => STANDARD.encode(sha1(secret.as_bytes(), &signed)),
            Self::Connector => {
                format!("sha1={}", STANDARD.encode(sha1(secret.as_bytes(), &signed)))
            }
        };
        if self == Self::Standard {
            headers.push(("webhook-id".to_owned(), webhook_id));
        }
        if self == Self::HelpScout {
            headers.push(("x-helpscout-event".to_owned(), "convo.moved".to_owned()));
        }
        let in_path = self == Self::UrlToken;
        let mut path = self.path();
        if in_path {
            path = format!("{path}/{proof}");
        } else {
            headers.push((self.proof_header().to_owned(), proof));
        }
        Request {
            path,
            headers,
            body,
            in_path,
            proof_header: self.proof_header(),
        }
    }

    fn path(self) -> String {
        match self {
            Self::Messenger => "/sources/page".to_owned(),
            Self::Whatsapp => "/sources/phone".to_owned(),
            Self::SocialConnect => "/sources/care".to_owned(),
            Self::HelpScout => "/sources/desk".to_owned(),
            Self::Connector => "/sources/live/connector".to_owned(),
            agent => format!("/webhooks/{}", agent.name()),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::UrlToken => "by-token",
            Self::StaticHeader => "by-header",
            Self::HmacHex => "by-hex",
            Self::HmacTimed => "by-time",
            Self::Support => "by-support",
            _ => "by-standard",
        }
    }

    fn body(self, conversation: &str, id: &str, text: &str) -> String {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("after 1970");
        let millis = u64::try_from(now.as_millis()).expect("small");
        let body = match self {
            Self::Messenger => {
                json!({"object": "page", "entry": [{"id": "1082", "time": millis, "messaging": [{
                "sender": {"id": format!("9{}", number(conversation))}, "recipient": {"id": "1082"},
                "timestamp": millis, "message": {"mid": format!("m.{id}"), "text": text}}]}]})
            }
            Self::Whatsapp => {
                json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{
                "field": "messages", "value": {"messaging_product": "whatsapp",
                "metadata": {"display_phone_number": "15550783881", "phone_number_id": PHONE},
                "messages": [{"from": format!("1650{:07}", number(conversation)), "id": format!("wamid.{id}"),
                    "timestamp": (millis / 1000).to_string(), "type": "text", "text": {"body": text}}]}}]}]})
            }
            Self::SocialConnect => json!({"id": format!("m{id}"),
                "permalink": "https://twitter.com/us/status/1", "account_id": "1417", "topic": {"id": "5"},
                "message": {"type": "privatemessage", "title": "", "content": text},
                "source": {"service": "twitter", "application": "web", "url": "https://twitter.com/messages/1"},
                "author": {"id": format!("7{}", number(conversation)), "name": "Ana"}, "contact": {"tags": []}}),
            // Neither tells a message here: what they say of other things is taken as well.
            Self::HelpScout => json!({"id": 10, "text": text}),
            Self::Connector => json!({"type": "ms.Other", "body": {"text": text}}),
            _ => return says_as(&format!("{}-{conversation}", self.name()), id, text),
        };
        body.to_string()
    }
}

/// A number that stands for a name.
fn number(name: &str) -> u64 {
    name.bytes()
        .fold(0, |sum, byte| (sum * 31 + u64::from(byte)) % 1_000_000)
}

impl Request {
    pub fn value(&self, name: &str) -> String {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.remove(name);
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    pub fn remove(&mut self, name: &str) {
        self.headers.retain(|(known, _)| known != name);
    }

    pub fn repeat(&mut self, name: &str) {
        self.headers.push((name.to_owned(), self.value(name)));
    }

    pub fn put_first(&mut self, name: &str, value: &str) {
        self.headers.insert(0, (name.to_owned(), value.to_owned()));
    }

    pub fn change_proof(&mut self, change: impl FnOnce(&mut String)) {
        if self.in_path {
            let (path, token) = self.path.rsplit_once('/').expect("a token");
            let mut token = token.to_owned();
            change(&mut token);
            self.path = format!("{path}/{token}");
        } else {
            let mut proof = self.value(self.proof_header);
            change(&mut proof);
            self.set(self.proof_header, &proof);
        }
    }

    pub fn drop_proof(&mut self) {
        if self.in_path {
            let (path, _) = self.path.rsplit_once('/').expect("a token");
            self.path = path.to_owned();
        } else {
            self.remove(self.proof_header);
        }
    }

    /// Every name in capitals and back, by turns.
    pub fn shout(&mut self) {
        for (name, _) in &mut self.headers {
            let mixed = name.chars().enumerate().map(|(at, c)| {
                if at % 2 == 0 {
                    c.to_ascii_uppercase()
                } else {
                    c
                }
            });
            *name = mixed.collect();
        }
    }
}

impl Stage {
    pub async fn start() -> Self {
        let secrets = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str, text: &str| {
            let path = secrets.path().join(name);
            fs::write(&path, text).expect("a secret can be written");
            format!(r#"{{ file = "{}" }}"#, path.display())
        };
        // A former secret stands before the present one: a rotation that overlaps.
        let both = format!(
            "[{}, {}]",
            at("former", "a-former-secret-of-32-characters"),
            at("secret", SECRET)
        );
        let standard = at("standard", &format!("whsec_{}", STANDARD.encode(SECRET)));
        let one = at("one", SECRET);
        let schemes = [
            (Sender::UrlToken, format!("url_token.tokens = {both}")),
            (
                Sender::StaticHeader,
                format!("static_header = {{ header = \"X-Shared-Secret\", secrets = {both} }}"),
            ),
            (
                Sender::HmacHex,
                format!(
                    "hmac = {{ header = \"x-signature\", prefix = \"sha256=\", secrets = {both} }}"
                ),
            ),
            (
                Sender::HmacTimed,
                format!(
                    "hmac = {{ header = \"x-signature\", encoding = \"base64\", timestamp_header = \"x-timestamp\", \
                 separator = \".\", secrets = {both} }}"
                ),
            ),
            (Sender::Support, format!("zendesk_support.secrets = {both}")),
            (
                Sender::Standard,
                format!("standard_webhooks.secrets = [{standard}]"),
            ),
        ];
        let agents = schemes.map(|(sender, scheme)| {
            let (name, key) = (sender.name(), at(&format!("key-{}", sender.name()), "a-key"));
            format!(
                "[[agents]]\nname = \"{name}\"\ndefault_account = \"{name}\"\n[agents.platform.zendesk]\nbot_id = \"{BOT}\"\n\
                 base_url = \"http://127.0.0.1:9\"\napi_key = {key}\nwebhook.{scheme}\n\
                 [[accounts]]\nname = \"{name}\"\nagent = \"{name}\"\n"
            )
        });
        let public = at(
            "public.pem",
            include_str!("../../../fuzz/secrets/sentinel-public.pem"),
        );
        let sources = sources(&one, &both, &public);
        let end = format!("{}{sources}", agents.concat());
        let server = TestServer::start_with(Wishes {
            end,
            ..Wishes::default()
        })
        .await;
        Self {
            server,
            _secrets: secrets,
        }
    }

    /// A webhook of the agent that believes everybody.
    pub async fn say_the_end(&self) {
        self.server.taken(&says_as("end", "end", "the end")).await;
    }

    pub fn connections(&self, count: usize) -> Vec<Kept> {
        let to = self.server.webhooks;
        (0..count).map(|_| Kept { to, open: None }).collect()
    }
}

impl Kept {
    /// The status of the answer.
    pub async fn send(&mut self, request: &Request) -> u16 {
        // The server closes a connection that it found something odd on: then once more.
        for _ in 0..2 {
            let mut connection = match self.open.take() {
                Some(open) => open,
                None => Connection::open(self.to).await,
            };
            let headers = request.headers.iter();
            let headers: Vec<_> = headers
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            connection
                .post(&request.path, &headers, &request.body)
                .await;
            if let Some(reply) = connection.reply().await {
                if reply.header("connection") != Some("close") {
                    self.open = Some(connection);
                }
                return reply.status;
            }
        }
        panic!("no answer to {}", request.path);
    }
}

/// TOML for every source that signs its webhooks, each with an account of its own.
fn sources(one: &str, both: &str, public: &str) -> String {
    let base = r#"base_url = "http://127.0.0.1:9""#;
    let systems = [
        (
            "page",
            "messenger",
            format!(
                "page_id = \"1082\"\npage_token = {one}\napp_id = \"555\"\napp_secrets = {both}\nverify_tokens = [{one}]\n\
             handover_app_id = \"263902037430900\"\n{base}"
            ),
        ),
        (
            "phone",
            "whatsapp",
            format!(
                "phone_number_id = \"{PHONE}\"\naccess_token = {one}\napp_secrets = {both}\nverify_tokens = [{one}]\n{base}"
            ),
        ),
        (
            "care",
            "social_connect",
            format!(
                "account_id = \"1417\"\noauth_host = \"http://127.0.0.1:9\"\nclient_id = \"app\"\nclient_secret = {one}\n\
             token = {one}\nownership = \"tag\"\n{base}"
            ),
        ),
        (
            "live",
            "live_person",
            format!(
                "account_id = \"le12345\"\nbots = [\"5809777a-e548-4bd2-bc5f-a1003c132a28\"]\npublic_keys = [{public}]\n\
             default_skill = \"Humans\"\nconnector_secrets = {both}\nconnector_own_ids = [\"bot-1\"]"
            ),
        ),
        (
            "desk",
            "help_scout",
            format!(
                "app_id = \"app\"\napp_secret = {one}\nwebhook_secrets = {both}\nbot_user_id = 42\n{base}"
            ),
        ),
    ];
    let each = systems.map(|(name, system, settings)| {
        format!(
            "[[sources]]\nname = \"{name}\"\n[sources.system.{system}]\n{settings}\n\
             [[accounts]]\nname = \"{name}\"\nagent = \"by-hex\"\nsource = \"{name}\"\nupstream_prefix = \"{name}-\"\n"
        )
    });
    each.concat()
}

fn sha256(key: &[u8], signed: &[u8]) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    mac.chain_update(signed).finalize().into_bytes().to_vec()
}

fn sha1(key: &[u8], signed: &[u8]) -> Vec<u8> {
    let mac = Hmac::<Sha1>::new_from_slice(key).expect("any length");
    mac.chain_update(signed).finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}
