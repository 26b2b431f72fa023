//! A receipt as people and programs read it.

use parloir_proto::v1::ErasedConversation;

use super::*;

fn receipt(state: UpstreamErasureState) -> Erasure {
    let upstream = UpstreamErasure {
        agent: "shop".into(),
        conversation_id: "c-1".into(),
        internal_id_sha256: "0123456789abcdef".into(),
        state: state.into(),
        reason: "AGENT_REJECTED".into(),
        attempts: 3,
        next_try_time: None,
        end_time: None,
    };
    Erasure {
        receipt_id: "r-1".into(),
        account: "demo".into(),
        state: ErasureState::Erased.into(),
        conversations: vec![ErasedConversation {
            conversation_id: "c-1".into(),
            through_sequence: 7,
        }],
        upstream: vec![upstream],
        ..Erasure::default()
    }
}

fn printed(receipt: &Erasure, as_json: bool) -> String {
    let mut out = Vec::new();
    print(receipt, as_json, &mut out).expect("prints");
    String::from_utf8(out).expect("text")
}

#[test]
fn a_receipt_says_what_became_of_each_part() {
    let text = printed(&receipt(UpstreamErasureState::Failed), false);
    for part in [
        "receipt r-1",
        "c-1 of account demo: every event through sequence 7",
        "after 3 tries: AGENT_REJECTED (id 0123456789ab...)",
    ] {
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
    let text = printed(&receipt(UpstreamErasureState::IdNeverSeen), false);
    assert!(text.contains("parloir delete-user-data"), "{text}");
    let object: Value =
        serde_json::from_str(&printed(&receipt(UpstreamErasureState::Confirmed), true))
            .expect("JSON");
    assert_eq!(object["state"], "ERASURE_STATE_ERASED");
    assert_eq!(
        object["upstream"][0]["state"],
        "UPSTREAM_ERASURE_STATE_CONFIRMED"
    );
}

#[test]
fn it_is_settled_once_no_platform_is_asked_any_more() {
    assert!(!is_settled(&receipt(UpstreamErasureState::Requested)));
    assert!(is_settled(&receipt(UpstreamErasureState::Confirmed)));
    let pending = Erasure {
        state: ErasureState::Pending.into(),
        ..receipt(UpstreamErasureState::Confirmed)
    };
    assert!(!is_settled(&pending));
}

#[test]
fn only_a_yes_erases() {
    for (typed, expected) in [
        ("y\n", true),
        ("YES\n", true),
        ("\n", false),
        ("no\n", false),
    ] {
        let mut asked = Vec::new();
        let said = confirmed(&mut typed.as_bytes(), &mut asked, "conversation", "c-1");
        assert_eq!(said.expect("reads"), expected, "{typed:?}");
        assert!(String::from_utf8_lossy(&asked).contains("cannot be undone"));
    }
}
