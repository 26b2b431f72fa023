//! One server and two organisations on it, each with something of every kind.

use std::{fs, sync::Arc};

use hmac::{Hmac, KeyInit, Mac};
use parloir::{app::App, config};
use parloir_client::v1::{
    self, ActionRequested, CreateCallerRequest, ErasePersonalDataRequest,
    ErasePersonalDataResponse, ListContactsRequest, ListContactsResponse, Parameter,
    SendMessageRequest, SendMessageResponse, SubscribeEventsRequest,
    erase_personal_data_request::Subject, event::Body, send_message_request::Content,
    subscribe_events_request::Start,
};
use serde_json::json;
use tempfile::TempDir;
use tonic::transport::Channel;

use super::raw::Caller;
use crate::support::{
    clock::TestClock,
    http::Connection,
    platform::{Behaviour, FakeServer},
    server::BOT,
    webhook,
};

/// The account that both have, each its own.
pub const SHARED: &str = "shop";
/// The conversation that both have there.
pub const COMMON: &str = "c-1";

const APP_SECRET: &str = "app-5ecret-of-the-number";

pub struct Town {
    /// Stops with the test.
    _app: App,
    pub clock: Arc<TestClock>,
    pub acme: Tenant,
    pub bolt: Tenant,
    _folder: TempDir,
}

/// An organisation. Everything that it alone has begins with its name.
pub struct Tenant {
    pub name: &'static str,
    pub caller: Caller,
    pub agent: FakeServer,
    _number: FakeServer,
    pub request_id: String,
    pub contact_id: String,
    pub receipt_id: String,
    /// An event of its own, and a place in the log behind it.
    pub event_id: String,
    pub cursor: String,
}

impl Tenant {
    /// Its agent's name, its source's, and an account's, conversation's and caller's that only it has.
    pub fn own(&self, what: &str) -> String {
        match what {
            "bot" | "wa" => format!("{}.{what}", self.name),
            _ => format!("{}-{what}", self.name),
        }
    }
}

impl Town {
    pub async fn start() -> Self {
        Self::start_with("", "").await
    }

    /// With more TOML for the top and for the end.
    pub async fn start_with(more: &str, end: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (mut text, mut platforms) = (top(&folder) + more, Vec::new());
        for (number, name) in ["acme", "bolt"].into_iter().enumerate() {
            let agent = FakeServer::start().await;
            let whatsapp = FakeServer::answering(|_| sent()).await;
            text += &tenant(&folder, name, number, &agent.url(), &whatsapp.url());
            platforms.push((agent, whatsapp));
        }
        text += end;
        let file = folder.path().join("parloir.toml");
        fs::write(&file, text).expect("written");
        let loaded = config::load(Some(&file), std::iter::empty());
        let config = loaded
            .unwrap_or_else(|problems| panic!("{problems}"))
            .config;
        let clock = Arc::new(TestClock::default());
        let app = App::start_by(&config, Arc::clone(&clock) as _).await;
        let app = app.expect("a server");
        let [acme, bolt] = platforms.try_into().unwrap_or_else(|_| panic!("two"));
        let acme = settle(&app, "acme", 0, acme).await;
        let bolt = settle(&app, "bolt", 1, bolt).await;
        Self {
            _app: app,
            clock,
            acme,
            bolt,
            _folder: folder,
        }
    }
}

fn top(folder: &TempDir) -> String {
    let database = folder.path().join("parloir.db");
    format!(
        r#"
        grpc.listen = "127.0.0.1:0"
        webhooks.listen = "127.0.0.1:0"
        ops.listen = "127.0.0.1:0"
        database.url = "sqlite:{}"
        shutdown.notice = "0s"
        "#,
        database.display()
    )
}

fn key(number: usize) -> String {
    format!("parloir_{}_{}", "ab".repeat(6), "A".repeat(43)).replace('b', ["c", "d"][number])
}

fn tenant(folder: &TempDir, name: &str, number: usize, agent: &str, whatsapp: &str) -> String {
    let secret = |what: &str, text: &str| {
        let path = folder.path().join(format!("{name}-{what}"));
        fs::write(&path, text).expect("written");
        format!("{{ file = \"{}\" }}", path.display())
    };
    let api_key = secret("api-key", &format!("api-key-of-the-agent-of-{name}"));
    let app_secret = secret("app-secret", APP_SECRET);
    let caller_key = secret("caller-key", &key(number));
    format!(
        r#"
        [[agents]]
        name = "{name}.bot"
        default_account = "{SHARED}"
        [agents.platform.zendesk]
        bot_id = "{BOT}"
        base_url = "{agent}"
        api_key = {api_key}

        [[accounts]]
        name = "{SHARED}"
        agent = "{name}.bot"
        source = "{name}.wa"

        [[accounts]]
        name = "{name}-account"
        agent = "{name}.bot"
        upstream_prefix = "own-"

        [[sources]]
        name = "{name}.wa"
        [sources.system.whatsapp]
        phone_number_id = "PN{number}"
        access_token = {app_secret}
        app_secrets = [{app_secret}]
        verify_tokens = [{app_secret}]
        base_url = "{whatsapp}"

        [[callers]]
        name = "{name}-caller"
        tenant = "{name}"
        scopes = ["converse", "subscribe", "respond", "admin"]
        keys = [{caller_key}]
        "#
    )
}

