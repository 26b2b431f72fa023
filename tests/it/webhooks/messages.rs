//! What the agent says.

use parloir_client::v1::{ButtonKind, DeliveryState, Event, Owner, event::Body};

use crate::support::{
    events::Events,
    http::Connection,
    server::{ACCOUNT, AGENT, BOT, TestServer, state},
    webhook::{chat, flat, says, says_as},
};

fn buttons(message: &parloir_client::v1::AgentMessage) -> Vec<(ButtonKind, &str, &str)> {
    let each = message.buttons.iter();
    each.map(|button| (button.kind(), button.label.as_str(), button.link.as_str()))
        .collect()
}

#[tokio::test]
async fn check_54_55_a_message_is_taken_and_seen_with_or_without_what_may_be_missing() {
    let server = TestServer::start().await;
    let mut events = server.events();
    server
        .taken(&chat(
            "C",
            r#""eventType":"sendMessage","type":"text","text":"Your parcel left.","buttons":[],
               "carouselCards":[],"replyId":"r-1","confidence":0.93,"messageId":"m-1""#,
        ))
        .await;
    let (message, event) = events.agent_message().await;
    assert_eq!(message.text, "Your parcel left.");
    assert_eq!(
        (message.confidence, message.platform_message_id.as_str()),
        (Some(0.93), "m-1")
    );
    assert_eq!(message.platform_reply_id, "r-1");
    assert_eq!(
        (event.account.as_str(), event.agent.as_str()),
        (ACCOUNT, AGENT)
    );
    assert_eq!(
        (event.conversation_id.as_str(), event.superseded),
        ("C", false)
    );
    let bare = r#""data":{"eventType":"sendMessage","platformConversationId":"C","type":"text","text":"hi"}"#;
    server.taken(&flat(bare)).await;
    let (message, _) = events.agent_message().await;
    assert_eq!((message.text.as_str(), message.confidence), ("hi", None));
}

#[tokio::test]
async fn check_56_57_59_buttons_are_seen_in_order_with_what_they_do() {
    let server = TestServer::start().await;
    let mut events = server.events();
    for name in ["link", "url", "value"] {
        let fields = format!(
            r#""eventType":"sendMessage","type":"text","text":"?","buttons":[
               {{"type":"button","text":"Track it"}},"Cancel it",
               {{"type":"link","text":"Terms","{name}":"https://shop.example.org/t"}}]"#
        );
        server.taken(&chat("C", &fields)).await;
        let (message, _) = events.agent_message().await;
        let expected = [
            (ButtonKind::Reply, "Track it", ""),
            (ButtonKind::Reply, "Cancel it", ""),
            (ButtonKind::Link, "Terms", "https://shop.example.org/t"),
        ];
        assert_eq!(buttons(&message), expected, "{name}");
    }
}

#[tokio::test]
async fn check_58_60_a_carousel_keeps_its_order_and_may_lack_much() {
    let server = TestServer::start().await;
    let mut events = server.events();
    let fields = r#""eventType":"sendMessage","type":"carousel","text":"","buttons":null,"carouselCards":[
        {"title":"Blue mug","description":"0.3 l","imageUrl":"https://cdn.example.org/mug.png",
         "buttons":[{"type":"button","text":"Choose"}]},{"title":"Red bowl","buttons":[]}]"#;
    server.taken(&chat("C", fields)).await;
    let (message, _) = events.agent_message().await;
    let cards: Vec<_> = message
        .cards
        .iter()
        .map(|card| card.title.as_str())
        .collect();
    assert_eq!(cards, ["Blue mug", "Red bowl"]);
    assert_eq!(message.cards[1].description, "");
    server
        .taken(&chat(
            "C",
            r#""eventType":"sendMessage","text":"hi","buttons":null"#,
        ))
        .await;
    let (message, _) = events.agent_message().await;
    assert!(message.buttons.is_empty() && message.cards.is_empty());
}

