//! What every platform's adapter must do, whatever its wire looks like. An adapter's tests implement [`Platform`] and
//! name it in `conformance_suite!`.

use std::time::Duration;

use http::StatusCode;

use crate::domain::{
    AgentMessage, Answer, HumanMessage, HumanMessageKind, Parameter, Question, RequestKind,
    inbound::{Inbound, InboundBody, Webhook, WebhookReply},
    outbound::{Outbound, OutboundContent, Refusal, Sent},
    ports::Agent,
};
use crate::tests::fake_server::{self as server, Behaviour, FakeServer};

/// A platform as its own adapter sees it: a server that is spoken to, and one that speaks.
pub(super) trait Platform {
    /// The adapter under test, talking to `server` with [`KEY`].
    fn agent(server: &FakeServer) -> (Box<dyn Agent>, Self);

    /// What a request said that the server saw.
    fn understand(request: &server::Request) -> Outbound;

    /// A webhook that says this, as the platform would send it.
    fn webhook(&self, inbound: &Inbound) -> Webhook;

    /// The same, but not from the platform.
    fn forged(&self, inbound: &Inbound) -> Webhook;

    /// What the platform makes of a reply.
    fn understand_reply(kind: RequestKind, reply: &WebhookReply) -> Answer;
}

/// The agent's API key.
pub(super) const KEY: &str = "key-4f2c9d";

/// Far longer than a request on loopback takes, far shorter than a test may.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) fn parameter(key: &str, value: &str, personal: bool) -> Parameter {
    Parameter {
        key: key.to_owned(),
        value: value.to_owned(),
        personal,
    }
}

pub(super) fn message(text: &str) -> Outbound {
    Outbound {
        upstream_id: "c-1".to_owned(),
        content: OutboundContent::Message {
            text: text.to_owned(),
            card_index: None,
            parameters: Vec::new(),
        },
    }
}

/// Sends one message to a server that behaves so.
pub(super) async fn send_to<P: Platform>(behaviour: Behaviour) -> (Sent, FakeServer) {
    let server = FakeServer::start().await;
    server.next(behaviour);
    let (agent, _platform) = P::agent(&server);
    let sent = tokio::time::timeout(PATIENCE, agent.send(&message("hello")))
        .await
        .expect("an ending");
    (sent, server)
}

pub(super) async fn what_is_sent_is_understood<P: Platform>() {
    let parameters = || {
        vec![
            parameter("tier", "gold", false),
            parameter("email", "ana@example.org", true),
        ]
    };
    let said = |text: &str, card_index| OutboundContent::Message {
        text: text.to_owned(),
        card_index,
        parameters: parameters(),
    };
    let ticket = |parameters| OutboundContent::Ticket {
        text: "I was charged twice.\n-- \nAna".to_owned(),
        parameters,
    };
    let mut contents = vec![
        OutboundContent::Start {
            parameters: parameters(),
        },
        OutboundContent::Start {
            parameters: Vec::new(),
        },
        said(" Wo ist \"mein\" Päckchen?\n", None),
        said("Choose", Some(0)),
        said("Choose", Some(9)),
        OutboundContent::Parameters {
            parameters: parameters(),
        },
        OutboundContent::End,
        ticket(parameters()),
        ticket(Vec::new()),
    ];
    contents.extend(human_signs().map(OutboundContent::Human));
    let count = contents.len();
    let server = FakeServer::start().await;
    let (agent, _platform) = P::agent(&server);
    for content in contents {
        let outbound = Outbound {
            upstream_id: "ünï/code id".to_owned(),
            content,
        };
        assert_eq!(agent.send(&outbound).await, Sent::Acknowledged);
        assert!(
            P::understand(&server.last_request()) == outbound,
            "{outbound:?}"
        );
    }
    let requests = server.requests();
    assert_eq!(requests.len(), count, "one request each");
    assert!(requests.is_sorted_by_key(|request| request.at), "in order");
}

pub(super) async fn every_status_has_its_meaning<P: Platform>() {
    let refused = |refusal| Sent::Refused {
        refusal,
        detail: "because".to_owned(),
    };
    let busy = |seconds: Option<u64>| Sent::Busy {
        retry_after: seconds.map(Duration::from_secs),
    };
    let cases = [
        (200, Sent::Acknowledged),
        (202, Sent::Acknowledged),
        (204, Sent::Acknowledged),
        (400, refused(Refusal::Request)),
        (401, refused(Refusal::Credentials)),
        (403, refused(Refusal::Credentials)),
        (404, refused(Refusal::AgentUnknown)),
        (408, Sent::Unclear),
        (409, refused(Refusal::Request)),
        (413, refused(Refusal::Request)),
        (422, refused(Refusal::Request)),
        (429, busy(Some(3))),
        (500, Sent::Unclear),
        (501, Sent::Unclear),
        (502, Sent::Unclear),
        (503, busy(Some(3))),
        (504, Sent::Unclear),
        (599, Sent::Unclear),
    ];
    for (status, expected) in cases {
        let body = if status == 204 { "" } else { "because" };
        let answer = Behaviour::answer(status, body).with_header("retry-after", "3");
        let (sent, server) = send_to::<P>(answer).await;
        assert_eq!(sent, expected, "{status}");
        assert_eq!(server.requests().len(), 1, "{status}: one try");
    }
    let (sent, _server) = send_to::<P>(Behaviour::answer(429, "")).await;
    assert_eq!(sent, busy(None), "without Retry-After");
}

