//! `GetConversation` and `ListConversations`.

use std::collections::BTreeSet;

use parloir_client::v1::{
    Conversation, EndConversationRequest, GetConversationRequest, ListConversationsRequest, Owner,
    SessionState, StartConversationRequest, Visitor,
};

use super::{Calls, calls, fields, start, transfer};
use crate::support::server::{ACCOUNT, AGENT, TestServer, Wishes, parameter};

async fn page(calls: &mut Calls, request: ListConversationsRequest) -> (Vec<Conversation>, String) {
    let page = calls
        .list_conversations(request)
        .await
        .expect("OK")
        .into_inner();
    (page.conversations, page.next_page_token)
}

async fn ids(calls: &mut Calls, request: ListConversationsRequest) -> Vec<String> {
    let (conversations, _) = page(calls, request).await;
    conversations
        .into_iter()
        .map(|found| found.conversation_id)
        .collect()
}

/// All pages of a query, each of this size.
async fn all(calls: &mut Calls, query: &ListConversationsRequest, size: i32) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut token = String::new();
    loop {
        let request = ListConversationsRequest {
            page_size: size,
            page_token: token,
            ..query.clone()
        };
        let (conversations, next) = page(calls, request).await;
        pages.push(
            conversations
                .into_iter()
                .map(|found| found.conversation_id)
                .collect(),
        );
        token = next;
        if token.is_empty() {
            return pages;
        }
    }
}

#[tokio::test]
async fn a_conversation_is_read_as_it_was_started() {
    let server = TestServer::start().await;
    let mut calls = calls(&server).await;
    let request = StartConversationRequest {
        visitor: Some(Visitor {
            visitor_id: "v-1".to_owned(),
            display_name: "Zoë".to_owned(),
            language: "fr-CA".to_owned(),
        }),
        parameters: vec![
            parameter("tier", "gold", false),
            parameter("name", "Zoë", true),
        ],
        ..start("C", "s")
    };
    let started = calls
        .start_conversation(request.clone())
        .await
        .expect("OK")
        .into_inner();
    let get = GetConversationRequest {
        account: ACCOUNT.to_owned(),
        conversation_id: "C".to_owned(),
    };
    let found = calls.get_conversation(get).await.expect("OK").into_inner();
    let found = found.conversation.expect("a conversation");
    assert_eq!(started.conversation, Some(found.clone()));
    assert_eq!(
        (found.account.as_str(), found.agent.as_str()),
        (ACCOUNT, AGENT)
    );
    assert_eq!(
        (found.session, found.session_state()),
        (1, SessionState::Active)
    );
    assert_eq!((found.owner(), found.owner_epoch), (Owner::Agent, 1));
    assert_eq!(
        (&found.visitor, &found.parameters),
        (&request.visitor, &request.parameters)
    );
    let seconds = |time: Option<prost_types::Timestamp>| time.expect("a time").seconds;
    assert!(seconds(found.session_expires_at) > seconds(found.update_time));
    assert!(seconds(found.create_time) <= seconds(found.update_time));
    assert!(found.open_requests.is_empty());
    assert!(found.last_sequence >= 1);
    assert!(!found.last_cursor.is_empty());
}

#[tokio::test]
async fn conversations_are_listed_by_their_latest_change_in_pages() {
    let server = TestServer::start().await;
    let mut calls = calls(&server).await;
    let names = ["a", "b", "c", "d", "e"];
    for name in names {
        calls
            .start_conversation(start(name, name))
            .await
            .expect("OK");
    }
    // A later change brings the first one to the front.
    server.say("a", "m", "hi").await.expect("OK");
    let newest = ListConversationsRequest::default();
    let expected = [vec!["a", "e"], vec!["d", "c"], vec!["b"]];
    assert_eq!(all(&mut calls, &newest, 2).await, expected);
    let oldest = ListConversationsRequest {
        oldest_first: true,
        ..newest.clone()
    };
    let expected = [vec!["b", "c", "d"], vec!["e", "a"]];
    assert_eq!(all(&mut calls, &oldest, 3).await, expected);
    assert_eq!(
        all(&mut calls, &oldest, 5).await.len(),
        1,
        "a full last page has no successor"
    );
}

