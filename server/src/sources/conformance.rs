//! What every source must do, whatever its wire looks like. A source's tests implement [`System`] and name it in
//! `source_conformance_suite!`.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::{
    domain::{
        Owner,
        inbound::{Webhook, WebhookRefusal},
        outbound::{Refusal, Sent},
        ports::Source,
        source::{
            Author, Contact, Handover, Item, ItemBody, OfferLimits, Offered, OfferedAction,
            SourceBody, SourceEvent, Words,
        },
    },
    tests::fake_server::{Behaviour, FakeServer, Request},
};

/// A system as its own source sees it: one that is spoken to, and one that speaks.
#[async_trait]
pub(crate) trait System: Sized + Send + Sync {
    /// The system's end: a server that keeps what it is told and enforces its own rules (credentials, limits).
    async fn server() -> FakeServer;

    /// The source under test, talking to `server`.
    fn source(server: &FakeServer) -> (Box<dyn Source>, Self);

    /// A webhook in which the visitor `who` says this, under an id of the system's own.
    fn says(&self, who: &str, id: &str, text: &str) -> Webhook;

    /// A webhook in which the visitor chooses the `number`th (from 0) of what `offer` offered.
    fn chooses(&self, who: &str, id: &str, offer: &Item, number: usize) -> Option<Webhook>;

    /// A webhook of a kind that the source does not know, if the system has kinds.
    fn unknown(&self) -> Option<Webhook>;

    /// These bytes, verifiable, where [`Self::says`] has its own.
    fn with_body(&self, webhook: Webhook, body: Bytes) -> Webhook;

    /// A webhook that does not come from the system.
    fn forged(&self, who: &str, id: &str, text: &str) -> Webhook;

    /// What a request of the source shows to a visitor; nothing for one that is about something else.
    fn understand(request: &Request) -> Option<Shown>;

    /// Delivers one item: how that ended, and all that the visitor sees of it.
    async fn deliver(
        &self,
        source: &dyn Source,
        server: &FakeServer,
        contact: &Contact,
        item: &Item,
    ) -> (Sent, Vec<Shown>) {
        let before = server.requests().len();
        let sent = source.deliver(&contact.address, item).await;
        let shown = server.requests().into_iter().skip(before);
        (
            sent,
            shown
                .filter_map(|request| Self::understand(&request))
                .collect(),
        )
    }

    /// Whether requests go to the system's server at all; false for one that is answered in its own request.
    const CALLS: bool = true;

    /// The system refuses our credentials.
    fn refuses_credentials() -> Behaviour {
        Behaviour::answer(401, "{}")
    }

    /// The system wants to be left alone for `seconds`.
    fn is_busy(seconds: u64) -> Behaviour;
}

/// What a visitor sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) text: String,
    /// Labels of what can be chosen.
    pub(crate) options: Vec<String>,
}

/// Far longer than a request on loopback takes, far shorter than a test may.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn text(text: &str) -> Item {
    Item::text(Author::Agent, text)
}

/// The one event of a webhook that must be taken.
pub(crate) fn only(source: &dyn Source, webhook: &Webhook) -> SourceEvent {
    let received = source.receive(webhook).expect("a webhook that is taken");
    let mut events = received.events;
    assert_eq!(events.len(), 1, "one event");
    events.remove(0)
}

/// The visitor `who`, once they have said something.
pub(crate) fn met<S: System>(system: &S, source: &dyn Source, who: &str) -> Contact {
    let webhook = system.says(who, "met", "hello");
    only(source, &webhook).contact.expect("a contact")
}

pub(crate) fn offer(limits: &OfferLimits, labels: &[&str]) -> Item {
    let options = labels.iter().enumerate().map(|(number, label)| Offered {
        label: (*label).to_owned(),
        action: OfferedAction::Choose {
            payload: format!("p:7:{number}"),
        },
    });
    Item {
        author: Author::Agent,
        body: ItemBody::Offer {
            kind: limits.kind,
            text: "What next?".to_owned(),
            options: options.collect(),
        },
    }
}

pub(crate) fn handover() -> Handover {
    Handover {
        conversation_id: crate::domain::Id::trusted("c-1"),
        target: String::new(),
        text: None,
        note: String::new(),
    }
}

pub(crate) async fn words_come_through<S: System>() {
    let server = S::server().await;
    let (source, system) = S::source(&server);
    let said = "Où est \"mon\" colis ? 📦 <3 & co";
    let event = only(source.as_ref(), &system.says("ana", "1", said));
    let SourceBody::Message { words, .. } = event.body else {
        panic!("not a message");
    };
    assert!(words == Words::Text(said.to_owned()), "other words");
    assert!(event.contact.is_some());
}

pub(crate) async fn who_and_what_are_told_apart_by_stable_ids<S: System>() {
    let server = S::server().await;
    let (source, system) = S::source(&server);
    let event = |who, id, text| only(source.as_ref(), &system.says(who, id, text));
    let first = event("ana", "1", "hello");
    let again = event("ana", "1", "hello");
    assert!(first.event_id.is_some(), "redelivered, it must be known");
    assert_eq!(first.event_id, again.event_id);
    let other = event("ana", "2", "hello");
    assert_ne!(first.event_id, other.event_id);
    let key = |event: &SourceEvent| event.contact.as_ref().expect("a contact").key.clone();
    assert_eq!(key(&first), key(&other));
    assert_ne!(key(&first), key(&event("ben", "3", "hello")));
}

