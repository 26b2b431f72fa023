//! Accounts and contacts as a server with more than one page of them tells them.

use std::sync::{Arc, Mutex};

use parloir_client::Client;
use parloir_proto::v1::{
    Account, Contact, LinkContactRequest, LinkContactResponse, ListAccountsRequest,
    ListAccountsResponse, ListContactsRequest, ListContactsResponse,
    account_service_server::{AccountService, AccountServiceServer},
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};

use super::{What, act};

/// Answers one contact a page, and keeps what it was asked.
#[derive(Clone, Default)]
struct Fake(Arc<Mutex<Vec<ListContactsRequest>>>);

fn contact(id: &str, conversation: &str) -> Contact {
    Contact {
        contact_id: id.to_owned(),
        source: "care".to_owned(),
        conversation_id: conversation.to_owned(),
        seen_time: Some(prost_types::Timestamp {
            seconds: 1_785_326_584,
            nanos: 0,
        }),
    }
}

#[tonic::async_trait]
impl AccountService for Fake {
    async fn list_accounts(
        &self,
        _: Request<ListAccountsRequest>,
    ) -> Result<Response<ListAccountsResponse>, Status> {
        let account = |name: &str, source: &str, system: &str| Account {
            account: name.to_owned(),
            agent: "support".to_owned(),
            source: source.to_owned(),
            system: system.to_owned(),
            upstream_prefix: String::new(),
            ..Account::default()
        };
        let accounts = vec![
            account("care", "desk", "social_connect"),
            account("outlet", "", ""),
        ];
        Ok(Response::new(ListAccountsResponse { accounts }))
    }

    async fn list_contacts(
        &self,
        request: Request<ListContactsRequest>,
    ) -> Result<Response<ListContactsResponse>, Status> {
        let request = request.into_inner();
        let (number, next) = match request.page_token.as_str() {
            "" => (1, "two"),
            "two" => (2, "three"),
            _ => (3, ""),
        };
        self.0.lock().expect("no panic holds it").push(request);
        Ok(Response::new(ListContactsResponse {
            contacts: vec![contact(&format!("k{number}"), &format!("c-{number}"))],
            next_page_token: next.to_owned(),
        }))
    }

    async fn link_contact(
        &self,
        request: Request<LinkContactRequest>,
    ) -> Result<Response<LinkContactResponse>, Status> {
        let request = request.into_inner();
        if request.contact_id == "stranger" {
            return Err(Status::not_found("contact \"stranger\" is not known"));
        }
        let linked = contact(&request.contact_id, &request.conversation_id);
        Ok(Response::new(LinkContactResponse {
            contact: Some(linked),
        }))
    }
}

/// What is printed, and what was asked for.
async fn printed(what: Option<What>, json: bool) -> anyhow::Result<(String, Fake)> {
    let fake = Fake::default();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(
        Server::builder()
            .add_service(AccountServiceServer::new(fake.clone()))
            .serve_with_incoming(TcpListenerStream::new(listener)),
    );
    let client = Client::builder(url).connect().await?;
    let mut out = Vec::new();
    act(&client, what, json, &mut out).await?;
    Ok((String::from_utf8(out)?, fake))
}

fn contacts(conversation: Option<&str>) -> What {
    What::Contacts {
        account: "care".to_owned(),
        conversation: conversation.map(str::to_owned),
    }
}

fn link(contact: &str) -> What {
    What::Link {
        account: "care".to_owned(),
        contact: contact.to_owned(),
        conversation: "c-9".to_owned(),
    }
}

#[tokio::test]
async fn an_account_is_a_line_with_its_agent_and_its_source() {
    let (text, _) = printed(None, false).await.expect("a list");
    assert_eq!(
        text,
        "care    agent support  source desk (social_connect)\noutlet  agent support  no source\n"
    );
}

#[tokio::test]
async fn contacts_of_all_pages_are_listed_with_when_they_were_seen() {
    let (text, fake) = printed(Some(contacts(Some("c-1"))), false)
        .await
        .expect("a list");
    assert_eq!(
        text.lines().next(),
        Some("k1  conversation c-1  seen 2026-07-29T12:03:04Z at care")
    );
    assert_eq!(text.lines().count(), 3);
    let asked = fake.0.lock().expect("no panic holds it");
    let tokens: Vec<_> = asked.iter().map(|one| one.page_token.as_str()).collect();
    assert_eq!(tokens, ["", "two", "three"]);
    assert!(asked.iter().all(|one| one.conversation_id == "c-1"));
}

#[tokio::test]
async fn each_object_is_a_line_for_programs() {
    let (text, _) = printed(Some(contacts(None)), true).await.expect("a list");
    let ids: Vec<_> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("an object"))
        .map(|object| object["contact_id"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(ids, ["k1", "k2", "k3"].map(|id| Some(id.to_owned())));
    let (text, _) = printed(None, true).await.expect("a list");
    assert!(text.starts_with(r#"{"account":"care","agent":"support","source":"desk""#));
}

#[tokio::test]
async fn a_link_shows_the_contact_as_it_is_now_and_a_stranger_is_an_error() {
    let (text, _) = printed(Some(link("k1")), false).await.expect("a contact");
    assert!(text.starts_with("k1  conversation c-9 "), "{text}");
    let error = printed(Some(link("stranger")), false)
        .await
        .err()
        .expect("nobody");
    assert!(format!("{error:#}").contains("stranger"), "{error:#}");
}
