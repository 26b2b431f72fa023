//! Who answers a contact: read, given to people, and taken back.

use std::time::Duration;

use super::{
    super::{Ownership, Said},
    fixture::{Stage, events, text, twitter, whatsapp},
};
use crate::{
    domain::{
        Evidence, Owner,
        outbound::{Refusal, Sent},
        ports::Source,
        source::{NotRead, Observed, SourceBody},
    },
    simulate::social_connect::{Call, Contact, Failure},
    sources::conformance::{handover, text as item},
    tests::fake_server::Behaviour,
};

fn owned(observed: &Result<Observed, NotRead>) -> Owner {
    match observed {
        Ok(observed) => observed.owner,
        Err(error) => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn qsc_13_a_handover_is_read_by_its_path_alone() {
    let stage = Stage::new().await;
    let source = stage.by_handover();
    let contact = stage.met(&source, &whatsapp());
    let read = source.read_owner(&contact.address).await;
    assert_eq!(read, Ok(Observed::read(Owner::Agent)));
    let request = stage.server.last_request();
    assert_eq!(request.method, "GET");
    assert_eq!(request.path, "/1417/inbox/handover/whatsapp/32470000001");
    assert!(request.body.is_empty());
}

#[tokio::test]
async fn live_chat_is_called_web_there() {
    let stage = Stage::new().await;
    let source = stage.by_handover();
    let contact = stage.met(&source, &Contact::new("livechat", "v-1"));
    source.escalate(&contact.address, &handover()).await;
    assert_eq!(
        stage.server.last_request().path,
        "/1417/inbox/handover/web/v-1"
    );
    let sent = source.deliver(&contact.address, &item("hi")).await;
    assert!(matches!(sent, Sent::AcknowledgedAs { .. }), "{sent:?}");
}

#[tokio::test]
async fn qsc_14_a_second_escalation_that_is_refused_because_it_is_done_is_no_error() {
    let stage = Stage::new().await;
    let source = stage.by_handover();
    let contact = stage.met(&source, &whatsapp());
    let sent = source.escalate(&contact.address, &handover()).await;
    assert_eq!(sent, Sent::Acknowledged);
    let refused = Failure::error(400, "invalid_parameter");
    stage
        .place
        .platform
        .fail_next(Call::HandOver, refused.clone());
    let sent = source.escalate(&contact.address, &handover()).await;
    assert_eq!(sent, Sent::Acknowledged);
    assert_eq!(stage.place.platform.count(Call::HandOver), 2);
    assert!(stage.place.platform.human_owns(&whatsapp()));
    // Refused while it is not so, it is refused.
    stage.place.platform.hand_over_to_bot(&whatsapp());
    stage.place.platform.fail_next(Call::HandOver, refused);
    let sent = source.escalate(&contact.address, &handover()).await;
    let Sent::Refused { refusal, detail } = sent else {
        panic!("{sent:?}");
    };
    assert_eq!(refusal, Refusal::Request);
    assert_eq!(detail, "invalid_parameter (HTTP 400)");
}

#[tokio::test]
async fn qsc_15_the_bot_is_resumed_by_one_delete() {
    let stage = Stage::new().await;
    let source = stage.by_handover();
    let contact = stage.met(&source, &whatsapp());
    source.escalate(&contact.address, &handover()).await;
    assert_eq!(
        owned(&source.read_owner(&contact.address).await),
        Owner::Human
    );
    assert_eq!(
        source.resume(&contact.address, "").await,
        Sent::Acknowledged
    );
    assert_eq!(stage.place.platform.count(Call::HandBack), 1);
    assert_eq!(stage.server.last_request().method, "DELETE");
    let found = events(&source, &stage.place.says(&whatsapp(), "and now?"));
    assert_eq!((found.len(), text(&found[0])), (1, "and now?"));
    assert_eq!(
        owned(&source.read_owner(&contact.address).await),
        Owner::Agent
    );
}

#[tokio::test]
async fn qsc_16_an_owner_that_is_not_understood_is_unknown() {
    let stage = Stage::new().await;
    let source = stage.by_handover();
    let contact = stage.met(&source, &whatsapp());
    let answer = |owner: &str| {
        let body =
            format!(r#"{{"meta":{{"code":200}},"response":{{"service":"whatsapp"{owner}}}}}"#);
        Behaviour::answer(200, &body)
    };
    for (owner, unknown) in [
        (r#","owner":"martian""#, "martian"),
        ("", "no owner"),
        (r#","owner":{"id":1}"#, ""),
        (r#","owner":null"#, ""),
    ] {
        stage.server.next(answer(owner));
        let observed = source
            .read_owner(&contact.address)
            .await
            .expect("an answer");
        assert_eq!(observed.owner, Owner::Unknown, "{owner}");
        assert_eq!(observed.unknown, unknown);
    }
    for (owner, known) in [("Engage", Owner::Human), ("parloir-app", Owner::Agent)] {
        stage.server.next(answer(&format!(r#","owner":"{owner}""#)));
        assert_eq!(owned(&source.read_owner(&contact.address).await), known);
    }
}

#[tokio::test]
async fn the_words_for_owners_are_settings() {
    let stage = Stage::new().await;
    let source = stage.source(|config| {
        config.ownership = Ownership::Handover;
        config.owner_words = [("Application".to_owned(), Said::Human)].into();
    });
    let contact = stage.met(&source, &whatsapp());
    assert_eq!(
        owned(&source.read_owner(&contact.address).await),
        Owner::Human
    );
}

#[tokio::test]
async fn qsc_17_an_id_is_one_segment_whatever_is_in_it() {
    let stage = Stage::new().await;
    let source = stage.by_handover();
    let contact = stage.met(&source, &Contact::new("viber", "a/b+c:d é%"));
    assert_eq!(
        owned(&source.read_owner(&contact.address).await),
        Owner::Agent
    );
    let path = stage.server.last_request().path;
    assert_eq!(path, "/1417/inbox/handover/viber/a%2Fb%2Bc%3Ad%20%C3%A9%25");
}

#[tokio::test]
async fn qsc_26_a_tagged_contact_is_a_humans_in_any_spelling_and_no_call_is_made() {
    let stage = Stage::new().await;
    let source = stage.by_tag();
    stage
        .place
        .platform
        .agent_tags(&twitter(), "Escalated to agent ");
    let found = events(&source, &stage.place.says(&twitter(), "hello"));
    let owner = found[0].owner.clone().expect("it tells the owner");
    assert_eq!(
        (owner.owner, owner.evidence),
        (Owner::Human, Evidence::Pushed)
    );
    assert!(stage.server.requests().is_empty());
}

#[tokio::test]
async fn qsc_27_without_tags_in_the_message_the_contact_is_asked_first() {
    let stage = Stage::with(|settings| settings.tells_tags = false).await;
    let source = stage.by_tag();
    let webhook = stage.place.says(&whatsapp(), "hello");
    let found = events(&source, &webhook);
    assert!(
        matches!(found[0].body, SourceBody::Doubt),
        "asked before anything is sent"
    );
    assert_eq!((found.len(), text(&found[1])), (2, "hello"));
    assert_eq!(found[1].owner, None);
    assert!(found[0].event_id.is_some() && found[0].event_id != found[1].event_id);
    let address = &found[0].contact.as_ref().expect("a contact").address;
    assert_eq!(owned(&source.read_owner(address).await), Owner::Agent);
    let requests = stage.server.requests();
    assert_eq!(requests.len(), 1);
    let expected = "/1417/inbox/contact/whatsapp/32470000001?topic_ids=46283";
    assert_eq!(
        (requests[0].method.as_str(), requests[0].path.as_str()),
        ("GET", expected)
    );
    stage
        .place
        .platform
        .agent_tags(&whatsapp(), "ESCALATED TO AGENT");
    assert_eq!(owned(&source.read_owner(address).await), Owner::Human);
}

#[tokio::test]
async fn topics_are_named_only_where_they_must_be_and_as_configured() {
    let stage = Stage::new().await;
    let source = stage.source(|config| config.topic_ids = "46283,46284".to_owned());
    for (contact, path) in [
        (twitter(), "/1417/inbox/contact/twitter/3313939576"),
        (
            whatsapp(),
            "/1417/inbox/contact/whatsapp/32470000001?topic_ids=46283%2C46284",
        ),
    ] {
        let contact = stage.met(&source, &contact);
        assert_eq!(
            owned(&source.read_owner(&contact.address).await),
            Owner::Agent
        );
        assert_eq!(stage.server.last_request().path, path);
    }
}

#[tokio::test]
async fn qsc_28_a_contact_that_cannot_be_read_is_not_guessed() {
    let stage = Stage::new().await;
    let source = stage.by_tag();
    let contact = stage.met(&source, &twitter());
    let failure = Failure::error(500, "internal_server_error");
    stage.place.platform.fail_next(Call::ReadContact, failure);
    let read = source.read_owner(&contact.address).await;
    assert_eq!(
        read,
        Err(NotRead::Later {
            after: Some(Duration::from_secs(10))
        })
    );
    let without_tags = r#"{"meta":{"code":200},"response":{"id":"c-1"}}"#;
    stage.server.next(Behaviour::answer(200, without_tags));
    assert_eq!(
        owned(&source.read_owner(&contact.address).await),
        Owner::Unknown
    );
    assert_eq!(stage.place.platform.count(Call::Publish), 0);
}

#[tokio::test]
async fn qsc_33_an_escalation_adds_the_tag() {
    let stage = Stage::new().await;
    let source = stage.by_tag();
    stage.place.platform.agent_tags(&twitter(), "vip");
    let contact = stage.met(&source, &twitter());
    for _ in 0..2 {
        let sent = source.escalate(&contact.address, &handover()).await;
        assert_eq!(sent, Sent::Acknowledged);
    }
    let seen = stage.place.platform.calls().remove(0);
    assert_eq!(
        (seen.call, seen.path.as_str()),
        (Call::EditContact, "/1417/inbox/contact/twitter/3313939576")
    );
    assert_eq!(
        seen.field("updates"),
        Some(r#"{"tags":["escalated to agent"]}"#)
    );
    assert_eq!(seen.field("options"), Some(r#"{"tags_edit_mode":"add"}"#));
    assert_eq!(
        stage.place.platform.tags(&twitter()),
        ["vip", "escalated to agent"]
    );
}

#[tokio::test]
async fn qsc_34_a_resumption_removes_the_tag_as_it_is_spelled_and_no_other() {
    let stage = Stage::new().await;
    let source = stage.by_tag();
    for tag in ["vip", "Escalated To Agent", "escalated to agent "] {
        stage.place.platform.agent_tags(&twitter(), tag);
    }
    let contact = stage.met(&source, &twitter());
    for _ in 0..2 {
        assert_eq!(
            source.resume(&contact.address, "").await,
            Sent::Acknowledged
        );
    }
    assert_eq!(stage.place.platform.tags(&twitter()), ["vip"]);
    let edits: Vec<_> = stage.place.platform.calls();
    let edits: Vec<_> = edits
        .iter()
        .filter(|seen| seen.call == Call::EditContact)
        .collect();
    assert_eq!(edits.len(), 1, "nothing is left to remove the second time");
    assert_eq!(
        edits[0].field("options"),
        Some(r#"{"tags_edit_mode":"delete"}"#)
    );
}

#[tokio::test]
async fn where_the_tags_cannot_be_read_the_configured_one_is_removed_all_the_same() {
    let stage = Stage::new().await;
    let source = stage.by_tag();
    let contact = stage.met(&source, &twitter());
    for untold in [
        r#"{"id":"c-1"}"#,
        r#"{"tags":null}"#,
        r#"{"tags":{"1":"escalated to agent"}}"#,
        r#"{"tags":[{"id":1}]}"#,
    ] {
        stage
            .place
            .platform
            .agent_tags(&twitter(), "escalated to agent");
        let body = format!(r#"{{"meta":{{"code":200}},"response":{untold}}}"#);
        stage.server.next(Behaviour::answer(200, &body));
        let sent = source.resume(&contact.address, "").await;
        assert_eq!(sent, Sent::Acknowledged, "{untold}");
        assert!(stage.place.platform.tags(&twitter()).is_empty(), "{untold}");
    }
}

#[tokio::test]
async fn qsc_35_a_text_that_fails_after_the_tag_never_takes_the_tag_away() {
    let stage = Stage::new().await;
    let source = stage.by_tag();
    let contact = stage.met(&source, &twitter());
    source.escalate(&contact.address, &handover()).await;
    let failure = Failure::error(500, "internal_server_error");
    stage.place.platform.fail_next(Call::Publish, failure);
    let sent = source
        .deliver(&contact.address, &item("A colleague will take over."))
        .await;
    assert_eq!(sent, Sent::Unclear);
    assert!(stage.place.platform.human_owns(&twitter()));
    assert_eq!(stage.place.platform.count(Call::EditContact), 1);
}

#[tokio::test]
async fn qsc_36_once_the_tag_is_gone_the_next_message_is_the_bots() {
    let stage = Stage::new().await;
    let source = stage.by_tag();
    let contact = stage.met(&source, &twitter());
    source.escalate(&contact.address, &handover()).await;
    let said = |text| events(&source, &stage.place.says(&twitter(), text)).remove(0);
    let owner = |text| said(text).owner.map(|observed| observed.owner);
    assert_eq!(owner("Lee?"), Some(Owner::Human));
    stage
        .place
        .platform
        .agent_untags(&twitter(), "escalated to agent");
    assert_eq!(owner("One more thing"), Some(Owner::Agent));
}

#[tokio::test]
async fn a_missing_permission_to_hand_over_is_not_taken_for_done() {
    let stage = Stage::with(|settings| settings.hands_over = false).await;
    let source = stage.by_handover();
    let contact = stage.met(&source, &whatsapp());
    let sent = source.escalate(&contact.address, &handover()).await;
    let Sent::Refused { refusal, .. } = sent else {
        panic!("{sent:?}");
    };
    assert_eq!(refusal, Refusal::Credentials);
    let read = source.read_owner(&contact.address).await;
    let detail = "no_permission (HTTP 403)".to_owned();
    assert_eq!(read, Err(NotRead::Refused { detail }));
}
