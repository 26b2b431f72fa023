//! API keys as callers show them, and as operators write them down.

use parloir::access::key::{Key, KeyId};

pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    if let Some(id) = KeyId::parse(text) {
        assert_eq!(id.as_str(), text, "an id is spelled otherwise");
    }
    if let Some(key) = Key::parse(&text.to_owned().into()) {
        let id = key.id();
        assert!(text.contains(id.as_str()), "the id of another key");
        assert_eq!(
            text.len(),
            parloir::access::key::KEY_CHARS,
            "a key of another length"
        );
    }
}
