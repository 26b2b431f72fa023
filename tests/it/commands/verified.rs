//! `parloir verify-webhook`, as an operator runs it.

use std::{fs, path::PathBuf, process::Command};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tempfile::TempDir;

use crate::process::binary;

const SECRET: &str = "a-webhook-secret-of-the-platform";
const BODY: &str =
    r#"{"botId":"1","data":{"eventType":"sendMessage","platformConversationId":"C","text":"hi"}}"#;

struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().expect("a temporary folder"));
        let secret = desk.put("secret", SECRET).display().to_string();
        let key = desk.put("key", "a-key").display().to_string();
        desk.put(
            "parloir.toml",
            &format!(
                r#"
                [[agents]]
                name = "shop"
                [agents.platform.zendesk]
                bot_id = "1"
                base_url = "http://127.0.0.1:9"
                api_key = {{ file = "{key}" }}
                [agents.platform.zendesk.webhook.hmac]
                header = "X-Signature"
                prefix = "sha256="
                timestamp_header = "X-Time"
                separator = "."
                secrets = [{{ file = "{secret}" }}]
                [[accounts]]
                name = "shop"
                agent = "shop"
                source = "phone"
                [[sources]]
                name = "phone"
                [sources.system.whatsapp]
                phone_number_id = "1"
                base_url = "http://127.0.0.1:9"
                access_token = {{ file = "{key}" }}
                app_secrets = [{{ file = "{secret}" }}]
                verify_tokens = [{{ file = "{secret}" }}]
                "#
            ),
        );
        desk
    }

    fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).expect("a writable folder");
        path
    }

    /// What it printed, and whether it was content. No secret may be in it.
    fn run(&self, words: &[&str]) -> (bool, String) {
        let output = Command::new(binary())
            .current_dir(self.0.path())
            .args(["verify-webhook", "--config", "parloir.toml"])
            .args(words)
            .output()
            .expect("the binary: build it first (`tests/run build`)");
        let printed = [output.stdout, output.stderr].concat();
        let printed = String::from_utf8(printed).expect("text");
        assert!(!printed.contains(SECRET), "{printed}");
        (output.status.success(), printed)
    }
}

fn mac(signed: &str) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length");
    mac.chain_update(signed).finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

#[test]
fn a_genuine_webhook_is_verified_from_files_and_from_a_dump() {
    let desk = Desk::new();
    let signature = hex(&mac(&format!("1764200000.{BODY}")));
    let headers = format!("X-Time: 1764200000\nX-Signature: sha256={signature}\n");
    desk.put("headers", &headers);
    desk.put("body", BODY);
    let at = ["--agent", "shop", "--at", "1764200010"];
    let (fine, printed) =
        desk.run(&[&at[..], &["--headers", "headers", "--body", "body"]].concat());
    assert!(fine && printed.contains("verified"), "{printed}");
    // An editor added a line break, which Content-Length tells.
    let head = format!(
        "POST /webhooks/shop HTTP/1.1\nContent-Length: {}\n",
        BODY.len()
    );
    desk.put("raw", &format!("{head}{headers}\n{BODY}\n"));
    let (fine, printed) = desk.run(&[&at[..], &["--request", "raw"]].concat());
    assert!(fine && printed.contains("1 bytes more"), "{printed}");
    let curl = format!(
        "* x\n> POST /webhooks/shop HTTP/1.1\n> {}\n>\n< HTTP/1.1 401\n",
        headers.trim().replace('\n', "\n> ")
    );
    desk.put("curl", &curl);
    let (fine, printed) = desk.run(&[&at[..], &["--request", "curl", "--body", "body"]].concat());
    assert!(fine, "{printed}");
    // By the clock of today it is old.
    let (fine, printed) = desk.run(&["--agent", "shop", "--request", "raw"]);
    assert!(!fine && printed.contains("behind our clock"), "{printed}");
}

