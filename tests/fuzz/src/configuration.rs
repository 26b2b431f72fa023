//! Configuration files: any text is either taken or refused with what is wrong, never with a secret; and what is taken
//! can be written down and taken again.

use std::{io::Write, path::Path};

use parloir::config::{Loaded, Problems, load};
use tempfile::NamedTempFile;

/// Shorter texts stand in any sentence by chance.
const LEAST_SECRET: usize = 8;

/// A file with a secret written down where its place should be named, and what stands around it.
const AROUND: [(&str, &str); 6] = [
    (
        "[[agents]]\nname = \"a\"\n[agents.platform.zendesk]\napi_key = ",
        "\nbot_id = \"b\"\n",
    ),
    (
        "[[agents]]\n[agents.platform.zendesk.webhook.hmac]\nsecrets = [",
        "]\n",
    ),
    (
        "[[agents]]\n[agents.platform.zendesk.webhook.url_token]\ntokens = ",
        "\n",
    ),
    (
        "[[sources]]\n[sources.system.social_connect]\nclient_secret = ",
        "\n",
    ),
    (
        "[[sources]]\n[sources.system.messenger]\napp_secrets = [{ file = \"/x\" }, ",
        "]\n",
    ),
    ("[encryption]\nmaster_key = ", "\n"),
];

/// A digit and a secret, or a whole file.
pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    match input.first().and_then(|byte| byte.checked_sub(b'0')) {
        Some(which) if usize::from(which) < AROUND.len() => secret(usize::from(which), &text[1..]),
        _ => whole(text),
    }
}

fn whole(text: &str) {
    let Ok(loaded) = read(text) else {
        return;
    };
    let written = toml::to_string(&loaded.config).expect("a configuration can be written down");
    let again = read(&written).unwrap_or_else(|problems| panic!("{problems}\n{written}"));
    assert!(
        again.config == loaded.config,
        "it reads differently:\n{written}"
    );
}

/// Written as text, and as it is: the name of a place forgotten, and quotes forgotten too.
fn secret(which: usize, secret: &str) {
    let (before, after) = AROUND[which];
    let quoted = toml::Value::String(secret.to_owned()).to_string();
    for written in [&quoted, secret] {
        let Err(problems) = read(&format!("{before}{written}{after}")) else {
            continue;
        };
        let told = problems.to_string();
        let is_told = secret.trim().len() >= LEAST_SECRET && told.contains(secret.trim());
        assert!(!is_told, "a secret is told: {told}");
    }
}

fn read(text: &str) -> Result<Loaded, Problems> {
    let mut file = file();
    file.write_all(text.as_bytes()).expect("a writable file");
    load(Some(file.path()), std::iter::empty())
}

/// In memory, where there is such a folder: thousands of them are written in a second.
fn file() -> NamedTempFile {
    let memory = Path::new("/dev/shm");
    let file = if memory.is_dir() {
        NamedTempFile::new_in(memory)
    } else {
        NamedTempFile::new()
    };
    file.expect("a temporary file")
}
