//! Who may call.

use http::{Method, header::AUTHORIZATION};
use serde_json::{Value, json};

use super::platform::{
    ACCOUNT, FakeLivePerson, NOW, SCOPE, SENTINEL, STRANGER, path, public_pem, put, token,
    with_token,
};

impl FakeLivePerson {
    fn takes(&self, token: &str) -> bool {
        match self.receive(&with_token(Method::GET, &path(""), "", token)) {
            Ok(_) => true,
            Err(refusal) => {
                assert!(refusal.is_unverified());
                false
            }
        }
    }
}

fn claiming(name: &str, value: Value) -> String {
    token(SENTINEL, |claims| claims[name] = value)
}

#[test]
fn lp_05_a_token_for_somebody_or_something_else_is_refused() {
    let live = FakeLivePerson::new();
    assert!(live.takes(&token(SENTINEL, |_| {})));
    let wrong = [
        ("scope", json!("thirdpartybots.customendpoint")),
        ("scope", json!("")),
        ("scope", Value::Null),
        ("iss", json!("sentinel")),
        ("iss", Value::Null),
        ("aud", json!("le54321")),
        ("aud", json!([])),
        ("aud", Value::Null),
        ("exp", json!(NOW - 31)),
        ("exp", json!(i64::MAX)),
        ("exp", json!("tomorrow")),
        ("exp", Value::Null),
        ("nbf", json!(NOW + 31)),
        ("nbf", json!("now")),
    ];
    for (name, value) in wrong {
        assert!(
            !live.takes(&claiming(name, value.clone())),
            "{name} {value}"
        );
    }
    let right = [
        ("scope", json!([SCOPE])),
        ("scope", json!(format!("other {SCOPE}"))),
        ("aud", json!(["other", ACCOUNT])),
        ("exp", json!(NOW - 29)),
        ("nbf", json!(NOW + 29)),
    ];
    for (name, value) in right {
        assert!(live.takes(&claiming(name, value.clone())), "{name} {value}");
    }
}

#[test]
fn lp_05_a_token_that_no_key_signed_is_refused() {
    let live = FakeLivePerson::new();
    assert!(!live.takes(&token(STRANGER, |_| {})));
    let good = token(SENTINEL, |_| {});
    let parts: Vec<&str> = good.split('.').collect();
    let other = token(SENTINEL, |claims| claims["aud"] = json!("other"));
    let claims = other.split('.').nth(1).expect("claims");
    let changed = [
        format!("{}.{claims}.{}", parts[0], parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}", parts[0], parts[1]),
        // {"alg":"none"}
        format!("eyJhbGciOiJub25lIn0.{}.", parts[1]),
        String::new(),
        "..".to_owned(),
        "no token".to_owned(),
    ];
    for token in changed {
        assert!(!live.takes(&token), "{token}");
    }
    let mut bare = with_token(Method::GET, &path(""), "", &good);
    bare.headers.remove(AUTHORIZATION);
    let mut basic = bare.clone();
    let value = format!("Basic {good}").parse().expect("a header");
    basic.headers.insert(AUTHORIZATION, value);
    for webhook in [bare, basic] {
        let refused = live.receive(&webhook).err();
        assert!(refused.is_some_and(|refusal| refusal.is_unverified()));
    }
}

#[test]
fn lp_06_the_old_scope_is_taken_and_counted() {
    let live = FakeLivePerson::new();
    let old = claiming("scope", json!("ihub.tpb.customendpoint"));
    assert!(live.takes(&old) && live.takes(&old));
    assert_eq!(live.source.tokens.old_scopes(), 2);
    assert!(live.takes(&token(SENTINEL, |_| {})));
    assert_eq!(live.source.tokens.old_scopes(), 2, "the new one is not");
}

#[test]
fn each_of_several_keys_counts_and_a_replaced_one_from_the_next_call_on() {
    let live = FakeLivePerson::set(|config, folder| {
        let next = put(folder, "next", &public_pem(STRANGER));
        config.public_keys.push(next);
    });
    assert!(live.takes(&token(SENTINEL, |_| {})));
    assert!(live.takes(&token(STRANGER, |_| {})));
    live.replace("next", &public_pem(SENTINEL));
    assert!(!live.takes(&token(STRANGER, |_| {})));
    live.replace("key", "unreadable");
    assert!(
        live.takes(&token(SENTINEL, |_| {})),
        "the other still counts"
    );
}

#[test]
fn what_is_no_public_key_is_told_at_the_start_without_its_text() {
    for wrong in ["hunter2", SENTINEL] {
        let started = FakeLivePerson::try_set(|config, folder| {
            config.public_keys.push(put(folder, "wrong", wrong));
        });
        let Err(error) = started else {
            panic!("it started");
        };
        let told = format!("{error:#}");
        assert!(told.contains("public_keys[1]"), "{told}");
        assert!(!told.contains(wrong), "{told}");
    }
}
