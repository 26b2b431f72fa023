//! What a caller does with conversations and their visitors.

use parloir_client::v1::{
    self, ActionResults, Choice, HumanText, ListConversationsRequest, SubscribeEventsRequest,
};

use super::{
    Expected::{NotFound, Nothing, Own, Silence},
    Loot, Step, step,
};
use crate::tenants::town::{COMMON, SHARED};

/// The places where a conversation of the other's may be looked for: in its account, and in the caller's own of the same
/// name as the one that it is in.
fn places(loot: &Loot) -> [(String, String); 2] {
    [
        (loot.account.clone(), loot.conversation.clone()),
        (SHARED.to_owned(), loot.conversation.clone()),
    ]
}

pub(super) fn commands(loot: &Loot) -> Vec<Step> {
    const IN: &str = "words of bolt";
    let mut steps = Vec::new();
    // What opens a conversation opens the caller's own where the account is its own.
    let common = (SHARED.to_owned(), COMMON.to_owned(), Own);
    let foreign = (loot.account.clone(), loot.conversation.clone(), NotFound);
    for (account, conversation_id, expected) in [foreign, common] {
        steps.push(step(
            "ConversationService/StartConversation",
            expected,
            &v1::StartConversationRequest {
                account: account.clone(),
                conversation_id: conversation_id.clone(),
                command_id: "walk-start".into(),
                ..Default::default()
            },
        ));
        steps.push(step(
            "ConversationService/SendMessage",
            expected,
            &v1::SendMessageRequest {
                account,
                conversation_id,
                message_id: "m-walk".into(),
                content: Some(v1::send_message_request::Content::Text(IN.into())),
                ..Default::default()
            },
        ));
    }
    steps.push(step(
        "ConversationService/SendMessage",
        NotFound,
        &v1::SendMessageRequest {
            account: SHARED.into(),
            conversation_id: COMMON.into(),
            message_id: "m-choice".into(),
            content: Some(v1::send_message_request::Content::Choice(Choice {
                label: "Yes".into(),
                card_index: None,
                event_id: loot.other.event_id.clone(),
            })),
            ..Default::default()
        },
    ));
    for (account, conversation_id) in places(loot) {
        steps.push(step(
            "ConversationService/UpdateParameters",
            NotFound,
            &v1::UpdateParametersRequest {
                account: account.clone(),
                conversation_id: conversation_id.clone(),
                command_id: "walk-update".into(),
                parameters: vec![v1::Parameter {
                    key: "tier".into(),
                    value: "stolen".into(),
                    personal: false,
                }],
            },
        ));
        steps.push(step(
            "ConversationService/EndConversation",
            NotFound,
            &v1::EndConversationRequest {
                account: account.clone(),
                conversation_id: conversation_id.clone(),
                command_id: "walk-end".into(),
                expected_session: None,
            },
        ));
        steps.push(step(
            "ConversationService/TransferConversation",
            NotFound,
            &v1::TransferConversationRequest {
                account: account.clone(),
                conversation_id: conversation_id.clone(),
                command_id: "walk-transfer".into(),
                to: v1::Owner::Human.into(),
                ..Default::default()
            },
        ));
        steps.push(step(
            "ConversationService/SendHumanMessage",
            NotFound,
            &v1::SendHumanMessageRequest {
                account,
                conversation_id,
                message_id: "walk-human".into(),
                content: Some(v1::send_human_message_request::Content::Text(HumanText {
                    text: "hello".into(),
                    ..Default::default()
                })),
                ..Default::default()
            },
        ));
    }
    steps
}

