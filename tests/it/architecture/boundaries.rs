//! Which folder must not mention what: dependencies point inwards, and only the composition root sees both sides.

use super::source::{Source, mentions, modules, sources};

/// Folders (or files) of the server and what stays out of them, tests included unless said otherwise.
struct Boundary {
    inside: &'static [&'static str],
    /// Crates and paths that it must not name.
    names: &'static [&'static str],
    /// Modules of the server that its production code must not use.
    modules: Modules,
    why: &'static str,
}

enum Modules {
    AllBut(&'static [&'static str]),
    NoneOf(&'static [&'static str]),
}

const BOUNDARIES: &[Boundary] = &[
    Boundary {
        inside: &["server/src/domain/"],
        names: &[
            "tonic",
            "axum",
            "sea_orm",
            "sqlx",
            "reqwest",
            "hyper",
            "prost",
            "parloir_proto",
            "parloir_client",
            "tokio::net",
            "Instant::now",
        ],
        modules: Modules::AllBut(&["domain"]),
        why: "the rules know no transport, no storage and no clock but their own",
    },
    Boundary {
        inside: &[
            "server/src/conversations/",
            "server/src/admin/",
            "server/src/subscriptions/",
        ],
        names: &[
            "tonic", "axum", "sea_orm", "sqlx", "reqwest", "hyper", "prost",
        ],
        modules: Modules::NoneOf(&[
            "agents", "app", "commands", "grpc", "net", "ops", "simulate", "sources", "store",
            "webhook", "webhooks",
        ]),
        why: "use cases speak to ports, never to a transport or a database",
    },
    Boundary {
        inside: &["server/src/sinks/"],
        names: &[
            "tonic",
            "axum",
            "sea_orm",
            "sqlx",
            "reqwest",
            "hyper",
            "async_nats",
        ],
        modules: Modules::NoneOf(&[
            "agents", "app", "commands", "grpc", "nats", "net", "ops", "simulate", "sources",
            "store", "webhook", "webhooks",
        ]),
        why: "use cases speak to ports, never to a broker or a database",
    },
    Boundary {
        inside: &["server/src/nats/"],
        names: &["tonic", "axum", "sea_orm", "sqlx", "reqwest", "hyper"],
        modules: Modules::NoneOf(&[
            "agents",
            "app",
            "commands",
            "conversations",
            "grpc",
            "hub",
            "simulate",
            "sources",
            "store",
            "webhook",
            "webhooks",
        ]),
        why: "the broker's adapter knows the broker and what is asked of it",
    },
    Boundary {
        inside: &["server/src/agents/"],
        names: &["sea_orm", "sqlx", "tonic", "prost", "parloir_proto"],
        modules: Modules::NoneOf(&[
            "app",
            "commands",
            "conversations",
            "grpc",
            "ops",
            "simulate",
            "sources",
            "store",
            "webhook",
            "webhooks",
        ]),
        why: "a platform's adapter knows its platform and the domain",
    },
    Boundary {
        inside: &["server/src/sources/"],
        names: &["sea_orm", "sqlx", "tonic", "prost", "parloir_proto"],
        modules: Modules::NoneOf(&[
            "agents",
            "app",
            "commands",
            "conversations",
            "grpc",
            "ops",
            "simulate",
            "store",
            "webhook",
            "webhooks",
        ]),
        why: "a source's adapter knows its system and the domain, and no agent",
    },
    Boundary {
        inside: &["server/src/store/"],
        names: &["tonic", "axum", "reqwest", "hyper"],
        modules: Modules::NoneOf(&[
            "agents",
            "app",
            "commands",
            "conversations",
            "grpc",
            "net",
            "ops",
            "simulate",
            "sources",
            "webhook",
            "webhooks",
        ]),
        why: "the database knows the domain and nobody who uses it",
    },
    Boundary {
        inside: &["server/src/grpc/"],
        names: &["sea_orm", "sqlx", "reqwest", "axum"],
        modules: Modules::NoneOf(&[
            "agents", "app", "commands", "simulate", "sources", "store", "webhook", "webhooks",
        ]),
        why: "handlers convert, call a use case, and convert",
    },
    Boundary {
        inside: &["server/src/simulate/"],
        names: &[
            "sea_orm",
            "sqlx",
            "tonic",
            "parloir_proto",
            "parloir_client",
        ],
        modules: Modules::AllBut(&["simulate"]),
        why: "the simulated platform shares no code with what is tested against it",
    },
    Boundary {
        inside: &["client/src/"],
        names: &["sea_orm", "axum", "reqwest", "parloir_migrations"],
        modules: Modules::NoneOf(&[]),
        why: "callers compile the client, not the server",
    },
];

/// Folders that may name the concrete agents, sources and store: the composition root, the verbs, and the configuration,
/// which holds the own settings of each platform and system.
const COMPOSES: &[&str] = &[
    "server/src/app.rs",
    "server/src/app/",
    "server/src/config/",
    "server/src/commands/",
    "server/src/lib.rs",
];

/// Who may ask the machine what time it is; everybody else has a clock handed in.
const CLOCKS: &[&str] = &[
    "server/src/domain/time.rs",
    "server/src/simulate/",
    "client/src/",
    "server/src/commands/",
];