pub(super) async fn every_fault_has_its_meaning<P: Platform>() {
    let cases = [
        (Behaviour::CloseBeforeAnswer, Sent::Unclear),
        (Behaviour::ResetBeforeAnswer, Sent::Unclear),
        (Behaviour::ResetWithinHeaders, Sent::Unclear),
        (Behaviour::Malformed, Sent::Unclear),
        (Behaviour::ResetAfterHeaders(200), Sent::Acknowledged),
        (Behaviour::ResetAfterHeaders(500), Sent::Unclear),
        (Behaviour::Truncated(200), Sent::Acknowledged),
        (Behaviour::Endless(200), Sent::Acknowledged),
        (Behaviour::Truncated(500), Sent::Unclear),
        (Behaviour::Endless(502), Sent::Unclear),
    ];
    for (behaviour, expected) in cases {
        let name = format!("{behaviour:?}");
        let (sent, server) = send_to::<P>(behaviour).await;
        assert_eq!(sent, expected, "{name}");
        assert_eq!(server.requests().len(), 1, "{name}: one try");
    }
    for behaviour in [Behaviour::Truncated(400), Behaviour::Endless(400)] {
        let name = format!("{behaviour:?}");
        let (sent, _server) = send_to::<P>(behaviour).await;
        let expected = Sent::Refused {
            refusal: Refusal::Request,
            detail: String::new(),
        };
        assert_eq!(sent, expected, "{name}");
    }
}

pub(super) async fn without_a_connection_nothing_was_sent<P: Platform>() {
    let server = FakeServer::start().await;
    let (agent, _platform) = P::agent(&server);
    server.stop().await;
    assert_eq!(agent.send(&message("hello")).await, Sent::NotSent);
}

pub(super) async fn requests_do_not_wait_for_each_other<P: Platform>() {
    let server = FakeServer::start().await;
    let (agent, _platform) = P::agent(&server);
    server.hold();
    let (one, two) = (message("one"), message("two"));
    let both = async {
        server.wait_for(2).await;
        server.release();
    };
    let (one, two, ()) = tokio::join!(agent.send(&one), agent.send(&two), both);
    assert_eq!((one, two), (Sent::Acknowledged, Sent::Acknowledged));
}

pub(super) async fn a_redirect_is_not_followed<P: Platform>() {
    let elsewhere = FakeServer::start().await;
    for status in [301, 302, 303, 307, 308] {
        let answer = Behaviour::answer(status, "").with_header("location", &elsewhere.url());
        let (sent, server) = send_to::<P>(answer).await;
        assert_eq!(sent, Sent::Unclear, "{status}");
        assert_eq!(server.requests().len(), 1, "{status}");
    }
    assert_eq!(elsewhere.requests().len(), 0, "credentials stay here");
}

pub(super) async fn an_answer_repeats_no_secret<P: Platform>() {
    let body = format!("{KEY} may not say ana@example.org\r\n{}", "x".repeat(2000));
    let server = FakeServer::start().await;
    server.next(Behaviour::answer(400, &body));
    let (agent, _platform) = P::agent(&server);
    let outbound = Outbound {
        upstream_id: "c-1".to_owned(),
        content: OutboundContent::Start {
            parameters: vec![parameter("email", "ana@example.org", true)],
        },
    };
    let Sent::Refused { detail, .. } = agent.send(&outbound).await else {
        panic!("a 400 refuses");
    };
    assert!(detail.contains("may not say"), "{detail}");
    assert!(
        !detail.contains(KEY) && !detail.contains("ana@"),
        "{detail}"
    );
    assert!(detail.len() <= 512 && !detail.contains(char::is_control));
    assert!(!format!("{agent:?}").contains(KEY), "printed");
}

pub(super) async fn what_comes_in_is_understood<P: Platform>() {
    let server = FakeServer::start().await;
    let (agent, platform) = P::agent(&server);
    for inbound in samples() {
        let received = agent.receive(&platform.webhook(&inbound));
        assert!(
            received.as_ref() == Ok(&inbound),
            "{inbound:?}: {received:?}"
        );
    }
}