pub(super) fn answers(loot: &Loot) -> Vec<Step> {
    use v1::{respond_to_agent_request::Answer, set_availability_request::Scope};
    let mut steps = Vec::new();
    let given = [
        Answer::ActionResults(ActionResults::default()),
        // Of the wrong kind: what kind it is is nobody else's business either.
        Answer::Escalation(v1::EscalationDecision { accepted: true }),
        Answer::Failure(v1::RequestFailure::default()),
    ];
    for answer in given {
        steps.push(step(
            "ConversationService/RespondToAgent",
            NotFound,
            &v1::RespondToAgentRequest {
                request_id: loot.other.request_id.clone(),
                answer: Some(answer),
                responder: "stranger".into(),
            },
        ));
    }
    for scope in [
        Scope::Agent(loot.agent.clone()),
        Scope::Account(loot.account.clone()),
    ] {
        steps.push(step(
            "ConversationService/SetAvailability",
            NotFound,
            &v1::SetAvailabilityRequest {
                scope: Some(scope),
                publisher: "stranger".into(),
                availability: Some(v1::Availability {
                    team: "billing".into(),
                    online: true,
                    time_to_live: Some(prost_types::Duration {
                        seconds: 60,
                        nanos: 0,
                    }),
                }),
            },
        ));
    }
    steps
}

pub(super) fn reading(loot: &Loot) -> Vec<Step> {
    let mut steps = Vec::new();
    for (account, conversation_id) in places(loot) {
        steps.push(step(
            "ConversationService/GetConversation",
            NotFound,
            &v1::GetConversationRequest {
                account: account.clone(),
                conversation_id: conversation_id.clone(),
            },
        ));
        steps.push(step(
            "ConversationService/ListEvents",
            NotFound,
            &v1::ListEventsRequest {
                account,
                conversation_id,
                ..Default::default()
            },
        ));
    }
    steps.push(step(
        "ConversationService/ListEvents",
        Own,
        &v1::ListEventsRequest {
            account: SHARED.into(),
            conversation_id: COMMON.into(),
            ..Default::default()
        },
    ));
    steps.push(step(
        "ConversationService/ListConversations",
        Nothing,
        &ListConversationsRequest {
            accounts: vec![loot.account.clone()],
            ..Default::default()
        },
    ));
    for page_token in ["", loot.page_token.as_str()] {
        steps.push(step(
            "ConversationService/ListConversations",
            Own,
            &listing(100, page_token),
        ));
    }
    steps.push(step(
        "AccountService/ListAccounts",
        Own,
        &v1::ListAccountsRequest {},
    ));
    steps.push(step(
        "ConversationService/SubscribeEvents",
        Silence,
        &SubscribeEventsRequest {
            filter: Some(v1::EventFilter {
                accounts: vec![loot.account.clone()],
                ..Default::default()
            }),
            start: Some(v1::subscribe_events_request::Start::Position(
                v1::StartPosition::Earliest.into(),
            )),
            ..Default::default()
        },
    ));
    steps
}

pub(super) fn listing(page_size: i32, page_token: &str) -> ListConversationsRequest {
    ListConversationsRequest {
        page_size,
        page_token: page_token.to_owned(),
        oldest_first: true,
        ..Default::default()
    }
}

pub(super) fn visitors(loot: &Loot) -> Vec<Step> {
    use v1::erase_personal_data_request::Subject;
    let contact_id = &loot.other.contact_id;
    let contacts = |account: &str, expected| {
        let request = v1::ListContactsRequest {
            account: account.to_owned(),
            ..Default::default()
        };
        step("AccountService/ListContacts", expected, &request)
    };
    let mut steps = vec![contacts(&loot.account, NotFound), contacts(SHARED, Own)];
    for account in [SHARED, &loot.account] {
        steps.push(step(
            "AccountService/LinkContact",
            NotFound,
            &v1::LinkContactRequest {
                account: account.to_owned(),
                contact_id: contact_id.clone(),
                conversation_id: COMMON.into(),
            },
        ));
        let subjects = [
            Subject::ConversationId(loot.conversation.clone()),
            Subject::ContactId(contact_id.clone()),
        ];
        for (number, subject) in subjects.into_iter().enumerate() {
            steps.push(step(
                "ConversationService/ErasePersonalData",
                NotFound,
                &v1::ErasePersonalDataRequest {
                    account: account.to_owned(),
                    command_id: format!("walk-erase-{number}"),
                    subject: Some(subject),
                },
            ));
        }
    }
    steps.push(step(
        "ConversationService/GetErasure",
        NotFound,
        &v1::GetErasureRequest {
            receipt_id: loot.other.receipt_id.clone(),
        },
    ));
    steps
}