#[tokio::test]
async fn conversations_are_filtered_by_account_owner_state_and_time() {
    let server = TestServer::start_with(Wishes {
        agent: "default_account = \"demo\"",
        end: "[[accounts]]\nname = \"second\"\nagent = \"shop\"\nupstream_prefix = \"s-\""
            .to_owned(),
        ..Wishes::default()
    })
    .await;
    let mut calls = calls(&server).await;
    for name in ["agents", "humans", "ended"] {
        calls
            .start_conversation(start(name, name))
            .await
            .expect("OK");
    }
    let elsewhere = StartConversationRequest {
        account: "second".to_owned(),
        ..start("elsewhere", "s")
    };
    calls.start_conversation(elsewhere).await.expect("OK");
    let human = transfer("humans", "t", Owner::Human.into());
    calls.transfer_conversation(human).await.expect("OK");
    let end = EndConversationRequest {
        account: ACCOUNT.to_owned(),
        conversation_id: "ended".to_owned(),
        command_id: "e".to_owned(),
        expected_session: None,
    };
    calls.end_conversation(end).await.expect("OK");
    let all = ListConversationsRequest::default;

    let owners = ListConversationsRequest {
        owners: vec![Owner::Human.into()],
        ..all()
    };
    assert_eq!(ids(&mut calls, owners).await, ["humans"]);
    let states = ListConversationsRequest {
        session_states: vec![SessionState::Ended.into()],
        ..all()
    };
    assert!(ids(&mut calls, states).await.contains(&"ended".to_owned()));
    let accounts = ListConversationsRequest {
        accounts: vec!["second".to_owned()],
        ..all()
    };
    assert_eq!(ids(&mut calls, accounts).await, ["elsewhere"]);

    let (found, _) = page(&mut calls, all()).await;
    let middle = found[1].update_time;
    let from = ListConversationsRequest {
        updated_from: middle,
        ..all()
    };
    let before = ListConversationsRequest {
        updated_before: middle,
        ..all()
    };
    let (from, before) = (ids(&mut calls, from).await, ids(&mut calls, before).await);
    assert_eq!(
        (from.len(), before.len()),
        (2, 2),
        "at or after, and before"
    );
    let both: BTreeSet<_> = from.into_iter().chain(before).collect();
    assert_eq!(both.len(), 4);
}

#[tokio::test]
async fn a_list_leaves_out_what_only_one_conversation_shows() {
    let server = TestServer::start().await;
    let mut calls = calls(&server).await;
    let request = StartConversationRequest {
        parameters: vec![parameter("tier", "gold", false)],
        ..start("C", "s")
    };
    calls.start_conversation(request).await.expect("OK");
    let (found, _) = page(&mut calls, ListConversationsRequest::default()).await;
    assert!(found[0].parameters.is_empty());
    assert!(!found[0].last_cursor.is_empty());
}

#[tokio::test]
async fn a_page_token_of_another_list_and_a_page_that_is_too_large_are_refused() {
    let server = TestServer::start().await;
    let mut calls = calls(&server).await;
    for name in ["a", "b"] {
        calls
            .start_conversation(start(name, name))
            .await
            .expect("OK");
    }
    let first = ListConversationsRequest {
        page_size: 1,
        ..ListConversationsRequest::default()
    };
    let (_, token) = page(&mut calls, first.clone()).await;
    let turned = ListConversationsRequest {
        page_token: token,
        oldest_first: true,
        ..first.clone()
    };
    assert_eq!(
        fields(calls.list_conversations(turned).await),
        ["page_token"]
    );
    let large = ListConversationsRequest {
        page_size: 501,
        page_token: "nonsense".to_owned(),
        ..first
    };
    let answer = calls.list_conversations(large).await;
    assert_eq!(fields(answer), ["page_size", "page_token"]);
}