#[tokio::test]
async fn check_61_62_63_what_is_unknown_is_taken_and_kept_raw() {
    let server = TestServer::start().await;
    let mut events = server.events();
    let body = chat(
        "C",
        r#""eventType":"sendMessage","text":"hi","new":{"x":1}"#,
    );
    server.taken(&body).await;
    let (message, _) = events.agent_message().await;
    assert_eq!(
        (message.text.as_str(), message.raw.as_str()),
        ("hi", body.as_str())
    );
    let body = chat(
        "C",
        r#""eventType":"sendMessage","type":"video","text":"look""#,
    );
    server.taken(&body).await;
    let (message, _) = events.agent_message().await;
    assert_eq!(
        (message.text.as_str(), message.unknown_type.as_str()),
        ("look", "video")
    );
    let body = chat("C", r#""eventType":"somethingNew","x":1"#);
    server.taken(&body).await;
    let unknown = events
        .find(|body, _| match body {
            Body::UnknownPlatformEvent(unknown) => Some(unknown),
            _ => None,
        })
        .await;
    assert_eq!(
        (unknown.event_type.as_str(), unknown.raw.as_str()),
        ("somethingNew", body.as_str())
    );
    // None of them counts against the sender.
    let counted = server.metrics().await;
    assert!(
        counted
            .contains(r#"parloir_webhooks_total{tenant="default",agent="shop",outcome="taken"} 3"#)
    );
    assert!(
        !counted.contains("parloir_webhooks_refused_total{"),
        "{counted}"
    );
}

#[tokio::test]
async fn check_64_65_the_same_id_is_delivered_once_and_the_same_words_twice() {
    let server = TestServer::start().await;
    let mut events = server.events();
    for (id, text) in [
        ("m-1", "same"),
        ("m-1", "same"),
        ("m-2", "same"),
        ("m-3", "last"),
    ] {
        server.taken(&says_as("C", id, text)).await;
    }
    assert_eq!(events.texts(3).await, ["same", "same", "last"]);
    // The same id in another conversation is another message.
    server.taken(&says_as("D", "m-1", "elsewhere")).await;
    assert_eq!(events.texts(1).await, ["elsewhere"]);
}

#[tokio::test]
async fn check_66_messages_on_one_connection_keep_their_order() {
    let server = TestServer::start().await;
    let mut events = server.events();
    let mut connection = Connection::open(server.webhooks).await;
    for text in ["one", "two", "three"] {
        connection
            .post(
                &format!("/webhooks/{AGENT}"),
                &[],
                says("C", text).as_bytes(),
            )
            .await;
        let reply = connection.reply().await.expect("an answer");
        assert_eq!((reply.status, reply.body.as_str()), (200, ""));
    }
    let mut sequences = Vec::new();
    for text in ["one", "two", "three"] {
        let (message, event) = events.agent_message().await;
        assert_eq!(message.text, text);
        sequences.push(event.sequence);
    }
    assert!(sequences.is_sorted_by(|a, b| a < b), "{sequences:?}");
}

#[tokio::test]
async fn check_67_a_message_for_an_id_never_seen_begins_a_conversation() {
    let server = TestServer::start().await;
    let mut events = server.events();
    server.taken(&says("never-seen", "hello")).await;
    let (_, event) = events.agent_message().await;
    assert_eq!(
        (event.conversation_id.as_str(), event.account.as_str()),
        ("never-seen", ACCOUNT)
    );
    let known = server
        .client
        .conversation(ACCOUNT, "never-seen")
        .await
        .expect("an answer");
    assert_eq!(known.expect("a conversation").last_sequence, event.sequence);
}

#[tokio::test]
async fn check_68_a_message_that_overtakes_our_own_200_is_delivered() {
    let server = TestServer::start().await;
    let mut events = server.events();
    server.platform.hold();
    let webhook = async {
        server.platform.wait_for(1).await;
        server.taken(&says("C", "at once")).await;
        let (message, event) = events.agent_message().await;
        server.platform.release();
        (message.text, event)
    };
    let (sent, (text, event)) = tokio::join!(server.say("C", "m", "hello"), webhook);
    assert_eq!(state(&sent), DeliveryState::Delivered);
    assert_eq!(
        (text.as_str(), event.conversation_id.as_str(), event.session),
        ("at once", "C", 1)
    );
}

#[tokio::test]
async fn check_69_a_message_after_the_end_is_delivered_and_opens_no_session() {
    let server = TestServer::start().await;
    let mut events = server.events();
    server.say("C", "m", "hello").await.expect("a message");
    server.client.end(ACCOUNT, "C", "e").await.expect("an end");
    server.taken(&says("C", "goodbye")).await;
    let (message, event) = events.agent_message().await;
    assert_eq!((message.text.as_str(), event.session), ("goodbye", 1));
    let known = server
        .client
        .conversation(ACCOUNT, "C")
        .await
        .expect("an answer");
    let known = known.expect("a conversation");
    assert_eq!(
        known.session_state(),
        parloir_client::v1::SessionState::Ended
    );
}

#[tokio::test]
async fn messages_that_come_out_of_order_are_seen_in_the_order_of_their_arrival() {
    let server = TestServer::start().await;
    let mut events = server.events();
    for id in ["m-3", "m-1", "m-2"] {
        server.taken(&says_as("C", id, id)).await;
    }
    assert_eq!(events.texts(3).await, ["m-3", "m-1", "m-2"]);
}

#[tokio::test]
async fn check_83_widget_events_are_taken_at_once_and_seen() {
    let server = TestServer::start().await;
    let mut events = server.events();
    server
        .taken(&chat(
            "w",
            r#""eventType":"widgetEscalate","escalateTo":"sales""#,
        ))
        .await;
    server
        .taken(&chat(
            "w",
            r#""eventType":"widgetMessage","text":"anyone there?""#,
        ))
        .await;
    server
        .taken(&chat("w", r#""eventType":"widgetEndSession""#))
        .await;
    let any = |body: Body, _: &Event| Some(body);
    match events.find(any).await {
        Body::EscalationRequested(asked) => {
            assert_eq!(
                (asked.target.as_str(), asked.request_id.as_str()),
                ("sales", "")
            );
        }
        other => panic!("{other:?}"),
    }
    owner_becomes(&mut events, Owner::Human).await;
    match events.find(any).await {
        Body::VisitorMessage(message) => {
            let words =
                parloir_client::v1::visitor_message::Content::Text("anyone there?".to_owned());
            assert_eq!(message.content, Some(words));
        }
        other => panic!("{other:?}"),
    }
    match events.find(any).await {
        Body::ConversationEnded(ended) => {
            assert_eq!(ended.cause(), parloir_client::v1::EndCause::Visitor);
        }
        other => panic!("{other:?}"),
    }
    owner_becomes(&mut events, Owner::None).await;
}

/// The next event says so.
async fn owner_becomes(events: &mut Events, owner: Owner) {
    match events.find(|body, _| Some(body)).await {
        Body::OwnerChanged(changed) => assert_eq!(changed.to(), owner),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn check_84_85_a_ticket_is_taken_with_what_it_has() {
    let server = TestServer::start().await;
    let mut events = server.events();
    let ticket = |body: Body, _: &Event| match body {
        Body::TicketReplied(ticket) => Some(ticket),
        _ => None,
    };
    server
        .taken(&flat(
            r#""platformConversationId":"ticket-1","text":"Refunded.","predictedIntents":[
               {"value":"9021","name":"Refund status","confidence":0.97}],
               "attachments":[{"path":"files/refund.pdf"}]"#,
        ))
        .await;
    let full = events.find(ticket).await;
    assert_eq!(
        (full.text.as_str(), full.attachments.as_slice()),
        ("Refunded.", &["files/refund.pdf".to_owned()][..])
    );
    assert_eq!(
        (
            full.intents[0].intent_id.as_str(),
            full.intents[0].confidence
        ),
        ("9021", Some(0.97))
    );
    server
        .taken(&flat(
            r#""platformConversationId":"ticket-1","text":"Bye.""#,
        ))
        .await;
    let bare = events.find(ticket).await;
    assert!(bare.intents.is_empty() && bare.attachments.is_empty());
}

#[tokio::test]
async fn an_alert_is_taken_and_belongs_to_no_conversation() {
    let server = TestServer::start().await;
    let mut events = server.events();
    let body = format!(
        r#"{{"botName":"Shop","event":"actionFailed","data":{{"botId":"{BOT}","httpStatus":500}}}}"#
    );
    server.taken(&body).await;
    let (alert, event) = events
        .find(|body, event| match body {
            Body::PlatformAlert(alert) => Some((alert, event.clone())),
            _ => None,
        })
        .await;
    assert_eq!(
        (alert.name.as_str(), alert.raw.as_str()),
        ("actionFailed", body.as_str())
    );
    assert_eq!((event.conversation_id.as_str(), event.sequence), ("", 0));
}
