//! What administrators and readers talk to: the services on a small database, with an object of each kind in it.

use std::{
    fs,
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};

use http::Request;
use http_body_util::{BodyExt, Full};
use parloir::{
    access::Callers,
    admin::{Admin, Parts},
    committer::{Committer, CommitterSettings, Observers},
    config::Config,
    domain::{Identity, Position, ports::Store},
    grpc::{self, Administration, Options, WithStreams, fuzzing},
    hub::{Hub, Settings},
    live::{Live, Setup},
    metrics::Metrics,
    store::{SqlStore, StoreSettings, Synchronous},
    subscriptions::{self, Subscriptions},
};
use parloir_proto::v1::{self, admin_service_server::AdminServiceServer};
use prost::Message;
use prost_types::{Struct, Value, value::Kind};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status, body::Body, codegen::Service};

use crate::stage::Standing;

/// A database and its key, beside it.
const FILES: [&str; 2] = ["parloir.db", "parloir.db.key"];

const PULL: &str = "/parloir.v1.ConversationService/PullEvents";

/// The largest request; inputs are smaller, what is shaped of them may be larger.
const MAX_MESSAGE_BYTES: usize = 256 * 1024;

/// The services, their database, and all that goes on beside them.
pub struct Office {
    service: WithStreams<AdminServiceServer<Administration>>,
    hub: Arc<Hub>,
    runtime: Runtime,
    _folder: TempDir,
}

/// How a call ended.
#[derive(Debug)]
pub struct Answer {
    pub code: Code,
    pub message: String,
    pub details: Vec<u8>,
    pub body: Vec<u8>,
}

impl Office {
    /// A copy of one that was furnished once: to make a database takes long.
    pub fn open() -> Self {
        // In memory: a static folder would never be removed.
        static FURNISHED: OnceLock<[Vec<u8>; 2]> = OnceLock::new();
        let folder = folder();
        for (name, content) in FILES.iter().zip(FURNISHED.get_or_init(furnish)) {
            fs::write(folder.path().join(name), content).expect("a writable folder");
        }
        Self::on(folder).0
    }

    fn on(folder: TempDir) -> (Self, Arc<dyn Store>) {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let (service, hub, store) = runtime.block_on(serve(&folder.path().join(FILES[0])));
        let office = Self {
            service,
            hub,
            runtime,
            _folder: folder,
        };
        (office, store)
    }

    pub fn ask(&mut self, path: &str, message: &[u8]) -> Answer {
        if path == PULL {
            return self.pull(message);
        }
        let length = u32::try_from(message.len()).expect("a short message");
        let framed = [&[0], length.to_be_bytes().as_slice(), message].concat();
        let request = Request::post(path).header("content-type", "application/grpc");
        let request = request.extension(Identity::anonymous());
        let request = request.body(Body::new(Full::from(framed)));
        let request = request.expect("a request");
        let service = &mut self.service;
        self.runtime.block_on(async {
            let response = Service::call(service, request).await;
            let Ok(response) = response;
            let (head, body) = response.into_parts();
            if let Some(status) = Status::from_header_map(&head.headers) {
                return Answer::of(&status, Vec::new());
            }
            if path.ends_with("/SubscribeEvents") {
                // It was taken. What follows may never end.
                return Answer::of(&Status::ok(""), Vec::new());
            }
            let collected = body.collect().await.expect("a whole answer");
            let trailers = collected.trailers().expect("trailers");
            let status = Status::from_header_map(trailers).expect("a status");
            Answer::of(&status, collected.to_bytes().into())
        })
    }

    /// As far as a pull is read; what follows waits for events.
    fn pull(&self, message: &[u8]) -> Answer {
        let _within = self.runtime.enter();
        let refused = match fuzzing::check_pull(message, &self.hub, &shares()) {
            Ok(checked) => checked.refused,
            Err(error) => Some(Status::internal(error.to_string())),
        };
        Answer::of(&refused.unwrap_or_else(|| Status::ok("")), Vec::new())
    }
}

impl Answer {
    fn of(status: &Status, body: Vec<u8>) -> Self {
        Self {
            code: status.code(),
            message: status.message().to_owned(),
            details: status.details().to_vec(),
            body,
        }
    }
}