pub(crate) async fn what_does_not_verify_is_refused_unread<S: System>() {
    let server = S::server().await;
    let (source, system) = S::source(&server);
    let refused = source.receive(&system.forged("ana", "1", "hello"));
    assert!(refused.is_err_and(|refusal| refusal.is_unverified()));
    let mut garbage = system.forged("ana", "1", "hello");
    garbage.body = Bytes::from_static(b"\xff{");
    let refused = source.receive(&garbage);
    assert!(
        refused.is_err_and(|refusal| refusal.is_unverified()),
        "it was parsed first"
    );
}

pub(crate) async fn whatever_bytes_come_are_refused_or_taken<S: System>() {
    let server = S::server().await;
    let (source, system) = S::source(&server);
    let whole = system.says("ana", "1", "hello");
    for length in 0..whole.body.len() {
        let cut = system.with_body(whole.clone(), whole.body.slice(..length));
        assert_eq!(
            source.receive(&cut).err(),
            Some(WebhookRefusal::Malformed),
            "{length} bytes"
        );
    }
    for odd in ["[]", "1", "null", "\"\"", "{\"a\":1}", "[[[[]]]]"] {
        // Taken or not: it must not panic, and must not be taken for a visitor's words.
        let odd = system.with_body(whole.clone(), Bytes::from_static(odd.as_bytes()));
        if let Ok(received) = source.receive(&odd) {
            let spoke = |event: &SourceEvent| matches!(event.body, SourceBody::Message { .. });
            assert!(!received.events.iter().any(spoke));
        }
    }
}

pub(crate) async fn an_unknown_kind_is_kept<S: System>() {
    let server = S::server().await;
    let (source, system) = S::source(&server);
    let Some(webhook) = system.unknown() else {
        return;
    };
    let event = only(source.as_ref(), &webhook);
    let SourceBody::Unknown { raw, .. } = event.body else {
        panic!("not told as unknown");
    };
    let kept: serde_json::Value = serde_json::from_str(&raw).expect("JSON text");
    assert!(kept.is_object() || kept.is_array());
}

pub(crate) async fn text_is_shown_as_it_is<S: System>() {
    let server = S::server().await;
    let (source, system) = S::source(&server);
    let contact = met(&system, source.as_ref(), "ana");
    let said = "Votre colis est parti. <b> & \"demain\" 📦\nÀ bientôt !";
    let (sent, shown) = system
        .deliver(source.as_ref(), &server, &contact, &text(said))
        .await;
    assert!(
        matches!(sent, Sent::Acknowledged | Sent::AcknowledgedAs { .. }),
        "{sent:?}"
    );
    let expected = Shown {
        text: said.to_owned(),
        options: Vec::new(),
    };
    assert_eq!(shown, [expected], "once, and nothing else");
}

pub(crate) async fn the_longest_text_and_a_humans_words_are_taken<S: System>() {
    let server = S::server().await;
    let (source, system) = S::source(&server);
    let contact = met(&system, source.as_ref(), "ana");
    let human = Author::Human {
        name: "Lee".to_owned(),
        avatar_url: String::new(),
    };
    let longest = "é".repeat(source.capabilities().text_chars.min(10_000));
    for item in [text(&longest), Item::text(human, "Lee here.")] {
        let (sent, shown) = system
            .deliver(source.as_ref(), &server, &contact, &item)
            .await;
        assert!(
            matches!(sent, Sent::Acknowledged | Sent::AcknowledgedAs { .. }),
            "{sent:?}"
        );
        assert_eq!(shown.len(), 1, "one message");
    }
}

pub(crate) async fn what_is_offered_can_be_chosen<S: System>() {
    let server = S::server().await;
    let (source, system) = S::source(&server);
    let contact = met(&system, source.as_ref(), "ana");
    for limits in source.capabilities().offers {
        let labels = ["Track it", "Cancel it"];
        let item = offer(limits, &labels);
        let (sent, shown) = system
            .deliver(source.as_ref(), &server, &contact, &item)
            .await;
        assert!(
            matches!(sent, Sent::Acknowledged | Sent::AcknowledgedAs { .. }),
            "{sent:?}"
        );
        assert_eq!(shown[0].options, labels, "{:?}", limits.kind);
        let chosen = system.chooses("ana", "2", &item, 1);
        let chosen = chosen.expect("what can be offered can be chosen");
        let SourceBody::Message { words, .. } = only(source.as_ref(), &chosen).body else {
            panic!("not a message");
        };
        let Words::Chosen { payload, label } = words else {
            panic!("not a choice");
        };
        assert_eq!((payload.as_str(), label.as_str()), ("p:7:1", "Cancel it"));
    }
}

