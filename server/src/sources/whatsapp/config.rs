//! Settings of a source that is the `WhatsApp` Cloud API.

use std::time::Duration;

use crate::{
    config::{
        problem::Problems,
        section::{Part, Section, section},
    },
    outgoing,
    secret::Secret,
};

/// The longest text on the button that opens a list, in characters: the platform's limit.
const LIST_BUTTON_CHARS: usize = 20;
/// Shorter secrets of webhooks can be guessed.
const SHORTEST_SECRET: usize = 8;

section! {
    /// One phone number of the `WhatsApp` Cloud API.
    WhatsappConfig {
        /// The id of the phone number (not the number itself), as in the settings of the app. Webhooks about other
        /// numbers of the same app are answered 200 and dropped.
        phone_number_id: String;
        /// The system user's or business's token. Read again when its file changes. After an answer that ends all
        /// sending (token invalid, account locked, marked as spam) nothing more is sent until it changes or the server
        /// restarts.
        access_token: Secret;
        /// The app's secrets, any of which may have signed a webhook.
        app_secrets: Vec<Secret>;
        /// What the platform is told to say when it asks whether a webhook's address is ours; any of them counts.
        verify_tokens: Vec<Secret>;
        /// Where its API is, without the version.
        base_url: String = "https://graph.facebook.com".to_owned();
        /// The version of the API.
        version: String = "v25.0".to_owned();
        /// Put a human's name before what a human says, as in `Lee: Hello`: the platform shows no sender but the
        /// number. Left out where it would make a text too long.
        name_humans: bool = true;
        /// What stands on the button that opens a list of choices: 1 to 20 characters.
        list_button: String = "Options".to_owned();
        /// How long nothing is sent to a visitor once the platform says that it was too fast for that one. Others go on.
        #[serde(with = "humantime_serde")]
        pair_interval: Duration = Duration::from_secs(6), "6s" to "10m";
        /// How long a connection to the platform may take to be made.
        #[serde(with = "humantime_serde")]
        connect_timeout: Duration = Duration::from_secs(2), "10ms" to "1m";
        /// Bytes of an answer that are read. Of a longer one only the status counts.
        max_response_bytes: usize = 1024 * 1024, "1024" to "67108864";
        /// Send to addresses of private networks too. Off, a base URL that resolves to one is refused.
        allow_private_addresses: bool = false;
    }
}

impl WhatsappConfig {
    /// The configuration reference, under `at`.
    pub fn reference(at: &str) -> Vec<Part> {
        vec![Part::of::<Self>(at.to_owned())]
    }

    /// Reports what is missing or wrong. `at` is the key of this table.
    pub fn check_all(&self, at: &str, problems: &mut Problems) {
        self.check(at, problems);
        if let Err(remedy) = outgoing::check_address(&self.base_url) {
            problems.add(format!("{at}.base_url"), remedy);
        }
        for (key, value) in [
            ("phone_number_id", &self.phone_number_id),
            ("version", &self.version),
        ] {
            let is_segment = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '_';
            if !value.chars().all(is_segment) || (key == "version" && value.is_empty()) {
                problems.add(
                    format!("{at}.{key}"),
                    "must be letters and digits: it stands in the API's address",
                );
            }
        }
        if !(1..=LIST_BUTTON_CHARS).contains(&self.list_button.trim().chars().count()) {
            problems.add(
                format!("{at}.list_button"),
                format!("must be 1 to {LIST_BUTTON_CHARS} characters long"),
            );
        }
    }

    /// Every secret, with its setting and the least length that it may have.
    pub fn secrets(&self) -> Vec<(String, &Secret, usize)> {
        let listed = |name: &'static str, secrets: &'_ [Secret]| {
            let names = (0..secrets.len()).map(move |number| format!("{name}[{number}]"));
            names.collect::<Vec<_>>()
        };
        let mut all = vec![("access_token".to_owned(), &self.access_token, 1)];
        for (name, secrets) in [
            ("app_secrets", &self.app_secrets),
            ("verify_tokens", &self.verify_tokens),
        ] {
            let named = listed(name, secrets).into_iter().zip(secrets);
            all.extend(named.map(|(name, secret)| (name, secret, SHORTEST_SECRET)));
        }
        all
    }
}
