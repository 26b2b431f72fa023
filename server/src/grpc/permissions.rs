//! Who may call what: a method that does not stand in this table is closed.

use std::collections::HashMap;

use super::methods::{Method, methods};
use crate::domain::{Scope, Scopes};

/// Who may call a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Permission {
    /// Everybody, without being asked: what orchestrators look at.
    Open,
    /// Every caller, whatever its scopes.
    AnyCaller,
    /// A caller with one of these.
    OneOf(&'static [Scope]),
    /// Nobody: nobody has opened it.
    Closed,
}

use Permission::{AnyCaller, OneOf, Open};
use Scope::{Admin, Converse, Respond, Subscribe};

const COMMAND: Permission = OneOf(&[Converse]);
const READING: Permission = OneOf(&[Converse, Subscribe]);
const ANSWER: Permission = OneOf(&[Respond]);
const ADMINISTRATION: Permission = OneOf(&[Admin]);

/// Service, method, who may call it.
const TABLE: &[(&str, &str, Permission)] = &[
    ("grpc.health.v1.Health", "Check", Open),
    ("grpc.health.v1.Health", "Watch", Open),
    (
        "grpc.reflection.v1.ServerReflection",
        "ServerReflectionInfo",
        AnyCaller,
    ),
    (
        "grpc.reflection.v1alpha.ServerReflection",
        "ServerReflectionInfo",
        AnyCaller,
    ),
    (CONVERSATIONS, "StartConversation", COMMAND),
    (CONVERSATIONS, "SendMessage", COMMAND),
    (CONVERSATIONS, "UpdateParameters", COMMAND),
    (CONVERSATIONS, "EndConversation", COMMAND),
    (CONVERSATIONS, "TransferConversation", COMMAND),
    (CONVERSATIONS, "SendHumanMessage", COMMAND),
    (CONVERSATIONS, "GetConversation", READING),
    (CONVERSATIONS, "ListConversations", READING),
    (CONVERSATIONS, "ListEvents", READING),
    (CONVERSATIONS, "SubscribeEvents", OneOf(&[Subscribe])),
    (CONVERSATIONS, "PullEvents", OneOf(&[Subscribe])),
    (CONVERSATIONS, "AckEvents", OneOf(&[Subscribe])),
    (CONVERSATIONS, "RespondToAgent", ANSWER),
    (CONVERSATIONS, "SetAvailability", ANSWER),
    (CONVERSATIONS, "ErasePersonalData", ADMINISTRATION),
    (CONVERSATIONS, "GetErasure", ADMINISTRATION),
    (ACCOUNTS, "ListAccounts", READING),
    (ACCOUNTS, "ListContacts", READING),
    (ACCOUNTS, "LinkContact", COMMAND),
    (ADMIN, "CreateAgent", ADMINISTRATION),
    (ADMIN, "GetAgent", ADMINISTRATION),
    (ADMIN, "ListAgents", ADMINISTRATION),
    (ADMIN, "UpdateAgent", ADMINISTRATION),
    (ADMIN, "DeleteAgent", ADMINISTRATION),
    (ADMIN, "PauseAgent", ADMINISTRATION),
    (ADMIN, "ResumeAgent", ADMINISTRATION),
    (ADMIN, "TestAgent", ADMINISTRATION),
    (ADMIN, "CreateAccount", ADMINISTRATION),
    (ADMIN, "GetAccount", ADMINISTRATION),
    (ADMIN, "ListAccounts", ADMINISTRATION),
    (ADMIN, "UpdateAccount", ADMINISTRATION),
    (ADMIN, "DeleteAccount", ADMINISTRATION),
    (ADMIN, "CreateSource", ADMINISTRATION),
    (ADMIN, "GetSource", ADMINISTRATION),
    (ADMIN, "ListSources", ADMINISTRATION),
    (ADMIN, "UpdateSource", ADMINISTRATION),
    (ADMIN, "DeleteSource", ADMINISTRATION),
    (ADMIN, "RotateSecret", ADMINISTRATION),
    (ADMIN, "CreateCaller", ADMINISTRATION),
    (ADMIN, "GetCaller", ADMINISTRATION),
    (ADMIN, "ListCallers", ADMINISTRATION),
    (ADMIN, "UpdateCaller", ADMINISTRATION),
    (ADMIN, "DeleteCaller", ADMINISTRATION),
    (ADMIN, "CreateKey", ADMINISTRATION),
    (ADMIN, "ListKeys", ADMINISTRATION),
    (ADMIN, "RevokeKey", ADMINISTRATION),
    (ADMIN, "ListAuditEntries", ADMINISTRATION),
    (ADMIN, "VerifyAuditLog", ADMINISTRATION),
    (ADMIN, "CreateSubscription", ADMINISTRATION),
    (ADMIN, "GetSubscription", ADMINISTRATION),
    (ADMIN, "ListSubscriptions", ADMINISTRATION),
    (ADMIN, "UpdateSubscription", ADMINISTRATION),
    (ADMIN, "DeleteSubscription", ADMINISTRATION),
    (ADMIN, "ListParkedEvents", ADMINISTRATION),
    (ADMIN, "RedriveParkedEvents", ADMINISTRATION),
    (ADMIN, "MoveSubscription", ADMINISTRATION),
];

