//! Requests of administrators, and of readers of streams: answered by the services themselves, on a database, because
//! what is wrong with them is only found among the objects that there are.

mod office;

use std::{cell::RefCell, sync::OnceLock};

use parloir_proto::v1;
use prost::Message;
use tonic::Code;

use self::office::{Answer, Office};
use crate::{
    requests,
    shape::{Dice, contract},
};

/// What clients of all languages take of a status, message and details together.
const MOST_STATUS_BYTES: usize = 3 * 1024;

/// Shorter secrets stand in any sentence by chance.
const LEAST_SECRET: usize = 8;

/// How both ways to read a message begin what they say of one that is none.
const NO_MESSAGE: [&str; 2] = ["failed to decode Protobuf message", "the request is not of"];

/// The first byte names the method, the rest is the message.
pub fn raw(input: &[u8]) {
    if let Some((which, message)) = input.split_first() {
        try_one(method(*which).0.as_str(), message);
    }
}

/// The first byte names the method, the rest decides what stands in its fields.
pub fn shaped(input: &[u8]) {
    if let Some((which, rest)) = input.split_first() {
        let (path, request) = method(*which);
        let message = contract().shape(request, &mut Dice(rest));
        try_one(path, &message);
    }
}

/// Whether a service knows the method.
pub fn is_read(path: &str) -> bool {
    ask(path, &[]).code != Code::Unimplemented
}

fn try_one(path: &str, message: &[u8]) {
    let answer = ask(path, message);
    let is_none = NO_MESSAGE
        .iter()
        .any(|told| answer.message.starts_with(told));
    let fits = match answer.code {
        Code::Internal => is_none,
        // A stream under a name.
        Code::Unimplemented => path.ends_with("/SubscribeEvents"),
        // What is wrong with a request, or in the way of it. Everything else would be a fault of ours.
        Code::Ok
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::ResourceExhausted
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::OutOfRange => true,
        _ => false,
    };
    assert!(fits, "{path} answers {answer:?}");
    let bytes = answer.message.len() + answer.details.len();
    assert!(bytes <= MOST_STATUS_BYTES, "a status of {bytes} bytes");
    tells_no_secret(path, message, &answer);
}

/// Each input meets the same objects: what one has changed is gone before the next.
fn ask(path: &str, message: &[u8]) -> Answer {
    thread_local! {
        static OFFICE: RefCell<Option<Office>> = const { RefCell::new(None) };
    }
    OFFICE.with_borrow_mut(|office| {
        let answer = office.get_or_insert_with(Office::open).ask(path, message);
        if answer.code == Code::Ok && !only_reads(path) {
            *office = None;
        }
        answer
    })
}

fn only_reads(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let verbs = ["Get", "List", "Verify", "Test", "Subscribe"];
    verbs.iter().any(|verb| name.starts_with(verb))
}

/// Neither a refusal nor an answer repeats a secret that was given, unless the caller wrote it elsewhere, too.
fn tells_no_secret(path: &str, message: &[u8], answer: &Answer) {
    let Some((secrets, rest)) = secrets(path, message) else {
        return;
    };
    for secret in secrets.iter().filter(|secret| secret.len() >= LEAST_SECRET) {
        let holds = |bytes: &[u8]| {
            let mut parts = bytes.windows(secret.len());
            parts.any(|part| part == secret.as_bytes())
        };
        let parts = [answer.message.as_bytes(), &answer.details, &answer.body];
        let is_told = parts.into_iter().any(holds);
        assert!(!is_told || holds(&rest), "a secret is told: {answer:?}");
    }
}

/// The secrets that a request holds, and the request without them.
fn secrets(path: &str, message: &[u8]) -> Option<(Vec<String>, Vec<u8>)> {
    macro_rules! without {
        ($request:ident, $take:expr) => {{
            let mut request = v1::$request::decode(message).ok()?;
            let secrets: Vec<String> = $take(&mut request);
            Some((secrets, request.encode_to_vec()))
        }};
    }
    match path.strip_prefix("/parloir.v1.AdminService/")? {
        "CreateAgent" => without!(
            CreateAgentRequest,
            |request: &mut v1::CreateAgentRequest| {
                request.secrets.values_mut().map(std::mem::take).collect()
            }
        ),
        "UpdateAgent" => without!(
            UpdateAgentRequest,
            |request: &mut v1::UpdateAgentRequest| {
                request.secrets.values_mut().map(std::mem::take).collect()
            }
        ),
        "CreateSource" => without!(
            CreateSourceRequest,
            |request: &mut v1::CreateSourceRequest| {
                request.secrets.values_mut().map(std::mem::take).collect()
            }
        ),
        "UpdateSource" => without!(
            UpdateSourceRequest,
            |request: &mut v1::UpdateSourceRequest| {
                request.secrets.values_mut().map(std::mem::take).collect()
            }
        ),
        "RotateSecret" => without!(
            RotateSecretRequest,
            |request: &mut v1::RotateSecretRequest| { vec![std::mem::take(&mut request.value)] }
        ),
        _ => None,
    }
}

/// Path and request of one that is read here.
fn method(which: u8) -> &'static (String, String) {
    static METHODS: OnceLock<Vec<&(String, String)>> = OnceLock::new();
    let all = || contract().methods.iter();
    let methods =
        METHODS.get_or_init(|| all().filter(|(path, _)| !requests::is_read(path)).collect());
    methods[usize::from(which) % methods.len()]
}
