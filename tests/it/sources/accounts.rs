//! The visitors whom a source has brought, listed and given other conversations.

use parloir::simulate::social_connect::Contact;
use parloir_client::v1::{
    LinkContactRequest, ListAccountsRequest, ListContactsRequest, ListContactsResponse,
};

use super::{counter::Counter, desk::Desk};
use crate::support::server::{ACCOUNT, AGENT};

async fn page(counter: &Counter, token: &str) -> ListContactsResponse {
    let request = ListContactsRequest {
        account: ACCOUNT.to_owned(),
        page_size: 2,
        page_token: token.to_owned(),
        ..ListContactsRequest::default()
    };
    counter
        .server
        .client
        .list_contacts(request)
        .await
        .expect("a page")
}

fn link(contact_id: &str, conversation_id: &str) -> LinkContactRequest {
    LinkContactRequest {
        account: ACCOUNT.to_owned(),
        contact_id: contact_id.to_owned(),
        conversation_id: conversation_id.to_owned(),
    }
}

#[tokio::test]
async fn an_account_tells_its_agent_and_its_source() {
    let counter = Counter::start(Desk::start("tag").await, "", "").await;
    let listed = counter
        .server
        .client
        .list_accounts(ListAccountsRequest {})
        .await;
    let [account] = &listed.expect("a list").accounts[..] else {
        panic!("one account");
    };
    assert_eq!(
        [
            &account.account,
            &account.agent,
            &account.source,
            &account.system
        ],
        [ACCOUNT, AGENT, "desk", "social_connect"]
    );
}

#[tokio::test]
async fn contacts_are_listed_in_pages_each_once_and_without_a_way_back_to_their_numbers() {
    let mut counter = Counter::start(Desk::start("tag").await, "", "").await;
    for number in 1..=5 {
        counter.desk.visitor = Contact::new("twitter", &format!("3247000000{number}"));
        counter.asks(&format!("ask {number}")).await;
    }
    let (mut token, mut contacts, mut pages) = (String::new(), Vec::new(), 0);
    loop {
        let page = page(&counter, &token).await;
        contacts.extend(page.contacts);
        (token, pages) = (page.next_page_token, pages + 1);
        if token.is_empty() {
            break;
        }
    }
    assert_eq!((contacts.len(), pages), (5, 3));
    let mut ids: Vec<_> = contacts.iter().map(|contact| &contact.contact_id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 5);
    assert!(
        contacts
            .iter()
            .all(|contact| !format!("{contact:?}").contains("32470000"))
    );
}

#[tokio::test]
async fn a_linked_contacts_next_message_goes_to_the_linked_conversation() {
    let mut counter = Counter::start(Desk::start("tag").await, "", "").await;
    let first = counter.asks("ask 1").await;
    let contact = page(&counter, "").await.contacts.remove(0);
    assert_eq!(contact.conversation_id, first);
    let linked = counter
        .server
        .client
        .link_contact(link(&contact.contact_id, "crm-1"))
        .await;
    let linked = linked.expect("a link").contact.expect("a contact");
    assert_eq!(linked.conversation_id, "crm-1");
    assert_eq!(counter.asks("ask 2").await, "crm-1");
    counter.answers("crm-1", "answer 2").await;

    counter.desk.visitor = Contact::new("twitter", "another");
    counter.asks("ask 3").await;
    let all = counter.server.client.list_contacts(ListContactsRequest {
        account: ACCOUNT.to_owned(),
        ..ListContactsRequest::default()
    });
    let all = all.await.expect("a list").contacts;
    let other = all
        .iter()
        .find(|known| known.contact_id != contact.contact_id);
    let other = &other.expect("another contact").contact_id;
    let taken = counter
        .server
        .client
        .link_contact(link(other, "crm-1"))
        .await;
    assert_eq!(
        taken.expect_err("it is taken").reason(),
        Some("CONTACT_TAKEN")
    );
    let nobody = counter
        .server
        .client
        .link_contact(link("nobody", "crm-2"))
        .await;
    assert_eq!(
        nobody.expect_err("nobody").code(),
        parloir_client::Code::NotFound
    );
}