const CONVERSATIONS: &str = "parloir.v1.ConversationService";
const ACCOUNTS: &str = "parloir.v1.AccountService";
const ADMIN: &str = "parloir.v1.AdminService";

/// What holds for one method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rule {
    pub permission: Permission,
    /// The answer is a stream, which lives until its credentials do not count any more.
    pub streams: bool,
}

/// The rules of all methods that there are, by path.
#[derive(Debug)]
pub(super) struct Permissions(HashMap<String, Rule>);

impl Permissions {
    pub fn new() -> Self {
        Self::of(methods(), TABLE)
    }

    fn of(methods: Vec<Method>, table: &[(&str, &str, Permission)]) -> Self {
        let opened = |method: &Method| {
            let entry = table.iter().find(|(service, name, _)| {
                let path = method.path.strip_prefix('/');
                path.and_then(|path| path.split_once('/')) == Some((*service, *name))
            });
            entry.map_or(Permission::Closed, |(_, _, permission)| *permission)
        };
        let rules = methods.into_iter().map(|method| {
            let rule = Rule {
                permission: opened(&method),
                streams: method.streams,
            };
            (method.path, rule)
        });
        Self(rules.collect())
    }

    /// The rule for a path; `None` where there is no such method.
    pub fn rule(&self, path: &str) -> Option<Rule> {
        self.0.get(path).copied()
    }
}

impl Permission {
    /// The scopes of which one is needed, where that is not so.
    pub fn missing(self, scopes: Scopes) -> Option<&'static [Scope]> {
        match self {
            Self::OneOf(needed) if !needed.iter().any(|scope| scopes.allows(*scope)) => {
                Some(needed)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_that_nobody_opened_is_closed() {
        let forgotten = vec![Method {
            path: "/parloir.v1.ConversationService/ReadEverything".into(),
            streams: false,
        }];
        let permissions = Permissions::of(forgotten, TABLE);
        let rule = permissions.rule("/parloir.v1.ConversationService/ReadEverything");
        assert_eq!(rule.map(|rule| rule.permission), Some(Permission::Closed));
        assert_eq!(
            permissions.rule("/parloir.v1.ConversationService/SendMessage"),
            None
        );
    }

    /// A line for what is not there would open a method of that name without anybody's thinking of it.
    #[test]
    fn every_line_is_of_a_method_that_there_is() {
        let permissions = Permissions::new();
        for (service, name, _) in TABLE {
            assert!(
                permissions.rule(&format!("/{service}/{name}")).is_some(),
                "{service}/{name}"
            );
        }
    }

    #[test]
    fn every_method_of_ours_is_opened_to_somebody() {
        for (path, rule) in Permissions::new().0 {
            assert_ne!(
                rule.permission,
                Permission::Closed,
                "{path} needs a line in the table"
            );
        }
    }
}
