//! Every method of the contract, called with what another tenant has.

use std::collections::BTreeSet;

use parloir_client::v1::{
    self, Account, ActionResults, Agent, Choice, HumanText, ListConversationsRequest,
    ListConversationsResponse, SubscribeEventsRequest,
};
use prost::{Message, bytes::Bytes};
use prost_types::{FieldMask, FileDescriptorSet};
use tonic::Code;

use super::town::{COMMON, SHARED, Tenant, Town};

/// What a call with another's things comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// As if there were no such thing.
    NotFound,
    /// An empty list, or no such thing.
    Nothing,
    /// It is the caller's own thing of the same name, and nothing of the other's is in the answer.
    Own,
    /// The name can be no one's but the other's.
    Refused,
    /// A stream on which nothing comes.
    Silence,
}

use Expected::{NotFound, Nothing, Own, Refused, Silence};

/// One call.
struct Step {
    method: &'static str,
    message: Bytes,
    expected: Expected,
}

fn step(method: &'static str, expected: Expected, message: &impl Message) -> Step {
    Step {
        method,
        message: message.encode_to_vec().into(),
        expected,
    }
}

/// What the other tenant has, as a stranger may have learnt it.
struct Loot<'a> {
    other: &'a Tenant,
    account: String,
    conversation: String,
    agent: String,
    source: String,
    /// For the next pages of a list of the other's.
    page_token: String,
}

/// The places where a conversation of the other's may be looked for: in its account, and in the caller's own of the same
/// name as the one that it is in.
fn places(loot: &Loot) -> [(String, String); 2] {
    [
        (loot.account.clone(), loot.conversation.clone()),
        (SHARED.to_owned(), loot.conversation.clone()),
    ]
}

