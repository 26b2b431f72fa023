//! Every method of the contract, called with what another tenant has.

mod administration;
mod conversations;

use std::collections::BTreeSet;

use parloir_client::v1::{self, ListConversationsResponse, SubscribeEventsRequest};
use prost::{Message, bytes::Bytes};
use prost_types::FileDescriptorSet;
use tonic::Code;

use super::town::{COMMON, SHARED, Tenant, Town};
use administration::{accounts, agents, audit, callers, sources, subscriptions};
use conversations::{answers, commands, listing, reading, visitors};

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

fn walk(loot: &Loot) -> Vec<Step> {
    let parts = [
        audit,
        commands,
        answers,
        reading,
        visitors,
        agents,
        accounts,
        sources,
        callers,
        subscriptions,
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
