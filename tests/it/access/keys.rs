//! What counts as a key, and what does not.

use tonic::Code;

use super::house::{House, assert_admitted, assert_refused, bearer, call, fresh_key};

const GET: &str = "/parloir.v1.ConversationService/GetConversation";

/// Test 18: no token, garbled ones, unknown ones: all alike.
#[tokio::test]
async fn what_is_not_a_key_that_counts_is_refused_with_one_word() {
    let house = House::with_callers("").await;
    let channel = house.channel().await;
    let key = house.key("converse");
    assert_admitted(&call(&channel, GET, Some(&bearer(&key))).await, "the key");
    assert_admitted(
        &call(&channel, GET, Some(&format!("bearer {key}"))).await,
        "another case",
    );
    let missing = call(&channel, GET, None).await;
    assert_refused(
        missing,
        Code::Unauthenticated,
        "CREDENTIALS_MISSING",
        "no token",
    );
    let other = fresh_key();
    let mixed = format!("{}{}", &key[..21], &other[21..]);
    let mut messages = Vec::new();
    for bad in [
        String::new(),
        "Bearer".into(),
        bearer(""),
        bearer(&key[..key.len() - 1]),
        bearer(&format!("{key}A")),
        bearer(&key.to_uppercase()),
        bearer(&other),
        bearer(&mixed),
        format!("Basic {key}"),
        key.clone(),
        format!("Bearer {key}, Bearer {other}"),
    ] {
        let status = call(&channel, GET, Some(&bad)).await.expect_err("refused");
        messages.push(status.message().to_owned());
        assert_refused(
            Err(status),
            Code::Unauthenticated,
            "CREDENTIALS_INVALID",
            &bad,
        );
    }
    messages.dedup();
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(!messages[0].contains("parloir_"), "{messages:?}");
}

/// Test 18: a token in the query, a good one.
#[tokio::test]
async fn a_key_in_the_address_is_refused() {
    let house = House::with_callers("").await;
    let channel = house.channel().await;
    let key = house.key("converse");
    for query in [
        format!("key={key}"),
        format!("access_token={key}"),
        "x".into(),
    ] {
        let path = format!("{GET}?{query}");
        let answer = call(&channel, &path, Some(&bearer(&key))).await;
        assert_refused(answer, Code::Unauthenticated, "CREDENTIALS_INVALID", &query);
        let answer = call(&channel, &path, None).await;
        assert_refused(answer, Code::Unauthenticated, "CREDENTIALS_INVALID", &query);
    }
}

#[tokio::test]
async fn without_callers_everybody_on_this_machine_is_let_in_but_a_wrong_key_is_not() {
    let house = House::start(|_| String::new()).await;
    let channel = house.channel().await;
    assert_admitted(&call(&channel, GET, None).await, "nobody is named");
    let answer = call(&channel, GET, Some(&bearer(&fresh_key()))).await;
    assert_refused(
        answer,
        Code::Unauthenticated,
        "CREDENTIALS_INVALID",
        "a key of nobody",
    );
}

#[tokio::test]
async fn with_the_flag_everybody_is_let_in_beside_callers_that_are_named() {
    let house = House::with_callers("grpc.allow_unauthenticated = true").await;
    let channel = house.channel().await;
    assert_admitted(&call(&channel, GET, None).await, "the flag is set");
    let answer = call(&channel, GET, Some(&bearer(&house.key("respond")))).await;
    assert_refused(
        answer,
        Code::PermissionDenied,
        "SCOPE_MISSING",
        "its scopes count",
    );
}
