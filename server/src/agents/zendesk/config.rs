//! Settings of an agent on Zendesk AI agents - Advanced.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    config::{
        problem::Problems,
        section::{Kind, Part, Section, Setting, section},
        verification::VerificationConfig,
    },
    outgoing,
    secret::Secret,
};

const NOT_A_HEADER: &str = "must be printable ASCII without blanks: it travels in a header";

section! {
    /// An agent on Zendesk AI agents - Advanced, reached through its custom CRM integration.
    ZendeskConfig {
        /// The agent's id at the platform, as in the address of its dashboard.
        bot_id: String;
        /// Where its API is, without `/converse/chat`: `https://{subdomain}.zendesk.com/ai-agents/api`. Plain http is
        /// accepted for loopback addresses only.
        base_url: String;
        /// The key of the custom CRM integration. Read again when its file changes, because making a new key ends the
        /// old one at once.
        api_key: Secret;
        /// Another key that is tried when the platform refuses `api_key`: the one of before, or the one to come. The
        /// platform knows one key at a time, so name the old one here, put the new one into `api_key`, and make the
        /// change there: whichever works is used, and no message is lost or sent twice.
        previous_api_key: Option<Secret> = None;
        /// What to put before the key in the `Authorization` header, with its blank. The platform wants nothing there.
        authorization_prefix: String = String::new();
        /// The organization's id at the platform. Exports need it; deletions of user data send it too.
        organization_id: Option<String> = None;
        /// The organization's key, shown instead of `api_key` where user data is exported or deleted. Sent as it is,
        /// without `authorization_prefix`. It belongs to `organization_id`.
        organization_key: Option<Secret> = None;
        /// Another key of the organization that is tried when the platform refuses `organization_key`.
        previous_organization_key: Option<Secret> = None;
        /// The name under which session data is sent: `metaData` or `metadata`.
        metadata_field: MetadataField = MetadataField::MetaData;
        /// Send to addresses of private networks too. Off, a base URL that resolves to one is refused.
        allow_private_addresses: bool = false;
        /// How long a connection to the platform may take to be made.
        #[serde(with = "humantime_serde")]
        connect_timeout: Duration = Duration::from_secs(2), "10ms" to "1m";
        /// Bytes of a refusal that are read, to tell callers what it says. Of a longer one nothing is told.
        max_response_bytes: usize = 1024 * 1024, "1024" to "67108864";
        /// How its webhooks are verified: `"none"`, or one table named after the scheme.
        webhook: VerificationConfig = VerificationConfig::None;
        /// Which content type its webhooks must have: `any`, because the platform promises none, or `json`.
        content_type: ContentTypePolicy = ContentTypePolicy::Any;
        /// What an action is answered that has no results: `omit` is an empty body, `list` an empty list of results.
        empty_results: EmptyResults = EmptyResults::Omit;
    }
}

/// The name under which session data is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MetadataField {
    /// As the reference spells it.
    #[serde(rename = "metaData")]
    MetaData,
    /// As some of its examples spell it.
    #[serde(rename = "metadata")]
    Metadata,
}

/// Which content type webhooks must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContentTypePolicy {
    /// None at all is fine.
    Any,
    /// `application/json`, or it is answered 400.
    Json,
}

/// What an action is answered that has no results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmptyResults {
    /// An empty body.
    Omit,
    /// `{"results":[]}`.
    List,
}

impl ZendeskConfig {
    /// The configuration reference, under `at`.
    pub fn reference(at: &str) -> Vec<Part> {
        let mut parts = vec![Part::of::<Self>(at.to_owned())];
        parts.extend(VerificationConfig::reference(&format!("{at}.webhook")));
        parts
    }

    /// Reports what is missing or wrong. `at` is the key of this table.
    pub fn check_all(&self, at: &str, problems: &mut Problems) {
        self.check(at, problems);
        self.webhook.check(&format!("{at}.webhook"), problems);
        if !self.base_url.is_empty()
            && let Err(remedy) = outgoing::check_address(&self.base_url)
        {
            problems.add(format!("{at}.base_url"), remedy);
        }
        if !self.bot_id.chars().all(|c| c.is_ascii_graphic()) {
            problems.add(format!("{at}.bot_id"), NOT_A_HEADER);
        }
        self.check_organization(at, problems);
    }

    fn check_organization(&self, at: &str, problems: &mut Problems) {
        match &self.organization_id {
            Some(id) if id.is_empty() || !id.chars().all(|c| c.is_ascii_graphic()) => {
                problems.add(format!("{at}.organization_id"), NOT_A_HEADER);
            }
            None if self.organization_key.is_some() => problems.add(
                format!("{at}.organization_id"),
                "is missing: organization_key is the key of that organization",
            ),
            _ => {}
        }
    }
}

impl Setting for MetadataField {
    const KIND: Kind = Kind::Choice(&["metaData", "metadata"]);
}

impl Setting for EmptyResults {
    const KIND: Kind = Kind::Choice(&["omit", "list"]);
}

impl Setting for ContentTypePolicy {
    const KIND: Kind = Kind::Choice(&["any", "json"]);
}
