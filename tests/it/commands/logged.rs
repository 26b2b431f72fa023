//! What the server says of itself: enough to work with, and nothing that somebody said or that opens a door.

use std::fs;

use parloir_client::{Client, v1::StartConversationRequest};

use crate::{
    process::{ACCOUNT, AGENT, KEY, Setup},
    support::{
        platform::{Behaviour, FakeServer},
        server::parameter,
        webhook::{action, chat, post, says},
    },
};

const EMAIL: &str = "ana.personal@example.org";
const VISITORS_WORDS: &str = "my-very-own-words";
const AGENTS_WORDS: &str = "what-the-agent-said";

#[tokio::test]
async fn check_13_the_log_holds_no_personal_value_no_words_and_no_key() {
    let platform = FakeServer::start().await;
    let setup = Setup::new(&platform.url(), r#"logging.filter = "debug,parloir=trace""#);
    let mut server = setup.start(&[]);
    server.ready().await;
    let client = Client::builder(setup.grpc_url()).attempts(1).connect_lazy();
    let client = client.expect("a URL");
    for behaviour in [
        Behaviour::answer(200, ""),
        Behaviour::answer(400, &format!("{EMAIL}: {VISITORS_WORDS} {KEY}")),
        Behaviour::ResetBeforeAnswer,
    ] {
        platform.next(behaviour);
    }
    let start = StartConversationRequest {
        account: ACCOUNT.to_owned(),
        conversation_id: "c-logged".to_owned(),
        parameters: vec![parameter("email", EMAIL, true)],
        ..StartConversationRequest::default()
    };
    client.start_conversation(start).await.expect("a start");
    for (id, refused) in [("m-1", true), ("m-2", false)] {
        let said = client.say(ACCOUNT, "c-logged", id, VISITORS_WORDS).await;
        assert_eq!(said.is_err(), refused, "{id}");
    }
    let broken = format!("{{\"{AGENTS_WORDS}");
    let bodies = [
        (200, says("c-logged", AGENTS_WORDS)),
        (
            200,
            chat(
                "c-logged",
                &format!(r#""eventType":"new","x":"{AGENTS_WORDS}""#),
            ),
        ),
        (400, broken),
        (404, says("c-logged", AGENTS_WORDS).replace("65f0", "75f0")),
        (400, action("", AGENTS_WORDS)),
    ];
    for (status, body) in bodies {
        let reply = post(setup.webhooks, AGENT, &[], body.as_bytes()).await;
        assert_eq!(reply.status, status, "{body}");
    }
    let log = fs::read_to_string(setup.path("server.log")).expect("a log");
    assert!(
        log.contains("does not tell") || log.contains("ended without an answer"),
        "{log}"
    );
    for secret in [EMAIL, VISITORS_WORDS, AGENTS_WORDS, KEY] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}