pub(super) async fn what_is_not_from_the_platform_is_refused<P: Platform>() {
    let server = FakeServer::start().await;
    let (agent, platform) = P::agent(&server);
    for inbound in samples() {
        let received = agent.receive(&platform.forged(&inbound));
        assert!(
            received.is_err_and(|refusal| refusal.is_unverified()),
            "{inbound:?}"
        );
    }
}

pub(super) async fn every_answer_is_understood<P: Platform>() {
    let server = FakeServer::start().await;
    let (agent, _platform) = P::agent(&server);
    let failure = || Answer::Failure {
        reason: String::new(),
    };
    let results = |all: &[Parameter]| Answer::Results(all.to_vec());
    let some = [parameter("a", "7", false), parameter("b", "Ana", true)];
    let online = |online| Answer::Availability { online };
    let decided = |accepted| Answer::Escalation { accepted };
    let cases = [
        (RequestKind::Action, results(&some), results(&some)),
        (RequestKind::Action, results(&[]), results(&[])),
        (RequestKind::Action, Answer::Deferred, results(&[])),
        (RequestKind::Action, failure(), failure()),
        (RequestKind::Escalation, decided(true), decided(true)),
        (RequestKind::Escalation, decided(false), decided(false)),
        (RequestKind::Escalation, failure(), decided(false)),
        (RequestKind::Availability, online(true), online(true)),
        (RequestKind::Availability, online(false), online(false)),
        (RequestKind::Availability, failure(), online(false)),
    ];
    for (kind, answer, expected) in cases {
        let reply = agent.reply(kind, &answer);
        let understood = P::understand_reply(kind, &reply);
        assert!(
            understood == expected,
            "{kind:?} {answer:?}: {understood:?}"
        );
        assert!(reply.status == StatusCode::OK || reply.body.is_empty());
    }
}

/// One of each kind, with all that a platform can show of it.
fn human_signs() -> impl Iterator<Item = HumanMessage> {
    let sign = |kind| HumanMessage {
        message_id: String::new(),
        kind,
        text: String::new(),
        name: String::new(),
        avatar_url: String::new(),
        queue_position: None,
        waiting_time: None,
        from_source: false,
        raw: String::new(),
    };
    let words = HumanMessage {
        text: "Grüß Gott,\n\"Lee\" here.".to_owned(),
        ..sign(HumanMessageKind::Text)
    };
    let joined = HumanMessage {
        name: "Lee Ø.".to_owned(),
        avatar_url: "https://cdn.example.org/lee.png?s=2".to_owned(),
        ..sign(HumanMessageKind::Joined)
    };
    let queue = HumanMessage {
        queue_position: Some(3),
        waiting_time: Some(Duration::from_mins(5)),
        ..sign(HumanMessageKind::Queue)
    };
    let place = HumanMessage {
        waiting_time: None,
        ..queue.clone()
    };
    [
        words,
        joined,
        sign(HumanMessageKind::Joined),
        queue,
        place,
        sign(HumanMessageKind::Left),
        sign(HumanMessageKind::Failed),
    ]
    .into_iter()
}

/// One of each that every platform can say.
fn samples() -> Vec<Inbound> {
    let within = |body| Inbound {
        upstream_id: Some("c-1".to_owned()),
        internal_id: None,
        platform_event_id: None,
        body,
    };
    let text = AgentMessage {
        text: "Your parcel left \u{1f69a}".to_owned(),
        platform_message_id: "m-1".to_owned(),
        ..AgentMessage::default()
    };
    vec![
        Inbound {
            internal_id: None,
            platform_event_id: Some("m-1".to_owned()),
            ..within(InboundBody::Message(text))
        },
        within(InboundBody::Question(Question::Action {
            name: "addTag".to_owned(),
            parameters: Vec::new(),
            raw: String::new(),
        })),
        within(InboundBody::Question(Question::Escalation {
            target: "billing".to_owned(),
            raw: String::new(),
        })),
        Inbound {
            upstream_id: None,
            ..within(InboundBody::Question(Question::Availability {
                team: "billing".to_owned(),
                raw: String::new(),
            }))
        },
    ]
}

/// Runs the suite for one platform.
macro_rules! conformance_suite {
    ($platform:ty) => {
        $crate::agents::conformance::conformance_suite!($platform:
            what_is_sent_is_understood
            every_status_has_its_meaning
            every_fault_has_its_meaning
            without_a_connection_nothing_was_sent
            requests_do_not_wait_for_each_other
            a_redirect_is_not_followed
            an_answer_repeats_no_secret
            what_comes_in_is_understood
            what_is_not_from_the_platform_is_refused
            every_answer_is_understood
        );
    };
    ($platform:ty: $($rule:ident)*) => {
        $(
            #[tokio::test]
            async fn $rule() {
                $crate::agents::conformance::$rule::<$platform>().await;
            }
        )*
    };
}

pub(super) use conformance_suite;