pub(crate) async fn what_was_not_sent_or_is_unclear_is_told<S: System>() {
    if !S::CALLS {
        return;
    }
    let unclear = [
        Behaviour::answer(500, "{}"),
        Behaviour::answer(502, ""),
        Behaviour::CloseBeforeAnswer,
        Behaviour::ResetBeforeAnswer,
        Behaviour::Malformed,
    ];
    for behaviour in unclear {
        let named = format!("{behaviour:?}");
        let sent = sent_to::<S>(behaviour).await;
        assert_eq!(sent, Sent::Unclear, "{named}");
    }
    let server = S::server().await;
    let (source, system) = S::source(&server);
    let contact = met(&system, source.as_ref(), "ana");
    server.stop().await;
    let sent = source.deliver(&contact.address, &text("hello")).await;
    assert_eq!(sent, Sent::NotSent, "nobody listens");
}

pub(crate) async fn a_busy_system_is_left_alone<S: System>() {
    if !S::CALLS {
        return;
    }
    let server = S::server().await;
    let (source, system) = S::source(&server);
    let contact = met(&system, source.as_ref(), "ana");
    server.next(S::is_busy(30));
    let after = match source.deliver(&contact.address, &text("hello")).await {
        Sent::Busy { retry_after } => retry_after,
        Sent::NotNow { after } => after,
        other => panic!("{other:?}"),
    };
    let after = after.expect("the time that it asked for");
    assert!(after > Duration::from_secs(20), "{after:?}");
}

pub(crate) async fn refused_credentials_are_told_without_them<S: System>() {
    if !S::CALLS {
        return;
    }
    let sent = sent_to::<S>(S::refuses_credentials()).await;
    let Sent::Refused { refusal, detail } = sent else {
        panic!("{sent:?}");
    };
    assert_eq!(refusal, Refusal::Credentials);
    assert!(detail.len() <= 512);
    assert!(!detail.contains(SECRET), "{detail}");
}

pub(crate) async fn a_handover_and_its_return_can_be_repeated<S: System>() {
    let server = S::server().await;
    let (source, system) = S::source(&server);
    // A source that is answered in its own request hands over there: its own tests play that.
    if !source.capabilities().hands_over || !S::CALLS {
        return;
    }
    let contact = met(&system, source.as_ref(), "ana");
    let owner = async || match source.read_owner(&contact.address).await {
        Ok(observed) => observed.owner,
        Err(error) => panic!("{error:?}"),
    };
    for _ in 0..2 {
        let sent = source.escalate(&contact.address, &handover()).await;
        assert!(
            matches!(sent, Sent::Acknowledged | Sent::AcknowledgedAs { .. }),
            "{sent:?}"
        );
        if source.capabilities().reads_owner {
            assert_eq!(owner().await, Owner::Human);
        }
    }
    for _ in 0..2 {
        let sent = source.resume(&contact.address, "").await;
        assert!(
            matches!(sent, Sent::Acknowledged | Sent::AcknowledgedAs { .. }),
            "{sent:?}"
        );
        if source.capabilities().reads_owner {
            assert_eq!(owner().await, Owner::Agent);
        }
    }
}

pub(crate) async fn nothing_secret_is_printed<S: System>() {
    let server = S::server().await;
    let (source, system) = S::source(&server);
    let webhook = system.says("ana", "1", "my words");
    let received = source.receive(&webhook).expect("a webhook that is taken");
    let printed = format!("{source:?} {received:?} {webhook:?}");
    assert!(!printed.contains(SECRET), "{printed}");
    assert!(!printed.contains("my words"), "{printed}");
}

/// Stands in every secret that a source under test is given.
pub(crate) const SECRET: &str = "5ecret";

async fn sent_to<S: System>(behaviour: Behaviour) -> Sent {
    let server = S::server().await;
    let (source, system) = S::source(&server);
    let contact = met(&system, source.as_ref(), "ana");
    server.next(behaviour);
    tokio::time::timeout(PATIENCE, source.deliver(&contact.address, &text("hello")))
        .await
        .expect("an ending")
}

/// Makes a test of each requirement for one source.
macro_rules! source_conformance_suite {
    ($system:ty) => {
        $crate::sources::conformance::source_conformance_suite!(
            $system;
            words_come_through,
            who_and_what_are_told_apart_by_stable_ids,
            what_does_not_verify_is_refused_unread,
            whatever_bytes_come_are_refused_or_taken,
            an_unknown_kind_is_kept,
            text_is_shown_as_it_is,
            the_longest_text_and_a_humans_words_are_taken,
            what_is_offered_can_be_chosen,
            what_was_not_sent_or_is_unclear_is_told,
            a_busy_system_is_left_alone,
            refused_credentials_are_told_without_them,
            a_handover_and_its_return_can_be_repeated,
            nothing_secret_is_printed,
        );
    };
    ($system:ty; $($requirement:ident),+ $(,)?) => {
        mod conformance {
            use super::*;

            $(#[tokio::test]
            async fn $requirement() {
                $crate::sources::conformance::$requirement::<$system>().await;
            })+
        }
    };
}

pub(crate) use source_conformance_suite;
