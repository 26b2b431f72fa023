//! Checks D 97 and 98: what is sent to have user data deleted, and what is not.

use http::StatusCode;
use serde_json::json;

use super::{
    super::{CallFault, UserData, ZendeskConfig},
    fixture::{BOT, Secrets},
};
use crate::{
    agents::conformance::KEY,
    tests::fake_server::{Behaviour, FakeServer},
};

fn settings(server: &FakeServer, secrets: &Secrets) -> ZendeskConfig {
    ZendeskConfig {
        bot_id: BOT.to_owned(),
        base_url: format!("{}/ai-agents/api", server.url()),
        api_key: secrets.put("api_key", KEY),
        ..ZendeskConfig::default()
    }
}

fn ids(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

#[tokio::test]
async fn check_97_a_deletion_names_the_conversations_and_the_bot() {
    let (server, secrets) = (FakeServer::start().await, Secrets::new());
    let user_data = UserData::new(&settings(&server, &secrets)).expect("valid");
    let done = user_data.delete(&ids(&["65f0a", "65f0b"])).await;
    assert!(done.is_ok(), "{done:?}");
    let request = server.last_request();
    assert_eq!(request.method, "POST");
    assert_eq!(request.path, "/ai-agents/api/gdpr/delete-user-data");
    assert_eq!(
        request.json(),
        json!({ "conversationIds": ["65f0a", "65f0b"] })
    );
    assert_eq!(request.header("botid"), BOT);
    assert_eq!(request.header("authorization"), KEY);
    assert_eq!(request.header("content-type"), "application/json");
    assert_eq!(request.headers.get("organizationid"), None);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn an_organizations_key_is_shown_bare_with_its_id() {
    let (server, secrets) = (FakeServer::start().await, Secrets::new());
    let mut settings = settings(&server, &secrets);
    settings.authorization_prefix = "Bearer ".to_owned();
    let user_data = UserData::new(&settings).expect("valid");
    user_data.delete(&ids(&["a"])).await.expect("accepted");
    let expected = format!("Bearer {KEY}");
    assert_eq!(server.last_request().header("authorization"), expected);
    settings.organization_id = Some("org-1".to_owned());
    settings.organization_key = Some(secrets.put("organization", "org-key"));
    let user_data = UserData::new(&settings).expect("valid");
    user_data.delete(&ids(&["a"])).await.expect("accepted");
    let request = server.last_request();
    assert_eq!(request.header("authorization"), "org-key");
    assert_eq!(request.header("organizationid"), "org-1");
    secrets.put("organization", "new-org-key");
    user_data.delete(&ids(&["a"])).await.expect("accepted");
    let key = server.last_request().header("authorization").to_owned();
    assert_eq!(key, "new-org-key", "read at each use");
    assert!(!format!("{user_data:?}").contains("org-key"), "printed");
}

#[test]
fn check_98_an_empty_list_and_ids_that_none_can_be_are_refused() {
    let error = UserData::check(&[]).expect_err("nothing to delete");
    assert!(error.to_string().contains("no conversation"), "{error}");
    for bad in ["", "  ", "a\nb", &"x".repeat(257)] {
        let error = UserData::check(&ids(&["fine", bad])).expect_err(bad);
        assert!(error.to_string().contains("number 2"), "{error}");
    }
    assert!(UserData::check(&ids(&["65f0c1a2b3d4e5f607182ccc"])).is_ok());
}

#[tokio::test]
async fn a_refusal_tells_why_without_the_key_and_after_one_request() {
    let (server, secrets) = (FakeServer::start().await, Secrets::new());
    let user_data = UserData::new(&settings(&server, &secrets)).expect("valid");
    let batch = ids(&["a"]);
    server.next(Behaviour::answer(400, &format!("{KEY} asks for nonsense")));
    let fault = user_data.delete(&batch).await.expect_err("refused");
    let said = fault.to_string();
    assert_eq!(
        said,
        "the platform answered 400 Bad Request: [removed] asks for nonsense"
    );
    server.next(Behaviour::answer(401, KEY));
    let fault = user_data.delete(&batch).await.expect_err("refused");
    assert!(matches!(
        fault,
        CallFault::Credentials(StatusCode::UNAUTHORIZED)
    ));
    assert!(!fault.to_string().contains(KEY), "{fault}");
    server.next(Behaviour::answer(500, ""));
    let fault = user_data
        .delete(&batch)
        .await
        .expect_err("failed")
        .to_string();
    assert_eq!(fault, "the platform answered 500 Internal Server Error");
    server.next(Behaviour::ResetBeforeAnswer);
    let fault = user_data.delete(&batch).await.expect_err("no answer");
    assert!(matches!(fault, CallFault::Unclear(_)), "{fault}");
    assert!(!fault.to_string().contains("http://"), "{fault}");
    assert_eq!(server.requests().len(), 4, "one request each");
    secrets.put("api_key", "");
    let fault = user_data.delete(&batch).await.expect_err("no key");
    assert!(matches!(fault, CallFault::NotSent(_)), "{fault}");
    assert_eq!(server.requests().len(), 4, "none without a key");
}
