//! What one organisation erases, or keeps no longer, the other one keeps.

use std::time::Duration;

use parloir_client::v1::{
    ErasePersonalDataRequest, ErasePersonalDataResponse, ErasureState, ListContactsRequest,
    ListContactsResponse, ListEventsRequest, ListEventsResponse,
    erase_personal_data_request::Subject,
};
use tonic::Code;

use super::town::{COMMON, SHARED, Tenant, Town};

const ERASE: &str = "ConversationService/ErasePersonalData";

/// Whether a transcript tells anything that its tenant's visitors said.
async fn tells_words(tenant: &Tenant, conversation: &str) -> bool {
    let request = ListEventsRequest {
        account: SHARED.to_owned(),
        conversation_id: conversation.to_owned(),
        ..ListEventsRequest::default()
    };
    let listed = tenant
        .caller
        .ask("ConversationService/ListEvents", &request);
    let listed: ListEventsResponse = listed.await;
    assert!(!listed.events.is_empty(), "a transcript has its events");
    format!("{listed:?}").contains(&format!("words of {}", tenant.name))
}

/// Visitors of the tenant's source: their ids, and the conversations that they have.
async fn contacts(tenant: &Tenant) -> Vec<(String, String)> {
    let request = ListContactsRequest {
        account: SHARED.to_owned(),
        ..ListContactsRequest::default()
    };
    let listed = tenant.caller.ask("AccountService/ListContacts", &request);
    let listed: ListContactsResponse = listed.await;
    let each = listed.contacts.into_iter();
    each.map(|one| (one.contact_id, one.conversation_id))
        .collect()
}

fn erasure(contact: &str) -> ErasePersonalDataRequest {
    ErasePersonalDataRequest {
        account: SHARED.to_owned(),
        command_id: "by-contact".to_owned(),
        subject: Some(Subject::ContactId(contact.to_owned())),
    }
}

#[tokio::test]
async fn a_visitor_is_erased_by_its_id_in_the_callers_tenant_alone() {
    let town = Town::start().await;
    let (acme, bolt) = (&town.acme, &town.bolt);
    // One person, with the same number, who wrote to both.
    let (ours, theirs) = (contacts(acme).await, contacts(bolt).await);
    let [(_, our_conversation)] = &ours[..] else {
        panic!("{ours:?}")
    };
    let [(_, their_conversation)] = &theirs[..] else {
        panic!("{theirs:?}")
    };
    assert!(tells_words(acme, our_conversation).await);

    let foreign = bolt.caller.send(ERASE, encoded(&erasure(&acme.contact_id)));
    let refused = foreign.await.expect_err("it is no contact of theirs");
    assert_eq!(refused.code(), Code::NotFound);
    assert!(tells_words(acme, our_conversation).await);

    let request = erasure(&acme.contact_id);
    let erased: ErasePersonalDataResponse = acme.caller.ask(ERASE, &request).await;
    let receipt = erased.erasure.expect("a receipt");
    assert_eq!(receipt.state(), ErasureState::Erased);
    let named = receipt.conversations.iter();
    let named: Vec<_> = named.map(|one| &one.conversation_id).collect();
    assert_eq!(named, [our_conversation]);
    assert!(!tells_words(acme, our_conversation).await);
    assert_eq!(contacts(acme).await, [], "it is forgotten");

    assert!(tells_words(bolt, their_conversation).await);
    assert_eq!(contacts(bolt).await, theirs);
    assert!(
        tells_words(acme, COMMON).await,
        "other visitors are no concern"
    );
}

fn encoded(message: &impl prost::Message) -> prost::bytes::Bytes {
    message.encode_to_vec().into()
}

/// Returns once a transcript tells nothing any more.
async fn is_erased(tenant: &Tenant, conversation: &str) {
    let gone = async {
        while tells_words(tenant, conversation).await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let gone = tokio::time::timeout(Duration::from_secs(30), gone).await;
    gone.expect("it is erased in time");
}

#[tokio::test]
async fn each_tenant_keeps_as_long_as_it_says() {
    let ages = "
        [[tenants]]
        name = \"acme\"
        retention_age = \"1h\"
        [[tenants]]
        name = \"bolt\"
        retention_age = \"3h\"
    ";
    let town = Town::start_with("log.sweep_interval = \"10ms\"\n", ages).await;
    let (acme, bolt) = (&town.acme, &town.bolt);
    town.clock.advance(Duration::from_mins(61));
    is_erased(acme, COMMON).await;
    // Once more, so that a whole sweep has passed over both.
    acme.says(SHARED, "later", "m-later").await;
    town.clock.advance(Duration::from_mins(61));
    is_erased(acme, "later").await;
    assert!(
        tells_words(bolt, COMMON).await,
        "two hours are less than three"
    );
    town.clock.advance(Duration::from_mins(61));
    is_erased(bolt, COMMON).await;
}
