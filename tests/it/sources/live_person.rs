//! Visitors of `LivePerson`, which calls and waits for what the agent says: numbered checks, through the whole service.

use std::{
    fs,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use parloir_client::v1::{
    DeliveryState, EndCause, ErasePersonalDataRequest, Owner, erase_personal_data_request::Subject,
    event::Body,
};
use rustls::{
    SignatureScheme,
    crypto::ring::sign::any_supported_type,
    pki_types::{PrivateKeyDer, pem::PemObject},
    sign::SigningKey,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::{stage::SOURCE, story::Story};
use crate::support::{
    http::{Connection, Reply},
    questions::ask,
    server::{ACCOUNT, TestServer, Wishes},
    webhook::{chat, escalate, says},
};

const BOT: &str = "5809777a-e548-4bd2-bc5f-a1003c132a28";
const FALLBACK: &str = "One moment, please.";
/// Made for tests; nothing else trusts it.
const SENTINEL: &str = include_str!("../../../server/src/sources/live_person/tests/sentinel.pem");

struct Live {
    server: TestServer,
    story: Story,
    _keys: TempDir,
}

impl Live {
    async fn start(own: &str) -> Self {
        let keys = tempfile::tempdir().expect("a temporary folder");
        let file = keys.path().join("sentinel.pub");
        fs::write(&file, public_pem()).expect("a key can be written");
        let file = file.display();
        let gather = if own.contains("gather") {
            ""
        } else {
            "gather = \"20ms\""
        };
        let end = format!(
            r#"
            source = "{SOURCE}"
            [[sources]]
            name = "{SOURCE}"
            [sources.system.live_person]
            account_id = "le12345"
            bots = ["{BOT}"]
            public_keys = [{{ file = "{file}" }}]
            fallback_text = "{FALLBACK}"
            default_skill = "Humans"
            {gather}
            may_answer_within = "0s"
            {own}
            "#
        );
        let server = TestServer::start_with(Wishes {
            end,
            ..Wishes::default()
        });
        let server = server.await;
        Self {
            story: Story::of(&server.client),
            server,
            _keys: keys,
        }
    }

    /// A conversation begins.
    async fn begins(&self, conversation: &str) -> u16 {
        let path = path(&format!("/draft/conversations/{conversation}"));
        let body = json!({ "context": { "type": "MESSAGING" } });
        self.call("PUT", &path, &body).await.expect("a call").status
    }

    /// An event, which is answered when the agent has spoken.
    fn event(&self, conversation: &str, sequence: u64, mut body: Value) -> JoinHandle<Reply> {
        body["context"]["lpEvent"] = json!({
            "sequence": sequence, "serverTimestamp": now().as_secs() * 1000, "conversationId": conversation,
            "dialogId": conversation, "messageAudience": "ALL", "metadata": [],
        });
        let path = path(&format!("/draft/conversations/{conversation}/events"));
        self.call("POST", &path, &body)
    }

    fn call(&self, method: &'static str, path: &str, body: &Value) -> JoinHandle<Reply> {
        let (to, path, body) = (self.server.webhooks, path.to_owned(), body.to_string());
        tokio::spawn(async move {
            let mut connection = Connection::open(to).await;
            let (bearer, length) = (format!("Bearer {}", token()), body.len().to_string());
            let headers = [
                ("authorization", bearer.as_str()),
                ("content-type", "application/json"),
                ("content-length", length.as_str()),
            ];
            connection.head(method, &path, &headers).await;
            connection.write(body.as_bytes()).await.expect("a listener");
            connection.reply().await.expect("an answer")
        })
    }

    /// The visitor of "c1" asks; the agent hears it. The call, and the conversation.
    async fn asks(&mut self, sequence: u64, words: &str) -> (JoinHandle<Reply>, String) {
        let call = self.event("c1", sequence, text(words));
        let conversation = self.story.hears(words).await;
        self.story.comes_to(words, DeliveryState::Delivered).await;
        (call, conversation)
    }
}

fn now() -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("after 1970")
}

fn path(rest: &str) -> String {
    format!("/sources/{SOURCE}/v1/bots/{BOT}/environments{rest}")
}

fn text(words: &str) -> Value {
    json!({ "type": "TEXT", "source": "CONSUMER", "data": { "message": words } })
}

async fn items(call: JoinHandle<Reply>) -> Vec<Value> {
    let reply = call.await.expect("an answer");
    assert_eq!(reply.status, 200, "{}", reply.body);
    let answer: Value = serde_json::from_str(&reply.body).expect("JSON");
    answer["response"].as_array().expect("a list").clone()
}

fn is_text(item: &Value, words: &str) -> bool {
    item["type"] == "TEXT" && item["data"]["message"] == words
}

fn token() -> String {
    let now = now().as_secs();
    let claims = json!({
        "iss": "Sentinel", "aud": "le12345", "scope": "thirdpartybots.customendpoint.bot", "iat": now, "exp": now + 300,
    });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let head = json!({ "alg": "RS256", "typ": "JWT" });
    let signed = format!("{}.{}", part(&head), part(&claims));
    let pen = signing_key().choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]);
    let signature = pen.expect("an RSA key").sign(signed.as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(signature.expect("a signature"));
    format!("{signed}.{signature}")
}

fn public_pem() -> String {
    let public = signing_key().public_key().expect("a public key").to_vec();
    let text = STANDARD.encode(public);
    format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n")
}

