//! Keys: those that callers show, and the lines in which operators keep theirs.

use parloir::{
    access::key::{KEY_CHARS, Key, KeyId},
    keys::{KeyRing, MasterKeyId, Place},
};

/// Longer than what an id, which is no secret, may be; a key in base64 has 44 characters.
const LONGER_THAN_IDS: usize = 33;

const PLACE: Place = Place {
    table: "t",
    row: "1",
    column: "c",
};

/// API keys, and their ids.
pub fn api(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    if let Some(id) = KeyId::parse(text) {
        assert_eq!(id.as_str(), text, "an id is spelled otherwise");
    }
    if let Some(key) = Key::parse(&text.to_owned().into()) {
        let id = key.id();
        assert!(text.contains(id.as_str()), "the id of another key");
        assert_eq!(text.len(), KEY_CHARS, "a key of another length");
    }
}

/// A file of master keys.
pub fn master(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    match KeyRing::parse(text) {
        Ok(ring) => is_sound(&ring, text),
        Err(wrong) => tells_no_key(text, &format!("{wrong} {wrong:?}")),
    }
}

fn is_sound(ring: &KeyRing, text: &str) {
    let ids: Vec<_> = ring.ids().map(MasterKeyId::as_str).collect();
    for (index, id) in ids.iter().enumerate() {
        assert!(!ids[..index].contains(id), "two keys of one id");
        assert_eq!(MasterKeyId::parse(id).expect("an id").as_str(), *id);
    }
    let sealed = ring.seal(PLACE, b"words");
    assert_eq!(
        sealed.master_id.as_str(),
        ids[0],
        "not the first key sealed"
    );
    let again = KeyRing::parse(&format!("# a comment\n\n{text}\n")).expect("the same keys");
    assert!(again.is_same(ring), "other keys in the same lines");
    let opened = again.open(sealed.master_id.as_str(), PLACE, &sealed.bytes);
    assert_eq!(opened.expect("sealed here").as_slice(), b"words");
}

/// Not even in part: what is wrong with a line may be one character of it.
fn tells_no_key(text: &str, told: &str) {
    let is_word = |c: char| !c.is_ascii_alphanumeric() && !"+/=".contains(c);
    for word in text
        .split(is_word)
        .filter(|word| word.len() >= LONGER_THAN_IDS)
    {
        assert!(!told.contains(word), "a key is told: {told}");
    }
}
