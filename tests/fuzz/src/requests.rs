//! Requests of callers and readers, as far as they go without a database: read, checked, refused.

use std::sync::OnceLock;

use parloir::grpc::fuzzing::{Checked, check};
use tonic::Code;

use crate::shape::{Dice, WORDS, contract};

/// What clients of all languages take of a status, message and details together.
const MOST_STATUS_BYTES: usize = 3 * 1024;

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

fn try_one(path: &str, message: &[u8]) {
    let Some(Ok(read)) = check(path, message) else {
        return;
    };
    is_sound(&read);
    let again = check(path, &read.encoded).expect("the same method");
    let again = again.expect("what we wrote ourselves can be read");
    assert_eq!(again.encoded, read.encoded, "written differently twice");
    let codes = [&read, &again].map(|read| read.refused.as_ref().map(tonic::Status::code));
    assert_eq!(codes[0], codes[1], "judged differently twice");
}

fn is_sound(read: &Checked) {
    let Some(status) = &read.refused else {
        return;
    };
    let fits = matches!(status.code(), Code::InvalidArgument | Code::Unimplemented);
    assert!(fits, "refused with {status:?}");
    let bytes = status.message().len() + status.details().len();
    assert!(bytes <= MOST_STATUS_BYTES, "a status of {bytes} bytes");
    let details = String::from_utf8_lossy(status.details());
    let repeats = status.message().contains(WORDS) || details.contains(WORDS);
    assert!(!repeats, "what was said is repeated: {status:?}");
}

/// Whether it is one of those that are read here.
pub fn is_read(path: &str) -> bool {
    check(path, &[]).is_some()
}

/// Path and request of one of them.
fn method(which: u8) -> &'static (String, String) {
    static METHODS: OnceLock<Vec<&(String, String)>> = OnceLock::new();
    let all = || contract().methods.iter();
    let methods = METHODS.get_or_init(|| all().filter(|(path, _)| is_read(path)).collect());
    methods[usize::from(which) % methods.len()]
}