fn signing_key() -> Arc<dyn SigningKey> {
    let key = PrivateKeyDer::from_pem_slice(SENTINEL.as_bytes()).expect("a private key");
    any_supported_type(&key).expect("a key that ring takes")
}

#[tokio::test]
async fn lp_03_a_conversation_begins_once_and_again_is_a_conflict() {
    let live = Live::start("").await;
    assert_eq!(live.begins("c1").await, 200);
    assert_eq!(live.begins("c1").await, 409);
    let known = live
        .server
        .client
        .list_conversations(parloir_client::v1::ListConversationsRequest::default());
    assert_eq!(known.await.expect("a list").conversations.len(), 1);
}

#[tokio::test]
async fn lp_04_words_in_a_conversation_that_never_began_are_not_found() {
    let live = Live::start("").await;
    let reply = live
        .event("nobody", 1, text("hello"))
        .await
        .expect("an answer");
    assert_eq!(reply.status, 404);
    assert_eq!(live.server.platform.requests().len(), 0);
}

#[tokio::test]
async fn lp_07_09_words_are_answered_by_the_agent_and_a_repeat_gets_the_same_answer() {
    let mut live = Live::start("").await;
    live.begins("c1").await;
    let (call, conversation) = live.asks(3, "bonjour").await;
    let turns = live.server.platform.requests().len();
    live.server.taken(&says(&conversation, "Bonjour !")).await;
    let answer = items(call).await;
    assert!(is_text(&answer[0], "Bonjour !"), "{answer:?}");
    live.story
        .comes_to("Bonjour !", DeliveryState::Delivered)
        .await;
    assert_eq!(items(live.event("c1", 3, text("bonjour"))).await, answer);
    assert_eq!(live.server.platform.requests().len(), turns);
}

#[tokio::test]
async fn words_that_are_erased_while_a_call_waits_are_not_its_answer() {
    let mut live = Live::start("gather = \"10s\"").await;
    live.begins("c1").await;
    let (call, conversation) = live.asks(3, "bonjour").await;
    live.server.taken(&says(&conversation, "Bonjour !")).await;
    live.story
        .comes_to("Bonjour !", DeliveryState::Delivered)
        .await;
    let request = ErasePersonalDataRequest {
        account: ACCOUNT.to_owned(),
        command_id: "e-1".to_owned(),
        subject: Some(Subject::ConversationId(conversation)),
    };
    let erased = live.server.client.erase_personal_data(request).await;
    let erasure = erased.expect("erased").erasure.expect("a receipt");
    assert!(erasure.erase_time.is_some(), "{erasure:?}");
    assert_eq!(items(call).await, [json!(null); 0]);
}

#[tokio::test]
async fn lp_08_a_handover_is_the_last_item_and_the_human_owns_the_visitor() {
    let mut live = Live::start("").await;
    live.begins("c1").await;
    let (call, conversation) = live.asks(3, "a human please").await;
    let asked = ask(&live.server, &escalate(&conversation));
    let answer = items(call).await;
    let last = answer.last().expect("an item");
    assert_eq!(
        (&last["type"], &last["data"]["name"]),
        (&json!("ACTION"), &json!("TRANSFER"))
    );
    assert_eq!(last["data"]["parameters"]["skillName"], "Humans");
    assert_eq!(asked.await.expect("an answer").status, 200);
    live.story.owner_changes_to(Owner::Human).await;
}

#[tokio::test]
async fn lp_10_an_agent_that_is_too_slow_is_answered_for() {
    let mut live = Live::start(r#"answer_within = "1s""#).await;
    live.begins("c1").await;
    let (call, _) = live.asks(3, "bonjour").await;
    let answer = items(call).await;
    assert!(
        answer.len() == 1 && is_text(&answer[0], FALLBACK),
        "{answer:?}"
    );
}

#[tokio::test]
async fn lp_11_a_conversation_that_is_closed_ends_its_session_and_is_answered_by_nothing() {
    let mut live = Live::start("").await;
    live.begins("c1").await;
    let (call, conversation) = live.asks(3, "bonjour").await;
    live.server.taken(&says(&conversation, "Bonjour !")).await;
    items(call).await;
    let closed = json!({ "type": "CONVERSATION", "data": { "name": "CLOSED" } });
    assert_eq!(items(live.event("c1", 4, closed)).await.len(), 0);
    loop {
        if let (Body::ConversationEnded(ended), _) = live.story.next().await {
            assert_eq!(ended.cause(), EndCause::Visitor);
            break;
        }
    }
}

#[tokio::test]
async fn lp_12_choices_are_numbered_text_and_a_number_is_the_choice() {
    let mut live = Live::start("").await;
    live.begins("c1").await;
    let (call, conversation) = live.asks(3, "bonjour").await;
    let offer = r#""eventType":"sendMessage","type":"text","text":"Which?","buttons":[
        {"type":"reply","text":"Red"},{"type":"reply","text":"Blue"}]"#;
    live.server.taken(&chat(&conversation, offer)).await;
    let answer = items(call).await;
    let shown = answer[0]["data"]["message"].as_str().expect("text");
    assert!(
        shown.contains("1. Red") && shown.contains("2. Blue"),
        "{shown}"
    );
    let chosen = live.event("c1", 4, text("2"));
    live.story.hears("Blue").await;
    live.story.comes_to("Blue", DeliveryState::Delivered).await;
    live.server
        .taken(&says(&conversation, "Good choice."))
        .await;
    assert!(is_text(&items(chosen).await[0], "Good choice."));
}