#[test]
fn a_refused_webhook_is_told_the_part_and_the_reading_that_would_fit() {
    let desk = Desk::new();
    desk.put("body", BODY);
    for (headers, part, reading) in [
        (
            "X-Time: 1764200000\n".to_owned(),
            "the header X-Signature is missing",
            "no other reading fits",
        ),
        (
            format!(
                "X-Time: 1764200000\nX-Signature: sha256={}\n",
                hex(&mac(BODY))
            ),
            "fits none of the secrets",
            "x-signature is HMAC-SHA256 of the body, in hexadecimal behind \"sha256=\"",
        ),
        (
            format!(
                "X-Time: 1764200000\nX-Signature: {}\n",
                STANDARD.encode(mac(&format!("1764200000{BODY}")))
            ),
            "prefix",
            "x-signature is HMAC-SHA256 of x-time and the body, in base64",
        ),
        (
            format!(
                "X-Time: 1764200000\nX-Signature: sha256={}\n",
                hex(&mac(&format!("1764200000.{BODY}\n")))
            ),
            "fits none of the secrets",
            "of x-time, \".\" and the body and a line break",
        ),
        (
            format!("X-Other: {SECRET}\n"),
            "the header X-Signature is missing",
            "the header x-other is zendesk.webhook.hmac.secrets[0] itself",
        ),
    ] {
        desk.put("headers", &headers);
        let words = [
            "--agent",
            "shop",
            "--headers",
            "headers",
            "--body",
            "body",
            "--at",
            "2025-11-26T23:33:20Z",
        ];
        let (fine, printed) = desk.run(&words);
        assert!(!fine, "{printed}");
        assert!(
            printed.contains(part) && printed.contains(reading),
            "{part} / {reading} in\n{printed}"
        );
    }
}

#[test]
fn a_source_is_asked_as_it_asks() {
    let desk = Desk::new();
    desk.put(
        "body",
        r#"{"object":"whatsapp_business_account","entry":[]}"#,
    );
    let body = fs::read_to_string(desk.0.path().join("body")).expect("just written");
    desk.put(
        "headers",
        &format!("x-hub-signature-256: sha256={}\n", hex(&mac(&body))),
    );
    let words = [
        "--source",
        "phone",
        "--headers",
        "headers",
        "--body",
        "body",
    ];
    let (fine, printed) = desk.run(&words);
    assert!(fine, "{printed}");
    desk.put("headers", "x-hub-signature-256: sha1=00\n");
    let (fine, printed) = desk.run(&words);
    assert!(
        !fine && printed.contains("is not sha256= and hexadecimal"),
        "{printed}"
    );
    // The challenge at set-up.
    desk.put("none", "host: x\n");
    let query = format!("hub.mode=subscribe&hub.challenge=7&hub.verify_token={SECRET}");
    let challenge = [
        "--source",
        "phone",
        "--headers",
        "none",
        "--method",
        "GET",
        "--query",
    ];
    assert!(desk.run(&[&challenge[..], &[&query]].concat()).0);
    let (fine, printed) = desk.run(&[&challenge[..], &["hub.mode=subscribe"]].concat());
    assert!(!fine && printed.contains("hub.verify_token"), "{printed}");
    assert!(!desk.run(&["--source", "nobody", "--headers", "none"]).0);
    assert!(!desk.run(&["--headers", "none"]).0);
}

#[test]
fn a_missing_body_is_hinted_at_where_a_signature_covers_it_and_nowhere_else() {
    let desk = Desk::new();
    desk.put("headers", "X-Time: 1764200000\nX-Signature: sha256=00\n");
    let (fine, printed) = desk.run(&["--agent", "shop", "--headers", "headers"]);
    assert!(!fine && printed.contains("--body FILE"), "{printed}");
    let configuration = std::fs::read_to_string(desk.0.path().join("parloir.toml"));
    let configuration = configuration.expect("a configuration");
    let (before, _) = configuration
        .split_once("[agents.platform.zendesk.webhook.hmac]")
        .expect("the scheme");
    let (_, after) = configuration
        .split_once("separator = \".\"")
        .expect("its end");
    let header = "[agents.platform.zendesk.webhook.static_header]\nheader = \"X-Token\"";
    desk.put("parloir.toml", &format!("{before}{header}{after}"));
    desk.put("headers", "X-Token: another\n");
    let (fine, printed) = desk.run(&["--agent", "shop", "--headers", "headers"]);
    assert!(
        !fine && printed.contains("no other reading fits"),
        "{printed}"
    );
    assert!(!printed.contains("--body"), "{printed}");
    assert!(!printed.contains("signed"), "{printed}");
}
