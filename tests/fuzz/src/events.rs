//! Events as they are stored and sent: what can be read is written as it was read.

use parloir::wire::body;

use crate::shape::{Dice, contract};

/// `r` and an event's bytes, or any other byte and bytes that decide what stands in an event.
pub fn run(input: &[u8]) {
    match input.split_first() {
        Some((b'r', bytes)) => try_one(bytes),
        Some((_, rest)) => try_one(&contract().shape(".parloir.v1.Event", &mut Dice(rest))),
        None => {}
    }
}

fn try_one(bytes: &[u8]) {
    let Ok(event) = body::decode(bytes) else {
        return;
    };
    let written = body::encode(&event);
    let again = body::decode(&written).expect("what we wrote ourselves can be read");
    assert_eq!(body::encode(&again), written, "written differently twice");
}
