//! What no client of ours would send: broken protobuf, broken frames, bombs. Made for every method of every service from
//! the descriptors, sent over real sockets to the server as a process. Each is refused with a code that fits, nothing
//! panics, and a good call is answered after each.

mod call;
mod frames;
mod messages;
mod methods;
mod recursion;

use tonic::Code;

use self::{
    call::{Caller, Sent, framed},
    methods::{Method, methods},
};
use crate::process::{Server, Setup};

/// Nobody listens there: what is malformed never gets so far.
const NO_AGENT: &str = "http://127.0.0.1:9";

/// What a client is told whose bytes are no request at all.
const REFUSED: &[Code] = &[
    Code::InvalidArgument,
    Code::Internal,
    Code::ResourceExhausted,
    Code::Unimplemented,
];

/// Where the bytes may happen to be a request, it may also be taken, or refused for what it says.
const ANSWERED: &[Code] = &[
    Code::Ok,
    Code::NotFound,
    Code::FailedPrecondition,
    Code::Unauthenticated,
    Code::PermissionDenied,
];

/// A server, and a connection to it.
struct Stage {
    setup: Setup,
    server: Server,
    caller: Caller,
}

impl Stage {
    async fn start() -> Self {
        let setup = Setup::new(NO_AGENT, "");
        let mut server = setup.start(&[]);
        server.ready().await;
        let caller = Caller::connect(setup.grpc_url()).await;
        Self {
            setup,
            server,
            caller,
        }
    }

    /// Sends it, and then a good call.
    async fn send(&self, method: &Method, what: &str, sent: Sent) -> Code {
        let code = self.caller.send(method, sent).await;
        let alive = self.caller.good_call().await;
        assert_eq!(
            alive,
            Code::Ok,
            "after {what} to {}:\n{}",
            method.path,
            self.server.last_words()
        );
        code
    }

    fn nothing_panicked(&self) {
        let log = std::fs::read_to_string(self.setup.path("server.log")).expect("a log");
        let panicked: Vec<_> = log
            .lines()
            .filter(|line| line.contains("panicked"))
            .collect();
        assert!(panicked.is_empty(), "{panicked:#?}");
    }
}

fn may_be_valid(code: Code) -> bool {
    REFUSED.contains(&code) || ANSWERED.contains(&code)
}

#[tokio::test]
async fn malformed_protobuf_is_refused_and_the_server_goes_on() {
    let stage = Stage::start().await;
    let mut sent = 0;
    for method in methods() {
        for case in messages::broken(&method) {
            let code = stage
                .send(&method, &case.what, Sent::of(framed(&case.bytes)))
                .await;
            // The library that serves reflection ends its stream there, without a word.
            let fits = REFUSED.contains(&code) || method.is_conversation && code == Code::Ok;
            let what = case.what;
            assert!(fits, "{what} to {} was answered {code:?}", method.path);
            sent += 1;
        }
    }
    assert!(sent > 400, "only {sent} messages were sent");
    stage.nothing_panicked();
}

#[tokio::test]
async fn messages_within_messages_without_an_end_are_refused_and_the_server_goes_on() {
    let stage = Stage::start().await;
    let mut sent = 0;
    for method in methods() {
        for case in messages::bottomless(&method) {
            let what = case.what;
            let code = stage
                .send(&method, &what, Sent::of(framed(&case.bytes)))
                .await;
            let fits = matches!(code, Code::InvalidArgument | Code::Internal);
            assert!(fits, "{what} to {} was answered {code:?}", method.path);
            sent += 1;
        }
        for case in messages::nested(&method) {
            let code = stage
                .send(&method, &case.what, Sent::of(framed(&case.bytes)))
                .await;
            let what = case.what;
            assert!(
                may_be_valid(code),
                "{what} to {} was answered {code:?}",
                method.path
            );
        }
    }
    // Settings of agents and of sources, as structs and as lists, in what makes them and in what changes them.
    assert!(sent >= 8, "only {sent} messages were sent");
    stage.nothing_panicked();
}

#[tokio::test]
async fn strange_protobuf_that_may_be_valid_is_answered_in_its_own_terms() {
    let stage = Stage::start().await;
    for method in methods() {
        for case in messages::strange(&method) {
            let code = stage
                .send(&method, &case.what, Sent::of(framed(&case.bytes)))
                .await;
            assert!(
                may_be_valid(code),
                "{} to {} was answered {code:?}",
                case.what,
                method.path
            );
        }
    }
    stage.nothing_panicked();
}

#[tokio::test]
async fn a_field_that_nobody_knows_changes_nothing() {
    let stage = Stage::start().await;
    for method in methods() {
        let plain = stage.send(&method, "nothing", Sent::of(framed(&[]))).await;
        for (what, bytes) in messages::unknown_fields() {
            let code = stage.send(&method, what, Sent::of(framed(&bytes))).await;
            assert_eq!(code, plain, "{what} to {}", method.path);
        }
    }
    stage.nothing_panicked();
}

#[tokio::test]
async fn broken_frames_and_bombs_are_refused_and_the_server_goes_on() {
    let stage = Stage::start().await;
    for method in methods() {
        for case in frames::broken() {
            let what = case.what;
            let code = stage.send(&method, what, case.sent).await;
            let fits = if case.may_be_valid || method.is_conversation {
                may_be_valid(code)
            } else {
                REFUSED.contains(&code)
            };
            assert!(fits, "{what} to {} was answered {code:?}", method.path);
        }
    }
    stage.nothing_panicked();
}

#[tokio::test]
async fn a_compressed_bomb_is_refused_before_it_unfolds() {
    let stage = Stage::start().await;
    let mut refused = 0;
    for method in methods().into_iter().filter(|method| method.is_ours) {
        let plain = Sent::of(framed(&[]));
        if stage.send(&method, "nothing", plain).await == Code::Unimplemented {
            // What nobody serves reads nothing either.
            continue;
        }
        let bomb = Sent {
            encoding: Some("gzip"),
            ..Sent::of(frames::compressed(&frames::bomb()))
        };
        let code = stage.send(&method, "a bomb", bomb).await;
        // Streams take no compression at all.
        let expected = if method.answers_for_long {
            Code::Unimplemented
        } else {
            Code::ResourceExhausted
        };
        assert_eq!(code, expected, "{}", method.path);
        refused += 1;
    }
    assert!(refused >= 14, "only {refused} methods were tried");
    // The server holds some 40 MiB; what was sent unfolds to 200 MiB.
    let memory = stage.server.peak_memory();
    assert!(memory < 150 * 1024 * 1024, "{memory} bytes");
    stage.nothing_panicked();
}