#[test]
fn dependencies_point_inwards() {
    let found: Vec<_> = sources().iter().flat_map(violations).collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

fn violations(source: &Source) -> Vec<String> {
    let code = source.production();
    let mut found: Vec<_> = BOUNDARIES
        .iter()
        .filter(|boundary| source.is_in(boundary.inside))
        .flat_map(|boundary| crossings(boundary, source, &code))
        .collect();
    found.extend(composition(source, &code));
    found.extend(clock(source, &code));
    found
}

fn crossings(boundary: &Boundary, source: &Source, code: &str) -> Vec<String> {
    let all = source.code();
    let named = boundary.names.iter().filter(|name| mentions(&all, name));
    let used = modules(code)
        .into_iter()
        .filter(|module| !source.is_test() && boundary.modules.forbid(module))
        .map(|module| format!("crate::{module}"));
    named
        .map(|name| (*name).to_owned())
        .chain(used)
        .map(|what| format!("{} mentions {what}: {}", source.path, boundary.why))
        .collect()
}

impl Modules {
    fn forbid(&self, module: &str) -> bool {
        match self {
            Self::AllBut(allowed) => !allowed.contains(&module),
            Self::NoneOf(forbidden) => forbidden.contains(&module),
        }
    }
}

fn composition(source: &Source, code: &str) -> Option<String> {
    if !source.path.starts_with("server/src/") || source.is_in(COMPOSES) || source.is_test() {
        return None;
    }
    ["agents", "sources", "store"]
        .into_iter()
        .filter(|module| {
            !source.is_in(&[
                &format!("server/src/{module}/"),
                &format!("server/src/{module}.rs"),
            ])
        })
        .find(|module| modules(code).contains(*module))
        .map(|module| {
            format!(
                "{} names crate::{module}: only app, config and commands compose",
                source.path
            )
        })
}

fn clock(source: &Source, code: &str) -> Option<String> {
    let outside = !source.path.starts_with("server/") || source.is_in(CLOCKS);
    (!outside && !source.is_test() && mentions(code, "SystemTime::now"))
        .then(|| format!("{} reads the machine's clock: take a Clock", source.path))
}

#[test]
fn a_forbidden_import_planted_on_purpose_is_found() {
    let planted = [
        ("server/src/domain/event.rs", "use tonic::Status;"),
        (
            "server/src/domain/event.rs",
            "fn a(socket: tokio::net::TcpStream) {}",
        ),
        (
            "server/src/domain/event.rs",
            "use crate::{domain::Id, config::Settings};",
        ),
        ("server/src/domain/a/tests.rs", "use sea_orm::EntityTrait;"),
        (
            "server/src/conversations/send.rs",
            "use sea_orm::DatabaseConnection;",
        ),
        (
            "server/src/conversations/send.rs",
            "use crate::grpc::convert;",
        ),
        ("server/src/grpc/mod.rs", "use sea_orm::EntityTrait;"),
        ("server/src/grpc/mod.rs", "use crate::store::SqlStore;"),
        ("server/src/agents/zendesk/send.rs", "use tonic::Code;"),
        (
            "server/src/agents/zendesk/send.rs",
            "use crate::conversations::Conversations;",
        ),
        (
            "server/src/agents/zendesk/send.rs",
            "use crate::sources::SystemConfig;",
        ),
        (
            "server/src/sources/messenger/send.rs",
            "use crate::agents::PlatformConfig;",
        ),
        (
            "server/src/sources/messenger/send.rs",
            "use crate::conversations::Conversations;",
        ),
        (
            "server/src/sources/messenger/tests/page.rs",
            "use sea_orm::EntityTrait;",
        ),
        ("server/src/store/mod.rs", "use axum::Router;"),
        ("server/src/store/mod.rs", "use crate::sources;"),
        (
            "server/src/conversations/send.rs",
            "use crate::{domain::Id, sources::messenger::Messenger};",
        ),
        ("server/src/grpc/mod.rs", "use crate::sources::build;"),
        ("server/src/delivery/mod.rs", "use crate::sources::build;"),
        ("server/src/simulate/mod.rs", "use crate::domain::Id;"),
        (
            "server/src/net/mod.rs",
            "use crate::agents::zendesk::Zendesk;",
        ),
        (
            "server/src/conversations/send.rs",
            "let now = std::time::SystemTime::now();",
        ),
    ];
    for (path, text) in planted {
        assert_eq!(
            violations(&Source::planted(path, text)).len().min(1),
            1,
            "{path}: {text}"
        );
    }
}

#[test]
fn what_is_allowed_is_not_found() {
    let fine = [
        (
            "server/src/domain/event.rs",
            "use crate::domain::Id; // not a tonic type",
        ),
        (
            "server/src/app.rs",
            "use crate::{agents::zendesk::Zendesk, store::Sqlite};",
        ),
        (
            "server/src/commands/serve.rs",
            "use crate::{app, store::Sqlite};",
        ),
        ("server/src/agents/mod.rs", "use crate::agents::zendesk;"),
        (
            "server/src/sources/messenger/mod.rs",
            "use crate::{config::SourceConfig, domain::ports::Source, outgoing, sources::SystemConfig};",
        ),
        (
            "server/src/config/sources.rs",
            "use crate::sources::SystemConfig;",
        ),
        (
            "server/src/conversations/tests.rs",
            "use crate::store::Sqlite;",
        ),
        (
            "server/src/simulate/bot.rs",
            "use crate::simulate::clock; use axum::Router;",
        ),
    ];
    for (path, text) in fine {
        let found = violations(&Source::planted(path, text));
        assert!(found.is_empty(), "{path}: {found:?}");
    }
}