/// Makes one of everything.
async fn settle(
    app: &App,
    name: &'static str,
    number: usize,
    (agent, whatsapp): (FakeServer, FakeServer),
) -> Tenant {
    let endpoint = Channel::from_shared(format!("http://{}", app.grpc())).expect("an address");
    let channel = endpoint.connect().await.expect("a server that listens");
    let caller = Caller {
        channel,
        key: key(number),
    };
    let mut tenant = Tenant {
        name,
        caller,
        agent,
        _number: whatsapp,
        request_id: String::new(),
        contact_id: String::new(),
        receipt_id: String::new(),
        event_id: String::new(),
        cursor: String::new(),
    };
    tenant.says(SHARED, COMMON, "m-1").await;
    let own = tenant.own("conversation");
    tenant.cursor = tenant.says(SHARED, &own, "m-2").await.cursor;
    let account = tenant.own("account");
    tenant.says(&account, &own, "m-3").await;
    tenant.administers().await;
    tenant.erases(&tenant.own("gone")).await;
    tenant.brings_visitor(app, number).await;
    tenant.asks(app).await;
    tenant
}

impl Tenant {
    pub async fn says(&self, account: &str, conversation: &str, id: &str) -> SendMessageResponse {
        let message = SendMessageRequest {
            account: account.to_owned(),
            conversation_id: conversation.to_owned(),
            message_id: id.to_owned(),
            content: Some(Content::Text(format!("words of {}", self.name))),
            parameters: vec![Parameter {
                key: "tier".to_owned(),
                value: format!("value of {}", self.name),
                personal: true,
            }],
            ..SendMessageRequest::default()
        };
        let sent = self.caller.ask("ConversationService/SendMessage", &message);
        sent.await
    }

    /// Makes a caller, which stands in the audit log.
    async fn administers(&self) {
        let create = CreateCallerRequest {
            caller: Some(v1::Caller {
                name: self.own("colleague"),
                scopes: vec![v1::Scope::Converse.into()],
                ..v1::Caller::default()
            }),
        };
        let made = self.caller.ask("AdminService/CreateCaller", &create);
        let _: v1::CreateCallerResponse = made.await;
    }

    async fn erases(&mut self, conversation: &str) {
        self.says(SHARED, conversation, "m-4").await;
        let erase = ErasePersonalDataRequest {
            account: SHARED.to_owned(),
            command_id: "e-1".to_owned(),
            subject: Some(Subject::ConversationId(conversation.to_owned())),
        };
        let method = "ConversationService/ErasePersonalData";
        let erased: ErasePersonalDataResponse = self.caller.ask(method, &erase).await;
        self.receipt_id = erased.erasure.expect("a receipt").receipt_id;
    }

    /// A visitor of the source.
    async fn brings_visitor(&mut self, app: &App, number: usize) {
        let value = json!({
            "messaging_product": "whatsapp",
            "metadata": { "display_phone_number": "1555000", "phone_number_id": format!("PN{number}") },
            "contacts": [{ "profile": { "name": "Ana" }, "wa_id": "32470000001" }],
            "messages": [{
                "from": "32470000001", "id": "wamid.1", "timestamp": now(),
                "type": "text", "text": { "body": format!("words of {}", self.name) },
            }],
        });
        let body = json!({
            "object": "whatsapp_business_account",
            "entry": [{ "id": "WABA", "changes": [{ "field": "messages", "value": value }] }],
        });
        let body = body.to_string();
        let signed = signature(body.as_bytes());
        let path = format!("/sources/{}", self.own("wa"));
        let mut connection = Connection::open(app.webhooks()).await;
        let headers = [("x-hub-signature-256", signed.as_str())];
        connection.post(&path, &headers, body.as_bytes()).await;
        assert_eq!(connection.reply().await.expect("an answer").status, 200);
        let list = ListContactsRequest {
            account: SHARED.to_owned(),
            ..ListContactsRequest::default()
        };
        let listed: ListContactsResponse =
            self.caller.ask("AccountService/ListContacts", &list).await;
        let [contact] = &listed.contacts[..] else {
            panic!("one contact of {}, not {:?}", self.name, listed.contacts)
        };
        self.contact_id.clone_from(&contact.contact_id);
    }

    /// The agent asks for an action, and waits.
    async fn asks(&mut self, app: &App) {
        let wish = SubscribeEventsRequest {
            start: Some(Start::AfterCursor(self.cursor.clone())),
            ..SubscribeEventsRequest::default()
        };
        let mut stream = self.caller.subscribe(&wish).await.expect("a stream");
        let (to, agent) = (app.webhooks(), self.own("bot"));
        let body = webhook::action(COMMON, &format!("action of {}", self.name));
        tokio::spawn(async move { webhook::post(to, &agent, &[], body.as_bytes()).await });
        loop {
            let event = stream.event().await.event.expect("an event");
            if let Some(Body::ActionRequested(ActionRequested { request_id, .. })) = event.body {
                self.request_id = request_id;
                self.event_id = event.event_id;
                return;
            }
        }
    }
}

fn sent() -> Behaviour {
    let sent = json!({
        "messaging_product": "whatsapp", "contacts": [], "messages": [{ "id": "wamid.sent" }],
    });
    Behaviour::answer(200, &sent.to_string())
}

fn signature(body: &[u8]) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(APP_SECRET.as_bytes()).expect("a key");
    mac.update(body);
    let hex: Vec<_> = mac
        .finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("sha256={}", hex.concat())
}

fn now() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.expect("after 1970").as_secs().to_string()
}