async fn serve(
    path: &Path,
) -> (
    WithStreams<AdminServiceServer<Administration>>,
    Arc<Hub>,
    Arc<dyn Store>,
) {
    let mut settings = StoreSettings::new(path);
    settings.synchronous = Synchronous::Normal;
    let clock = Arc::new(Standing);
    let kept = SqlStore::open(&settings, clock.clone()).await;
    let kept = Arc::new(kept.expect("a database"));
    let store: Arc<dyn Store> = kept.clone();
    let observers = Observers {
        publish: Box::new(|_| ()),
        fatal: Box::new(|| panic!("the database is lost")),
        metrics: Metrics::new(),
    };
    let live = Live::fixed(Setup::default());
    let committer = Committer::start(store.clone(), CommitterSettings::default(), observers);
    let admin = Admin::start(Parts {
        store: kept.clone(),
        committer: committer.clone(),
        live: live.clone(),
        callers: Arc::new(Callers::open(clock.clone())),
        clock: clock.clone(),
        declared: Config::default(),
        reason: grpc::status::reason,
    });
    let admin = admin.await.expect("what is kept can be read");
    let hub = Hub::start(
        Settings::default(),
        store.clone(),
        live.clone(),
        Metrics::new(),
        Position(0),
    );
    let subscriptions = Subscriptions::new(subscriptions::Parts {
        store: store.clone(),
        kept,
        committer,
        hub: hub.clone(),
        live,
        clock: clock.clone(),
        metrics: Metrics::new(),
        settings: shares(),
        reason: grpc::status::reason,
    });
    let options = Options {
        answer_within: Duration::from_secs(1),
        max_message_bytes: MAX_MESSAGE_BYTES,
    };
    let stopping = CancellationToken::new();
    let calls = grpc::admin(
        admin,
        subscriptions.clone(),
        store.epoch(),
        options,
        stopping,
    );
    let service = grpc::with_streams(
        calls,
        hub.clone(),
        Some(subscriptions),
        clock,
        MAX_MESSAGE_BYTES,
    );
    (service, hub, store)
}

/// How work is shared among members.
fn shares() -> subscriptions::Settings {
    let Config {
        subscriptions, log, ..
    } = Config::default();
    subscriptions::Settings {
        max_subscriptions: subscriptions.max_subscriptions,
        max_members: subscriptions.max_members,
        max_in_flight: subscriptions.max_in_flight,
        max_pending: subscriptions.max_pending,
        lease: subscriptions.lease,
        pull_lease: subscriptions.pull_lease,
        retention_alarm: subscriptions.retention_alarm,
        look_interval: subscriptions.look_interval,
        retention_age: log.retention_age,
        tenant_ages: std::collections::BTreeMap::new(),
        measure_interval: log.sweep_interval,
    }
}

/// The files of one with an object of each kind, under names that the dice know.
fn furnish() -> [Vec<u8>; 2] {
    let place = folder();
    let path = place.path().to_owned();
    let (mut office, store) = Office::on(place);
    let mut make = |method: &str, message: Vec<u8>| {
        let answer = office.ask(&format!("/parloir.v1.AdminService/{method}"), &message);
        assert_eq!(answer.code, Code::Ok, "{method}: {answer:?}");
    };
    let agent = v1::Agent {
        name: "demo".to_owned(),
        settings: Some(table(&[(
            "platform",
            table_value(&[(
                "zendesk",
                table_value(&[
                    ("bot_id", text("b")),
                    ("base_url", text("https://example.org/a")),
                ]),
            )]),
        )])),
        ..v1::Agent::default()
    };
    let secret = (
        "platform.zendesk.api_key".to_owned(),
        "a-key-of-nobody".to_owned(),
    );
    make(
        "CreateAgent",
        v1::CreateAgentRequest {
            agent: Some(agent),
            secrets: [secret].into(),
        }
        .encode_to_vec(),
    );
    make(
        "CreateAccount",
        v1::CreateAccountRequest {
            account: Some(v1::Account {
                account: "order_status".to_owned(),
                agent: "demo".to_owned(),
                ..v1::Account::default()
            }),
        }
        .encode_to_vec(),
    );
    make(
        "CreateCaller",
        v1::CreateCallerRequest {
            caller: Some(v1::Caller {
                name: "demo".to_owned(),
                scopes: vec![v1::Scope::Admin.into()],
                ..v1::Caller::default()
            }),
        }
        .encode_to_vec(),
    );
    make(
        "CreateKey",
        v1::CreateKeyRequest {
            caller: "demo".to_owned(),
            ..v1::CreateKeyRequest::default()
        }
        .encode_to_vec(),
    );
    office.runtime.block_on(store.close()).expect("closed");
    FILES.map(|name| fs::read(path.join(name)).expect("a readable file"))
}

fn table(fields: &[(&str, Value)]) -> Struct {
    let fields = fields.iter().cloned();
    Struct {
        fields: fields
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    }
}

fn table_value(fields: &[(&str, Value)]) -> Value {
    Value {
        kind: Some(Kind::StructValue(table(fields))),
    }
}

fn text(text: &str) -> Value {
    Value {
        kind: Some(Kind::StringValue(text.to_owned())),
    }
}

/// In memory, where there is such a folder.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() {
        TempDir::new_in(memory)
    } else {
        TempDir::new()
    };
    folder.expect("a temporary folder")
}
