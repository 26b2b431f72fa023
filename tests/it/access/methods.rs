//! Every method of every descriptor, with every single scope: nothing is open that nobody opened.

use prost::Message;
use prost_types::FileDescriptorSet;
use tonic::Code;

use super::house::{House, assert_admitted, assert_refused, bearer, call};

const SCOPES: [&str; 4] = ["converse", "subscribe", "respond", "admin"];

/// Who may call a method: written a second time on purpose, so that opening one takes two thoughts.
fn allowed(path: &str) -> &'static [&'static str] {
    let (service, method) = path[1..].split_once('/').expect("a path");
    match (service, method) {
        ("grpc.reflection.v1.ServerReflection" | "grpc.reflection.v1alpha.ServerReflection", _) => {
            &SCOPES
        }
        ("parloir.v1.AdminService", _) | (_, "ErasePersonalData" | "GetErasure") => &["admin"],
        (
            _,
            "StartConversation"
            | "SendMessage"
            | "UpdateParameters"
            | "EndConversation"
            | "TransferConversation"
            | "SendHumanMessage"
            | "LinkContact",
        ) => &["converse"],
        (
            _,
            "GetConversation" | "ListConversations" | "ListEvents" | "ListAccounts"
            | "ListContacts",
        ) => &["converse", "subscribe"],
        (_, "SubscribeEvents" | "PullEvents" | "AckEvents") => &["subscribe"],
        (_, "RespondToAgent" | "SetAvailability") => &["respond"],
        _ => panic!("{path}: decide who may call it, here and in the server's table"),
    }
}

fn paths() -> Vec<String> {
    let sets = [
        parloir_proto::DESCRIPTORS,
        tonic_health::pb::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
    ];
    let files = sets.into_iter().flat_map(|set| {
        let set = FileDescriptorSet::decode(set).expect("a descriptor");
        set.file
    });
    let methods = files.flat_map(|file| {
        let package = file.package().to_owned();
        file.service.into_iter().flat_map(move |service| {
            let name = format!("/{package}.{}", service.name());
            let each = service.method.into_iter();
            each.map(move |method| format!("{name}/{}", method.name()))
        })
    });
    methods.collect()
}

/// Test 18: every method in the descriptors is covered.
#[tokio::test]
async fn every_method_asks_for_exactly_its_scopes() {
    let house = House::with_callers("").await;
    let channel = house.channel().await;
    let paths = paths();
    assert!(paths.len() > 20, "{paths:?}");
    for path in &paths {
        let without = call(&channel, path, None).await;
        if path.starts_with("/grpc.health.v1.Health/") {
            assert_admitted(&without, path);
            continue;
        }
        assert_refused(without, Code::Unauthenticated, "CREDENTIALS_MISSING", path);
        for scope in SCOPES {
            let what = format!("{path} with {scope}");
            let answer = call(&channel, path, Some(&bearer(&house.key(scope)))).await;
            if allowed(path).contains(&scope) {
                assert_admitted(&answer, &what);
            } else {
                assert_refused(answer, Code::PermissionDenied, "SCOPE_MISSING", &what);
            }
        }
    }
}

/// Test 18: what is not in the table is passed on to nobody.
#[tokio::test]
async fn a_method_that_there_is_not_is_unimplemented_for_everybody() {
    let house = House::with_callers("").await;
    let channel = house.channel().await;
    for path in [
        "/parloir.v1.ConversationService/ReadEverything",
        "/other.Service/Method",
        "/",
    ] {
        let admin = bearer(&house.key("admin"));
        for shown in [None, Some(admin.as_str())] {
            let status = call(&channel, path, shown).await.expect_err(path);
            assert_eq!(status.code(), Code::Unimplemented, "{path}");
        }
    }
}
