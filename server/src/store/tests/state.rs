//! Conversations and what belongs to them.

use std::time::Duration;

use super::*;
use crate::domain::{
    ConversationKind, Evidence, Fingerprint, Known, Owner, Parameter, SessionState, Visitor,
    ports::{Command, CommandKey},
    query::ConversationQuery,
    request::{AnsweredRequest, Request, RequestKind, RequestOutcome},
};

fn parameter(key: &str) -> Parameter {
    Parameter {
        key: key.into(),
        value: "v".into(),
        personal: true,
    }
}

#[tokio::test]
async fn a_conversation_is_read_as_it_was_saved() {
    let scratch = Scratch::new().await;
    let mut saved = conversation("c", 5);
    let mut tx = scratch.store.begin().await.expect("begins");
    assert_eq!(tx.conversation(&saved.key).await, Ok(None));
    tx.save_conversation(&saved).await.expect("saves");
    assert_eq!(tx.conversation(&saved.key).await, Ok(Some(saved.clone())));
    saved.upstream_id = "c.e2".into();
    saved.begin_session(Timestamp(7), Duration::from_mins(1));
    saved.change_owner(
        Owner::Human,
        Known {
            evidence: Evidence::Pushed,
            observed_at: Timestamp(6),
            expires_at: Some(Timestamp(60)),
        },
        Timestamp(8),
    );
    saved.kind = ConversationKind::Ticket;
    saved.source = Some(id("messenger"));
    saved.human_joined = true;
    saved.upstream_epoch = 2;
    saved.next_sequence();
    saved.ended_order = 8;
    saved.visitor = Some(Visitor {
        visitor_id: "v".into(),
        display_name: "Zoë".into(),
        language: "fr".into(),
    });
    saved.set_parameters(&[parameter("tier")]);
    saved.keep_parameters(&[parameter("later")]);
    saved.updated_at = Timestamp(9);
    tx.save_conversation(&saved).await.expect("saves");
    tx.commit().await.expect("commits");
    let read = scratch.store.conversation(&saved.key).await;
    assert_eq!(read, Ok(Some(saved)));
}

#[tokio::test]
async fn conversations_are_listed_page_by_page_in_both_orders() {
    let scratch = Scratch::new().await;
    scratch
        .commit(async |tx| {
            // Some change at the same moment, so that the order needs the id as well.
            for (name, now) in [("a", 1), ("b", 2), ("c", 2), ("d", 2), ("e", 3)] {
                tx.save_conversation(&conversation(name, now))
                    .await
                    .expect("saves");
            }
        })
        .await;
    for (oldest_first, expected) in [(true, "abcde"), (false, "edcba")] {
        let mut query = ConversationQuery {
            tenant: Some(id("acme")),
            oldest_first,
            limit: 2,
            ..ConversationQuery::default()
        };
        let mut seen = String::new();
        loop {
            let page = scratch.store.conversations(&query).await.expect("reads");
            let Some(last) = page.last() else { break };
            query.after = Some((
                last.updated_at,
                last.key.account.clone(),
                last.key.id.clone(),
            ));
            seen.extend(page.iter().map(|found| found.key.id.to_string()));
        }
        assert_eq!(seen, expected);
    }
}

#[tokio::test]
async fn conversations_are_found_by_every_filter() {
    let scratch = Scratch::new().await;
    let mut human = conversation("human", 1);
    human.change_owner(Owner::Human, Known::by_us(Timestamp(1)), Timestamp(1));
    let mut active = conversation("active", 2);
    active.begin_session(Timestamp(2), Duration::from_secs(1));
    let elsewhere = Conversation {
        key: ConversationKey {
            account: id("elsewhere"),
            ..key("elsewhere")
        },
        ..conversation("elsewhere", 3)
    };
    scratch
        .commit(async |tx| {
            for one in [&human, &active, &elsewhere] {
                tx.save_conversation(one).await.expect("saves");
            }
        })
        .await;
    let all = || ConversationQuery {
        oldest_first: true,
        limit: 9,
        ..ConversationQuery::default()
    };
    let found = async |query: ConversationQuery| {
        let found = scratch.store.conversations(&query).await.expect("reads");
        let names: Vec<_> = found.iter().map(|one| one.key.id.to_string()).collect();
        names.join(" ")
    };
    assert_eq!(found(all()).await, "human active elsewhere");
    let mut query = all();
    query.tenant = Some(id("nobody"));
    assert_eq!(found(query).await, "");
    let mut query = all();
    query.accounts = vec![id("shop"), id("unknown")];
    assert_eq!(found(query).await, "human active");
    let mut query = all();
    query.owners = vec![Owner::Human, Owner::None];
    assert_eq!(found(query).await, "human");
    let mut query = all();
    query.session_states = vec![SessionState::Active];
    query.accounts = vec![id("shop")];
    assert_eq!(found(query).await, "active");
    let mut query = all();
    query.updated_from = Some(Timestamp(2));
    query.updated_before = Some(Timestamp(3));
    assert_eq!(found(query).await, "active");
}

#[tokio::test]
async fn an_upstream_id_belongs_to_one_conversation_of_an_agent() {
    let scratch = Scratch::new().await;
    let mut tx = scratch.store.begin().await.expect("begins");
    let (bot, other) = (id("bot"), id("other"));
    assert_eq!(tx.claim_upstream(&bot, "u", &key("a"), 1).await, Ok(true));
    assert_eq!(tx.claim_upstream(&bot, "u", &key("b"), 1).await, Ok(false));
    assert_eq!(tx.claim_upstream(&other, "u", &key("b"), 1).await, Ok(true));
    assert_eq!(
        tx.resolve_upstream(&bot, "u").await,
        Ok(Some((key("a"), 1)))
    );
    assert_eq!(tx.claim_upstream(&bot, "u", &key("a"), 3).await, Ok(true));
    assert_eq!(
        tx.resolve_upstream(&bot, "u").await,
        Ok(Some((key("a"), 3)))
    );
    assert_eq!(tx.resolve_upstream(&bot, "v").await, Ok(None));
}

