//! Messages that are wrong in themselves, made for the fields that a method has.

use prost_types::{FieldDescriptorProto, field_descriptor_proto::Type};

use super::{methods::Method, recursion::Loop};

const VARINT: u64 = 0;
const LENGTH: u64 = 2;
const GROUP: u64 = 3;
const GROUP_END: u64 = 4;

/// A number that no message of ours uses.
const UNKNOWN_FIELD: u64 = 9_999;

/// Far deeper than any message; without a limit, the stack would not hold it.
const DEPTH: usize = 100_000;

/// Far more than any list takes, below the largest message.
const MANY: usize = 60_000;

/// As deep as fits below the largest message.
const NESTED_BYTES: usize = 250_000;

/// Turns that a decoder with a limit still takes.
const FEW_TURNS: usize = 10;

/// A message, and what is wrong with it.
pub struct Case {
    pub what: String,
    pub bytes: Vec<u8>,
}

/// No message of any method.
pub fn broken(method: &Method) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |what: String, bytes: Vec<u8>| cases.push(Case { what, bytes });
    let anywhere: [(&str, Vec<u8>); 9] = [
        ("a number without an end", vec![0xff; 11]),
        ("a field 0", vec![0x00, 0x00]),
        ("a wire type that does not exist", key(UNKNOWN_FIELD, 6)),
        ("the end of no group", key(UNKNOWN_FIELD, GROUP_END)),
        ("a group without an end", key(UNKNOWN_FIELD, GROUP)),
        ("deep groups", key(UNKNOWN_FIELD, GROUP).repeat(DEPTH)),
        (
            "a length beyond the end",
            [key(UNKNOWN_FIELD, LENGTH), varint(5), vec![1]].concat(),
        ),
        (
            "a length beyond all memory",
            [key(UNKNOWN_FIELD, LENGTH), varint(u64::MAX), vec![1]].concat(),
        ),
        ("a key that is cut off", vec![0x80]),
    ];
    for (what, bytes) in anywhere {
        add(what.to_owned(), bytes);
    }
    for field in &method.fields {
        let (number, name) = (u64::from(field.number().unsigned_abs()), field.name());
        let wrong = if is_long(field) {
            [key(number, VARINT), varint(1)].concat()
        } else {
            [key(number, 5), vec![1, 2, 3, 4]].concat()
        };
        add(format!("{name} as another wire type"), wrong);
        if is_long(field) {
            let bomb = [key(number, LENGTH), varint(1 << 40), vec![b'a'; 3]].concat();
            add(format!("{name} with a length beyond all memory"), bomb);
            let cut = [key(number, LENGTH), varint(200), vec![b'a'; 100]].concat();
            add(format!("{name} cut off"), cut);
        }
        match field.r#type() {
            Type::String => {
                let text = [key(number, LENGTH), varint(3), vec![b'a', 0xff, 0xfe]].concat();
                add(format!("{name} that is not UTF-8"), text);
            }
            Type::Message => {
                let inner = [key(number, LENGTH), varint(1), vec![0x07]].concat();
                add(format!("{name} with a broken message"), inner);
            }
            _ => {}
        }
    }
    cases
}

/// Messages that may be understood, though nobody would write them so.
pub fn strange(method: &Method) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |what: String, bytes: Vec<u8>| cases.push(Case { what, bytes });
    for field in &method.fields {
        let (number, name) = (u64::from(field.number().unsigned_abs()), field.name());
        let once = if is_long(field) {
            [key(number, LENGTH), varint(0)].concat()
        } else {
            [key(number, VARINT), varint(u64::MAX)].concat()
        };
        add(
            format!("{name} {MANY} times"),
            once.repeat(MANY.min(250_000 / once.len())),
        );
        if field.r#type() == Type::String {
            let odd = "\u{0}\u{202e}\u{feff}\u{10ffff}'; DROP TABLE event; --";
            let odd = [key(number, LENGTH), varint(odd.len() as u64), odd.into()].concat();
            add(format!("{name} with odd characters"), odd);
            let long = [key(number, LENGTH), varint(200_000), vec![b'a'; 200_000]].concat();
            add(format!("{name} of 200,000 characters"), long);
        }
    }
    for seed in 0..20 {
        let mut random = fastrand::Rng::with_seed(seed);
        let bytes = (0..random.usize(1..200)).map(|_| random.u8(..)).collect();
        add(format!("random bytes of seed {seed}"), bytes);
    }
    cases
}

/// Types that hold themselves, deeper than any stack would hold.
pub fn bottomless(method: &Method) -> Vec<Case> {
    let deep = |around: &Loop| {
        let mut turns = 1;
        while nest(around, turns * 2).len() <= NESTED_BYTES {
            turns *= 2;
        }
        Case {
            what: format!("{turns} times {}", around.name),
            bytes: nest(around, turns),
        }
    };
    method.loops.iter().map(deep).collect()
}

/// The same, as a caller may well write it.
pub fn nested(method: &Method) -> Vec<Case> {
    let few = |around: &Loop| Case {
        what: format!("{FEW_TURNS} times {}", around.name),
        bytes: nest(around, FEW_TURNS),
    };
    method.loops.iter().map(few).collect()
}

/// From the inside out, and turned around at the end: each length stands before what it counts.
fn nest(around: &Loop, turns: usize) -> Vec<u8> {
    let mut backwards: Vec<u8> = Vec::new();
    let turned = (0..turns).flat_map(|_| around.turn.iter().rev());
    for number in turned.chain(around.way.iter().rev()) {
        let head = [key(*number, LENGTH), varint(backwards.len() as u64)].concat();
        backwards.extend(head.iter().rev());
    }
    backwards.reverse();
    backwards
}

/// What a later version may send.
pub fn unknown_fields() -> Vec<(&'static str, Vec<u8>)> {
    let text = [key(UNKNOWN_FIELD, LENGTH), varint(5), b"hello".to_vec()].concat();
    let number = [key(UNKNOWN_FIELD, VARINT), varint(u64::MAX)].concat();
    let fixed = [key(UNKNOWN_FIELD, 1), vec![0xff; 8]].concat();
    let group = [
        key(UNKNOWN_FIELD, GROUP),
        number.clone(),
        key(UNKNOWN_FIELD, GROUP_END),
    ]
    .concat();
    vec![
        ("fifty unknown fields", number.repeat(50)),
        ("an unknown text", text),
        ("an unknown number", number),
        ("an unknown fixed number", fixed),
        ("an unknown group", group),
    ]
}

/// Whether it stands on the wire with its length.
fn is_long(field: &FieldDescriptorProto) -> bool {
    matches!(field.r#type(), Type::String | Type::Bytes | Type::Message)
}

fn key(number: u64, wire_type: u64) -> Vec<u8> {
    varint(number << 3 | wire_type)
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(number & 0x7f).expect("seven bits");
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}