fn commands(loot: &Loot) -> Vec<Step> {
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

fn answers(loot: &Loot) -> Vec<Step> {
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

fn reading(loot: &Loot) -> Vec<Step> {
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

fn listing(page_size: i32, page_token: &str) -> ListConversationsRequest {
    ListConversationsRequest {
        page_size,
        page_token: page_token.to_owned(),
        oldest_first: true,
        ..Default::default()
    }
}

fn visitors(loot: &Loot) -> Vec<Step> {
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

fn mask(path: &str) -> FieldMask {
    let paths = vec![path.to_owned()];
    FieldMask { paths }
}

fn agents(loot: &Loot) -> Vec<Step> {
    let name = loot.agent.clone();
    let agent = |name: &str| {
        Some(Agent {
            name: name.to_owned(),
            settings: Some(prost_types::Struct::default()),
            ..Default::default()
        })
    };
    let fresh = format!("{}.fresh", loot.other.name);
    vec![
        step(
            "AdminService/CreateAgent",
            Refused,
            &v1::CreateAgentRequest {
                agent: agent(&fresh),
                ..Default::default()
            },
        ),
        step(
            "AdminService/CreateAgent",
            Refused,
            &v1::CreateAgentRequest {
                agent: agent(&name),
                ..Default::default()
            },
        ),
        step(
            "AdminService/GetAgent",
            NotFound,
            &v1::GetAgentRequest { name: name.clone() },
        ),
        step(
            "AdminService/ListAgents",
            Own,
            &v1::ListAgentsRequest::default(),
        ),
        step(
            "AdminService/UpdateAgent",
            NotFound,
            &v1::UpdateAgentRequest {
                agent: agent(&name),
                update_mask: Some(mask("settings")),
                ..Default::default()
            },
        ),
        step(
            "AdminService/DeleteAgent",
            NotFound,
            &v1::DeleteAgentRequest {
                name: name.clone(),
                ..Default::default()
            },
        ),
        step(
            "AdminService/PauseAgent",
            NotFound,
            &v1::PauseAgentRequest { name: name.clone() },
        ),
        step(
            "AdminService/ResumeAgent",
            NotFound,
            &v1::ResumeAgentRequest { name: name.clone() },
        ),
        step(
            "AdminService/TestAgent",
            NotFound,
            &v1::TestAgentRequest { name },
        ),
    ]
}

fn accounts(loot: &Loot) -> Vec<Step> {
    let name = loot.account.clone();
    let account = |name: &str, agent: &str, source: &str| {
        Some(Account {
            account: name.to_owned(),
            agent: agent.to_owned(),
            source: source.to_owned(),
            ..Default::default()
        })
    };
    vec![
        // Of the other's agent, and with its source.
        step(
            "AdminService/CreateAccount",
            Refused,
            &v1::CreateAccountRequest {
                account: account("fresh", &loot.agent, ""),
            },
        ),
        step(
            "AdminService/CreateAccount",
            Refused,
            &v1::CreateAccountRequest {
                account: account("fresh", "bolt.bot", &loot.source),
            },
        ),
        step(
            "AdminService/GetAccount",
            NotFound,
            &v1::GetAccountRequest { name: name.clone() },
        ),
        step(
            "AdminService/ListAccounts",
            Own,
            &v1::AdminServiceListAccountsRequest::default(),
        ),
        step(
            "AdminService/UpdateAccount",
            NotFound,
            &v1::UpdateAccountRequest {
                account: account(&name, "bolt.bot", ""),
                update_mask: Some(mask("agent")),
            },
        ),
        step(
            "AdminService/DeleteAccount",
            NotFound,
            &v1::DeleteAccountRequest {
                name,
                ..Default::default()
            },
        ),
    ]
}

fn sources(loot: &Loot) -> Vec<Step> {
    use v1::rotate_secret_request::Owner;
    let name = loot.source.clone();
    let source = |name: &str| {
        Some(v1::Source {
            name: name.to_owned(),
            settings: Some(prost_types::Struct::default()),
            ..Default::default()
        })
    };
    let fresh = format!("{}.fresh", loot.other.name);
    let mut steps = vec![
        step(
            "AdminService/CreateSource",
            Refused,
            &v1::CreateSourceRequest {
                source: source(&fresh),
                ..Default::default()
            },
        ),
        step(
            "AdminService/GetSource",
            NotFound,
            &v1::GetSourceRequest { name: name.clone() },
        ),
        step(
            "AdminService/ListSources",
            Own,
            &v1::ListSourcesRequest::default(),
        ),
        step(
            "AdminService/UpdateSource",
            NotFound,
            &v1::UpdateSourceRequest {
                source: source(&name),
                update_mask: Some(mask("settings")),
                ..Default::default()
            },
        ),
        step(
            "AdminService/DeleteSource",
            NotFound,
            &v1::DeleteSourceRequest {
                name: name.clone(),
                ..Default::default()
            },
        ),
    ];
    let secrets = [
        (Owner::Agent(loot.agent.clone()), "platform.zendesk.api_key"),
        (Owner::Source(name), "system.whatsapp.app_secrets"),
    ];
    for (owner, path) in secrets {
        steps.push(step(
            "AdminService/RotateSecret",
            NotFound,
            &v1::RotateSecretRequest {
                owner: Some(owner),
                path: path.into(),
                value: "a-secret-of-a-stranger".into(),
                overlap: None,
            },
        ));
    }
    steps
}

fn callers(loot: &Loot) -> Vec<Step> {
    let name = loot.other.own("caller");
    let caller = |name: &str| {
        Some(v1::Caller {
            name: name.to_owned(),
            scopes: vec![v1::Scope::Admin.into()],
            ..Default::default()
        })
    };
    let key_id = loot.other.caller.key.split('_').nth(1).unwrap_or_default();
    vec![
        // A caller is made in the tenant of who makes it, whatever its name.
        step(
            "AdminService/CreateCaller",
            Own,
            &v1::CreateCallerRequest {
                caller: caller("fresh"),
            },
        ),
        step(
            "AdminService/GetCaller",
            NotFound,
            &v1::GetCallerRequest { name: name.clone() },
        ),
        step(
            "AdminService/ListCallers",
            Own,
            &v1::ListCallersRequest::default(),
        ),
        step(
            "AdminService/UpdateCaller",
            NotFound,
            &v1::UpdateCallerRequest {
                caller: caller(&name),
                update_mask: Some(mask("scopes")),
            },
        ),
        step(
            "AdminService/DeleteCaller",
            NotFound,
            &v1::DeleteCallerRequest {
                name: name.clone(),
                ..Default::default()
            },
        ),
        step(
            "AdminService/CreateKey",
            NotFound,
            &v1::CreateKeyRequest {
                caller: name.clone(),
                ..Default::default()
            },
        ),
        step(
            "AdminService/ListKeys",
            NotFound,
            &v1::ListKeysRequest {
                caller: name,
                ..Default::default()
            },
        ),
        step(
            "AdminService/RevokeKey",
            NotFound,
            &v1::RevokeKeyRequest {
                id: key_id.to_owned(),
            },
        ),
    ]
}

/// First of all: later it tells of what this caller was refused, with the names that it asked for.
fn audit(_: &Loot) -> Vec<Step> {
    vec![
        step(
            "AdminService/ListAuditEntries",
            Own,
            &v1::ListAuditEntriesRequest::default(),
        ),
        step(
            "AdminService/VerifyAuditLog",
            Own,
            &v1::VerifyAuditLogRequest::default(),
        ),
    ]
}

fn walk(loot: &Loot) -> Vec<Step> {
    let parts = [
        audit, commands, answers, reading, visitors, agents, accounts, sources, callers,
    ];
    parts.into_iter().flat_map(|part| part(loot)).collect()
}

/// `Service/Method` of all that the contract offers.
fn methods() -> BTreeSet<String> {
    let files = FileDescriptorSet::decode(parloir_proto::DESCRIPTORS).expect("descriptors");
    let ours = files
        .file
        .into_iter()
        .filter(|file| file.package() == "parloir.v1");
    let services = ours.flat_map(|file| file.service);
    services
        .flat_map(|service| {
            let of = |method: &prost_types::MethodDescriptorProto| {
                format!("{}/{}", service.name(), method.name())
            };
            service.method.iter().map(of).collect::<Vec<_>>()
        })
        .collect()
}

#[tokio::test]
async fn every_method_with_the_ids_of_another_tenant_finds_nothing_and_changes_nothing() {
    let town = Town::start().await;
    let (acme, bolt) = (&town.acme, &town.bolt);
    let first: ListConversationsResponse = acme
        .caller
        .ask("ConversationService/ListConversations", &listing(1, ""))
        .await;
    let loot = Loot {
        other: acme,
        account: acme.own("account"),
        conversation: acme.own("conversation"),
        agent: acme.own("bot"),
        source: acme.own("wa"),
        page_token: first.next_page_token,
    };
    let steps = walk(&loot);
    let known: BTreeSet<_> = steps.iter().map(|step| step.method.to_owned()).collect();
    assert_eq!(
        known,
        methods(),
        "the walk must know every method of the contract"
    );
    let (before, seen) = (everything(acme).await, acme.agent.requests().len());
    let mut wrong = Vec::new();
    for step in &steps {
        wrong.extend(take(bolt, &loot, step).await);
    }
    if everything(acme).await != before {
        wrong.push("something of the other tenant has changed".to_owned());
    }
    if acme.agent.requests().len() != seen {
        wrong.push("the other tenant's agent was called".to_owned());
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// What is wrong with how this call was answered, if anything.
async fn take(bolt: &Tenant, loot: &Loot<'_>, step: &Step) -> Option<String> {
    let Step {
        method,
        message,
        expected,
    } = step;
    if *expected == Silence {
        let wish = SubscribeEventsRequest::decode(message.clone()).expect("a wish");
        let mut stream = bolt.caller.subscribe(&wish).await.expect("a stream");
        let events = stream.caught_up().await.len();
        return (events > 0).then(|| format!("{method}: {events} events of another tenant"));
    }
    let answer = bolt.caller.send(method, message.clone()).await;
    let (code, shown) = match &answer {
        Ok(bytes) => (Code::Ok, bytes.to_vec()),
        Err(status) => (
            status.code(),
            [status.message().as_bytes(), status.details()].concat(),
        ),
    };
    let fits = match expected {
        NotFound => code == Code::NotFound,
        Nothing => code == Code::NotFound || code == Code::Ok && shown.is_empty(),
        Own => code == Code::Ok,
        Refused => code != Code::Ok && code != Code::Unimplemented && code != Code::Internal,
        Silence => false,
    };
    if !fits {
        return Some(format!("{method}: {expected:?} expected, not {answer:?}"));
    }
    // An error may repeat the name that was asked for; an answer knows nothing of the other.
    let name = loot.other.name;
    let secrets = [
        format!("words of {name}"),
        format!("value of {name}"),
        format!("action of {name}"),
    ];
    let mut traces = secrets.to_vec();
    if *expected == Own {
        traces.push(name.to_owned());
    }
    let found = traces.iter().find(|trace| holds(&shown, trace));
    found.map(|trace| format!("{method}: the answer holds {trace:?}"))
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

/// All that a tenant can see of what it has.
async fn everything(tenant: &Tenant) -> Vec<(String, Vec<u8>)> {
    let caller = &tenant.caller;
    let mut all = Vec::new();
    let mut asked: Vec<(&'static str, Bytes)> = vec![
        ("AccountService/ListAccounts", Bytes::new()),
        (
            "ConversationService/ListConversations",
            bytes(&listing(100, "")),
        ),
        (
            "AccountService/ListContacts",
            bytes(&v1::ListContactsRequest {
                account: SHARED.into(),
                ..Default::default()
            }),
        ),
        (
            "ConversationService/GetErasure",
            bytes(&v1::GetErasureRequest {
                receipt_id: tenant.receipt_id.clone(),
            }),
        ),
    ];
    for (account, conversation) in [
        (SHARED.to_owned(), COMMON.to_owned()),
        (SHARED.to_owned(), tenant.own("conversation")),
        (tenant.own("account"), tenant.own("conversation")),
    ] {
        let get = v1::GetConversationRequest {
            account,
            conversation_id: conversation,
        };
        asked.push(("ConversationService/GetConversation", bytes(&get)));
    }
    for (method, message) in asked {
        let answer = caller.send(method, message).await.expect("its own");
        all.push((method.to_owned(), answer.to_vec()));
    }
    let mut log = caller
        .subscribe(&SubscribeEventsRequest {
            start: Some(v1::subscribe_events_request::Start::Position(
                v1::StartPosition::Earliest.into(),
            )),
            ..Default::default()
        })
        .await
        .expect("a stream");
    for event in log.caught_up().await {
        all.push(("event".to_owned(), event.encode_to_vec()));
    }
    all
}

fn bytes(message: &impl Message) -> Bytes {
    message.encode_to_vec().into()
}
