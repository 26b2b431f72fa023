//! Giving a visitor to a human: the last item of an answer.

use serde_json::{Value, json};

use super::platform::{FakeLivePerson, address};
use crate::{
    domain::{outbound::Sent, ports::Source, source::Handover},
    sources::conformance::handover,
};

impl FakeLivePerson {
    async fn escalate(&self, conversation: &str, handover: &Handover) -> Sent {
        let address = address(conversation);
        self.source.escalate(&address, handover).await
    }

    /// Where `LivePerson` is told to transfer to.
    async fn transfer(&self, target: &str) -> Value {
        let call = self.hears("c1", "a human, please");
        let handover = to(target);
        assert_eq!(self.escalate("c1", &handover).await, Sent::Acknowledged);
        let answer = call.answer().await;
        assert_eq!(answer.len(), 1);
        let data = &answer[0]["data"];
        assert_eq!(
            (&answer[0]["type"], &data["name"]),
            (&json!("ACTION"), &json!("TRANSFER"))
        );
        data["parameters"].clone()
    }
}

fn to(target: &str) -> Handover {
    Handover {
        target: target.to_owned(),
        ..handover()
    }
}

fn with_routes() -> FakeLivePerson {
    FakeLivePerson::set(|config, _| {
        let skill = |target: &str, skill: &str| (target.to_owned(), skill.to_owned());
        config.skills = [skill("billing", "Billing EU"), skill("vip", "VIP")].into();
        config.agent_ids = [skill("lee", "12.34"), skill("vip", "56.78")].into();
    })
}

#[tokio::test(start_paused = true)]
async fn lp_08_a_handover_is_the_last_item_and_ends_the_wait() {
    let live = with_routes();
    assert!(live.source.capabilities().hands_over);
    let call = live.hears("c1", "a human, please");
    assert_eq!(live.deliver("c1", "Let me see.").await, Sent::Acknowledged);
    let begun = tokio::time::Instant::now();
    let handover = Handover {
        text: Some("A colleague takes over.".to_owned()),
        note: "wants a refund".to_owned(),
        ..to("billing")
    };
    assert_eq!(live.escalate("c1", &handover).await, Sent::Acknowledged);
    let answer = call.answer().await;
    assert!(
        begun.elapsed().as_millis() < 10,
        "it is not gathered any more"
    );
    let text = |message: &str| json!({ "type": "TEXT", "data": { "message": message } });
    let note = json!({ "message": "wants a refund", "messageAudience": "AGENTS_AND_MANAGERS" });
    let action = json!({ "name": "TRANSFER", "parameters": { "skillName": "Billing EU" } });
    let expected = [
        text("Let me see."),
        text("A colleague takes over."),
        json!({ "type": "TEXT", "data": note }),
        json!({ "type": "ACTION", "data": action }),
    ];
    assert_eq!(answer, expected);
}

#[tokio::test(start_paused = true)]
async fn lp_08_the_target_chooses_the_skill_or_the_user() {
    let live = with_routes();
    let routes = [
        ("billing", json!({ "skillName": "Billing EU" })),
        ("Billing", json!({ "skillName": "Humans" })),
        ("", json!({ "skillName": "Humans" })),
        ("lee", json!({ "agentId": "12.34" })),
        ("vip", json!({ "skillName": "VIP", "agentId": "56.78" })),
    ];
    for (target, parameters) in routes {
        assert_eq!(live.transfer(target).await, parameters, "{target}");
    }
}

#[tokio::test(start_paused = true)]
async fn lp_15_a_transfer_names_nobody_to_be_removed() {
    let live = with_routes();
    for target in ["billing", "lee", "vip", "another"] {
        // LivePerson itself takes the bot off: whether somebody is assigned or not, the request is the same.
        let parameters = live.transfer(target).await.to_string();
        for word in ["REMOVE", "ParticipantsChange", "ASSIGNED_AGENT"] {
            assert!(!parameters.contains(word), "{parameters}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_handover_nothing_is_said_any_more() {
    let live = FakeLivePerson::new();
    let first = live.hears("c1", "a human, please");
    let second = live.hears("c1", "hello?");
    assert_eq!(live.escalate("c1", &to("")).await, Sent::Acknowledged);
    let sent = live.deliver("c1", "one more thing").await;
    assert!(matches!(sent, Sent::NotNow { after: Some(_) }), "{sent:?}");
    assert_eq!(first.answer().await.len(), 1);
    assert!(second.answer().await.is_empty(), "no fallback either");
}

#[tokio::test(start_paused = true)]
async fn a_handover_without_a_call_waits_for_one() {
    let live = FakeLivePerson::new();
    let sent = live.escalate("c1", &to("")).await;
    assert!(matches!(sent, Sent::NotNow { after: Some(_) }), "{sent:?}");
    let resumed = live.source.resume(&address("c1"), "").await;
    assert_eq!(resumed, Sent::Acknowledged, "LivePerson assigns");
}
