//! Events at a stream: all of them, in order, whatever is killed on the way.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parloir_client::{
    Client,
    v1::{
        Event, StartPosition, SubscribeEventsRequest,
        conversation_service_client::ConversationServiceClient, subscribe_events_request::Start,
        subscribe_events_response::Message,
    },
};
use prost::Message as _;

use super::broker::{Broker, PATIENCE};
use crate::{
    process::{ACCOUNT, Setup},
    support::{
        http::{Connection, Reply},
        platform::{Behaviour, FakeServer},
    },
};

/// An agent that takes everything, so that every message leaves several events.
async fn platform() -> FakeServer {
    FakeServer::answering(|_| Behaviour::answer(200, "")).await
}

fn setup(platform: &FakeServer, broker: &Broker) -> Setup {
    let url = &broker.url;
    let sink = format!(
        r#"
            [[sinks]]
            name = "crm"
            url = "{url}"
            stream = "EVENTS"
            subject = "parloir.events.{{tenant}}.{{kind}}"
            ack_timeout = "2s"
        "#
    );
    Setup::with_source(&platform.url(), "", &sink)
}

async fn client(setup: &Setup) -> Client {
    let client = Client::builder(setup.grpc_url())
        .deadline(Duration::from_secs(10))
        .connect();
    client.await.expect("a server that listens")
}

/// What the log holds, in order.
async fn log(setup: &Setup) -> Vec<Event> {
    let mut service = ConversationServiceClient::connect(setup.grpc_url())
        .await
        .expect("a server that listens");
    let request = SubscribeEventsRequest {
        start: Some(Start::Position(StartPosition::Earliest.into())),
        ..SubscribeEventsRequest::default()
    };
    let opened = service.subscribe_events(request).await.expect("opens");
    let mut messages = opened.into_inner();
    let mut events = Vec::new();
    while let Some(message) = messages.message().await.expect("goes on") {
        match message.message {
            Some(Message::Event(delivered)) => events.extend(delivered.event),
            Some(Message::CaughtUp(_)) => break,
            _ => {}
        }
    }
    events
}

/// Waits until the stream has as many messages as the log has events, and holds them against each other.
async fn check(setup: &Setup, broker: &Broker) {
    let (mut log, mut relayed) = (log(setup).await, 0);
    let wait = async {
        // What is under way to the agent adds to the log for a moment.
        while relayed < log.len() as u64 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            relayed = broker.messages_in("EVENTS").await;
            log = self::log(setup).await;
        }
    };
    let came = tokio::time::timeout(PATIENCE, wait).await;
    assert!(came.is_ok(), "{relayed} of {} came", log.len());
    let messages = broker.read_all("EVENTS").await;
    let mut before = 0;
    for (message, event) in messages.iter().zip(&log) {
        let relayed = Event::decode(message.payload.clone()).expect("an event");
        assert_eq!(&relayed, event);
        let header = |name: &str| {
            let headers = message.headers.as_ref().expect("headers");
            headers.get(name).map_or("", |value| value.as_str())
        };
        let id = header("Nats-Msg-Id");
        let position = id.rsplit('/').next().and_then(|it| it.parse::<u64>().ok());
        let position = position.expect("a position");
        assert_eq!(position, before + 1, "{id} follows {before}");
        before = position;
        assert_eq!(header("Parloir-Event-Id"), event.event_id);
        assert_eq!(header("Parloir-Tenant"), event.tenant);
        assert_eq!(header("Parloir-Account"), event.account);
        assert_eq!(header("Parloir-Conversation-Id"), event.conversation_id);
        let kind = header("Parloir-Kind");
        let subject = format!("parloir.events.{}.{kind}", event.tenant);
        assert_eq!(message.subject.as_str(), subject);
    }
    // More may have come meanwhile; of what the log held, none is missing and none came twice.
    assert!(messages.len() >= log.len());
}

async fn get(setup: &Setup, path: &str) -> Reply {
    let mut connection = Connection::open(setup.ops()).await;
    connection.head("GET", path, &[]).await;
    connection.reply().await.expect("an answer")
}

async fn shows(setup: &Setup, line: &str) -> bool {
    let metrics = get(setup, "/metrics").await;
    metrics.body.lines().any(|shown| shown == line)
}

async fn until_shown(setup: &Setup, line: &str) {
    let wait = async {
        while !shows(setup, line).await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let shown = tokio::time::timeout(PATIENCE, wait).await;
    assert!(shown.is_ok(), "no {line}");
}

#[tokio::test]
async fn a_sink_gets_every_event_in_order_although_it_and_the_server_are_killed() {
    let (platform, broker) = (platform().await, Broker::start());
    broker.make_stream("EVENTS", "parloir.events.>").await;
    let setup = setup(&platform, &broker);
    let mut server = setup.start(&[]);
    server.ready().await;
    let client = client(&setup).await;
    let stop = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..4)
        .map(|caller| tokio::spawn(talk(client.clone(), caller, Arc::clone(&stop))))
        .collect();
    for round in 0..6 {
        let seen = broker.messages_in("EVENTS").await;
        until_more(&broker, seen + 40).await;
        if round % 2 == 0 {
            broker.kill();
            until_shown(&setup, "parloir_sink_relaying{sink=\"crm\"} 0").await;
            broker.start_again();
        } else {
            server.kill();
            server = setup.start(&[]);
            server.ready().await;
        }
    }
    stop.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await.expect("it talked");
    }
    check(&setup, &broker).await;
    until_shown(&setup, "parloir_sink_lag_events{sink=\"crm\"} 0").await;
}

async fn until_more(broker: &Broker, messages: u64) {
    let wait = async {
        while broker.messages_in("EVENTS").await < messages {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let came = tokio::time::timeout(PATIENCE, wait).await;
    assert!(came.is_ok(), "not {messages} messages");
}

/// One message after the other, until it is told to stop.
async fn talk(client: Client, caller: usize, stop: Arc<AtomicBool>) {
    let conversation = format!("c-{caller}");
    for number in 0.. {
        let key = format!("{caller}-{number}");
        loop {
            let said = if number == 0 {
                client.start(ACCOUNT, &conversation, &key).await.map(drop)
            } else {
                client
                    .say(ACCOUNT, &conversation, &key, &key)
                    .await
                    .map(drop)
            };
            if said.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        if stop.load(Ordering::Relaxed) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_server_without_broker_or_stream_is_ready_and_relays_once_there_is_one() {
    let (platform, broker) = (platform().await, Broker::start());
    broker.kill();
    let setup = setup(&platform, &broker);
    let mut server = setup.start(&[]);
    server.ready().await;
    let client = client(&setup).await;
    client.start(ACCOUNT, "c", "start").await.expect("started");
    let ready = get(&setup, "/readyz").await;
    assert_eq!(ready.status, 200);
    // There is no stream yet.
    broker.start_again();
    until_shown(&setup, "parloir_sink_relaying{sink=\"crm\"} 1").await;
    let refused = "no stream takes the subject parloir.events.{tenant}.{kind}: make the stream EVENTS with it";
    let wait = async {
        while !server.last_words().contains(refused) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let told = tokio::time::timeout(PATIENCE, wait).await;
    assert!(told.is_ok(), "{}", server.last_words());
    assert_eq!(get(&setup, "/readyz").await.status, 200);
    broker.make_stream("EVENTS", "parloir.events.>").await;
    check(&setup, &broker).await;
    server.terminate();
    assert!(server.exited().await.success());
}
