//! What is planted, each value once and unlike every other.

use std::{fs, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};

/// What each of them is.
const NAMES: [&str; 52] = [
    // Secrets.
    "master_key",
    "api_key",
    "webhook_secret",
    "old_webhook_secret",
    "app_secret",
    "access_token",
    "oauth_access_token",
    "oauth_refresh_token",
    "verify_token",
    "caller_key",
    "wrong_webhook_secret",
    "wrong_signature_body",
    "query_token",
    "wrong_verify_token",
    // What a visitor is and says.
    "visitor_id",
    "visitor_name",
    "personal_at_start",
    "visitor_text_1",
    "visitor_text_2",
    "visitor_text_queued",
    "visitor_text_refused",
    "personal_with_message",
    "personal_updated",
    "plain_parameter",
    "choice_label",
    "phone_number",
    "contact_name",
    "whatsapp_text",
    "wamid",
    // What an agent says and asks.
    "agent_text_1",
    "agent_text_2",
    "button_label",
    "button_link",
    "card_title",
    "card_description",
    "action_parameter",
    "alert_text",
    "unknown_event",
    "agent_to_whatsapp",
    "internal_id",
    // What people on our side say.
    "action_result",
    "responder",
    "human_name",
    "human_text",
    "handover_note",
    // What comes back, and what is wrong.
    "echo_of_agent",
    "echo_of_whatsapp",
    "invalid_parameter",
    "unknown_account_text",
    "malformed_body",
    "wrong_bot_text",
    "unknown_choice",
];

pub struct Plants(Vec<(&'static str, String)>);

/// Files that hold the secrets, as settings name them.
pub struct Files {
    pub master_key: String,
    pub webhook_secret: String,
    pub old_webhook_secret: String,
    pub access_token: String,
    pub app_secret: String,
    pub verify_token: String,
}

impl Plants {
    pub fn new() -> Self {
        Self(NAMES.map(|name| (name, value(name))).to_vec())
    }

    pub fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(other, _)| *other == name);
        &found.unwrap_or_else(|| panic!("{name} is not planted")).1
    }

    /// What the server itself made up, and must not keep either.
    pub fn add(&mut self, name: &'static str, value: &str) {
        self.0.push((name, value.to_owned()));
    }

    pub fn all(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }

    pub fn write_secrets(&self, folder: &Path) -> Files {
        let put = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::write(&path, text).expect("a secret can be written");
            path.display().to_string()
        };
        let own = |name: &str| put(name, self.get(name));
        Files {
            master_key: put("master", &format!("k1:{}\n", self.get("master_key"))),
            webhook_secret: own("webhook_secret"),
            old_webhook_secret: own("old_webhook_secret"),
            access_token: own("access_token"),
            app_secret: own("app_secret"),
            verify_token: own("verify_token"),
        }
    }
}

fn value(name: &str) -> String {
    let letters: String = (0..20).map(|_| fastrand::alphanumeric()).collect();
    match name {
        "master_key" => STANDARD.encode([(); 32].map(|()| fastrand::u8(..))),
        "caller_key" => format!("parloir_{}_{letters}", letters[..12].to_lowercase()),
        "phone_number" => format!("32470{}", fastrand::u32(10_000_000..99_999_999)),
        "button_link" => format!("https://example.org/{letters}"),
        _ => format!("p{letters}"),
    }
}
