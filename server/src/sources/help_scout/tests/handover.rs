//! Handing over and taking back: tags, notes, assignments, each only where it is not there yet.

use serde_json::{Value, json};

use super::fixture::{BOT, CONVERSATION, Stage};
use crate::{
    domain::{
        Owner,
        outbound::Sent,
        ports::Source,
        source::{Handover, NotRead, Observed},
    },
    sources::conformance::handover,
    tests::fake_server::Behaviour,
};

const TEAM: u64 = 500;

fn with_note(target: &str, note: &str) -> Handover {
    Handover {
        target: target.to_owned(),
        note: note.to_owned(),
        ..handover()
    }
}

async fn owner(stage: &Stage) -> Owner {
    let observed = stage.source.read_owner(CONVERSATION).await;
    observed.expect("it can be read").owner
}

/// What was changed, in order.
fn changes(stage: &Stage) -> Vec<(String, String, Value)> {
    let asked = stage.asked().into_iter();
    asked.filter(|(method, ..)| method != "GET").collect()
}

fn change(method: &str, path: &str, body: Value) -> (String, String, Value) {
    (
        method.to_owned(),
        format!("/v2/conversations/42{path}"),
        body,
    )
}

#[tokio::test]
async fn hs_08_a_handover_adds_its_tag_to_those_that_are_there() {
    let stage = Stage::with(|config| {
        config.escalate_to = Some(TEAM);
        config.note = "Handed over.".to_owned();
    })
    .await;
    stage.world().conversations.get_mut(&42).expect("it").tags = vec!["a".into(), "b".into()];
    assert_eq!(owner(&stage).await, Owner::Agent);
    let handover = with_note("billing", "Wants <money> back\nsoon");
    assert_eq!(
        stage.source.escalate(CONVERSATION, &handover).await,
        Sent::Acknowledged
    );
    let note = "Handed over.<br><br>Wanted: billing<br><br>Wants &lt;money&gt; back<br>soon";
    let expected = [
        change("PUT", "/tags", json!({ "tags": ["a", "b", "escalated"] })),
        change("POST", "/notes", json!({ "text": note, "user": BOT })),
        change(
            "PATCH",
            "",
            json!({ "op": "replace", "path": "/assignTo", "value": TEAM }),
        ),
    ];
    assert_eq!(changes(&stage), expected);
    assert_eq!(owner(&stage).await, Owner::Human);
    // Once more, as after an unclear end: nothing is left to do.
    assert_eq!(
        stage.source.escalate(CONVERSATION, &handover).await,
        Sent::Acknowledged
    );
    assert_eq!(changes(&stage).len(), expected.len());
}

#[tokio::test]
async fn a_handover_that_broke_off_goes_on_where_it_was() {
    let stage = Stage::with(|config| config.escalate_to = Some(TEAM)).await;
    let handover = with_note("", "why");
    // The conversation and the tag, then the minute's requests are used up.
    stage.world().left = Some(3);
    let sent = stage.source.escalate(CONVERSATION, &handover).await;
    assert!(matches!(sent, Sent::Busy { .. }), "{sent:?}");
    stage.world().left = None;
    assert_eq!(
        stage.source.escalate(CONVERSATION, &handover).await,
        Sent::Acknowledged
    );
    let kinds: Vec<_> = changes(&stage)
        .into_iter()
        .map(|(method, ..)| method)
        .collect();
    assert_eq!(kinds, ["PUT", "POST", "PATCH"], "each once");
    stage.server.next(Behaviour::answer(500, "{}"));
    let sent = stage.source.escalate(CONVERSATION, &handover).await;
    assert_eq!(sent, Sent::Unclear);
}

#[tokio::test]
async fn without_a_team_and_without_words_a_handover_is_the_tag_alone() {
    let stage = Stage::with(|config| config.note = String::new()).await;
    assert_eq!(
        stage.source.escalate(CONVERSATION, &handover()).await,
        Sent::Acknowledged
    );
    assert_eq!(
        changes(&stage),
        [change("PUT", "/tags", json!({ "tags": ["escalated"] }))]
    );
}

#[tokio::test]
async fn taking_back_removes_the_assignee_and_the_tag_and_nothing_else() {
    let stage = Stage::new().await;
    {
        let mut world = stage.world();
        let conversation = world.conversations.get_mut(&42).expect("it");
        conversation.tags = vec!["vip".into(), "Escalated".into()];
        // Not the team that it was given to, but one of its members.
        conversation.assignee = Some(9);
    }
    for _ in 0..2 {
        assert_eq!(
            stage.source.resume(CONVERSATION, "Settled").await,
            Sent::Acknowledged
        );
    }
    let expected = [
        change("POST", "/notes", json!({ "text": "Settled", "user": BOT })),
        change("PATCH", "", json!({ "op": "remove", "path": "/assignTo" })),
        change("PUT", "/tags", json!({ "tags": ["vip"] })),
    ];
    assert_eq!(
        changes(&stage),
        expected,
        "the second time nothing was left to do"
    );
    assert_eq!(owner(&stage).await, Owner::Agent);
}

#[tokio::test]
async fn what_is_assigned_to_our_user_stays_there() {
    let stage = Stage::new().await;
    stage
        .world()
        .conversations
        .get_mut(&42)
        .expect("it")
        .assignee = Some(BOT);
    assert_eq!(owner(&stage).await, Owner::Agent);
    assert_eq!(
        stage.source.resume(CONVERSATION, "Settled").await,
        Sent::Acknowledged
    );
    assert_eq!(changes(&stage), []);
}

#[tokio::test]
async fn an_answer_that_does_not_say_is_no_owner() {
    let stage = Stage::new().await;
    stage.source.desk.api.tokens.put("token-0");
    stage.server.next(Behaviour::answer(200, r#"{"id":42}"#));
    let observed = stage
        .source
        .read_owner(CONVERSATION)
        .await
        .expect("it was read");
    assert_eq!(observed.owner, Owner::Unknown);
    assert!(!observed.unknown.is_empty());
    for garbled in [Behaviour::answer(200, "{"), Behaviour::Truncated(200)] {
        stage.server.next(garbled);
        let read: Result<Observed, NotRead> = stage.source.read_owner(CONVERSATION).await;
        assert_eq!(read, Err(NotRead::Later { after: None }));
    }
    stage.server.next(Behaviour::answer(404, "{}"));
    let gone = stage.source.read_owner(CONVERSATION).await;
    assert!(matches!(gone, Err(NotRead::Refused { .. })), "{gone:?}");
}