#[tokio::test]
async fn an_idempotency_key_is_remembered_in_its_scope() {
    let scratch = Scratch::new().await;
    let mut tx = scratch.store.begin().await.expect("begins");
    let scope = CommandKey {
        tenant: id("acme"),
        account: id("shop"),
        method: "SendMessage",
        key: id("m-1"),
    };
    let mut command = Command {
        content: tx.digest(&Fingerprint::of("message").text("hello")),
        conversation_id: id("c"),
        sequence: 4,
        delivery: Some(id("d")),
        resumed: true,
    };
    tx.remember(&scope, &command).await.expect("saves");
    assert_eq!(tx.remembered(&scope).await, Ok(Some(command.clone())));
    command.delivery = None;
    tx.remember(&scope, &command).await.expect("saves");
    assert_eq!(tx.remembered(&scope).await, Ok(Some(command)));
    let elsewhere = CommandKey {
        method: "EndConversation",
        ..scope
    };
    assert_eq!(tx.remembered(&elsewhere).await, Ok(None));
}

#[tokio::test]
async fn a_platforms_event_is_seen_first_once() {
    let scratch = Scratch::new().await;
    let print = Fingerprint::of("zendesk").text("e-1");
    for (agent, first) in [("bot", true), ("bot", false), ("other", true)] {
        scratch
            .commit(async |tx| {
                assert_eq!(tx.first_seen(&id(agent), &print).await, Ok(first));
            })
            .await;
    }
}

#[tokio::test]
async fn a_digest_is_keyed_by_its_database() {
    let (one, other) = (Scratch::new().await, Scratch::new().await);
    let print = Fingerprint::of("message").text("hello");
    let one = one.store.begin().await.expect("begins");
    let other = other.store.begin().await.expect("begins");
    assert_eq!(one.digest(&print), one.digest(&print));
    assert_eq!(one.digest(&print).len(), 32);
    assert_ne!(one.digest(&print), other.digest(&print));
}

#[tokio::test]
async fn a_request_is_open_until_it_is_closed() {
    let scratch = Scratch::new().await;
    let mut asked = Request {
        id: id("r-1"),
        tenant: id("acme"),
        key: Some(key("c")),
        agent: id("bot"),
        kind: RequestKind::Action,
        fingerprint: vec![1, 2],
        respond_by: Timestamp(20),
        asked_at: Timestamp(10),
        sequence: 3,
        closed: None,
    };
    let check = Request {
        id: id("r-2"),
        key: None,
        kind: RequestKind::Availability,
        fingerprint: vec![],
        respond_by: Timestamp(15),
        sequence: 0,
        ..asked.clone()
    };
    let mut tx = scratch.store.begin().await.expect("begins");
    tx.add_request(&asked).await.expect("saves");
    tx.add_request(&check).await.expect("saves");
    assert_eq!(tx.request(&asked.id).await, Ok(Some(asked.clone())));
    assert_eq!(tx.open_requests(&key("c")).await, Ok(vec![asked.clone()]));
    assert_eq!(
        tx.all_open_requests(Timestamp(i64::MAX), 9).await,
        Ok(vec![check.clone(), asked.clone()])
    );
    assert_eq!(tx.count_open_requests(&id("bot")).await, Ok(2));
    let repeated = tx.repeated_request(&[1, 2], Timestamp(99)).await;
    assert_eq!(
        repeated,
        Ok(Some(asked.clone())),
        "open ones are joined however old"
    );
    assert_eq!(tx.repeated_request(&[], Timestamp(0)).await, Ok(None));
    asked.closed = Some(AnsweredRequest {
        outcome: RequestOutcome::Answered,
        answered_by: "desk".into(),
        answer_fingerprint: vec![7],
        closed_at: Timestamp(12),
        event_id: "e".into(),
    });
    tx.save_request(&asked).await.expect("saves");
    assert_eq!(tx.request(&asked.id).await, Ok(Some(asked.clone())));
    assert_eq!(
        tx.all_open_requests(Timestamp(i64::MAX), 9).await,
        Ok(vec![check])
    );
    assert_eq!(tx.repeated_request(&[1, 2], Timestamp(11)).await, Ok(None));
    let repeated = tx.repeated_request(&[1, 2], Timestamp(10)).await;
    assert_eq!(repeated, Ok(Some(asked)));
}

#[tokio::test]
async fn a_team_is_online_while_an_unexpired_publisher_says_so() {
    let scratch = Scratch::new().await;
    let (bot, at) = (id("bot"), |seconds: i64| Timestamp(seconds * 1_000_000));
    let mut tx = scratch.store.begin().await.expect("begins");
    assert_eq!(tx.availability(&bot, "sales").await, Ok(None));
    for (publisher, online, until) in [("a", false, 9), ("b", true, 5), ("c", true, 1)] {
        tx.set_availability(&bot, "sales", publisher, online, at(until))
            .await
            .expect("saves");
    }
    tx.commit().await.expect("commits");
    for (now, expected) in [(4, Some(true)), (5, Some(false)), (9, None)] {
        scratch.clock.set(at(now).0);
        let mut tx = scratch.store.begin().await.expect("begins");
        assert_eq!(tx.availability(&bot, "sales").await, Ok(expected), "{now}");
        assert_eq!(tx.availability(&bot, "").await, Ok(None));
        tx.roll_back().await.expect("rolls back");
    }
}
