//! Who owns a contact by a tag that people see and take away again.

use serde_json::{Value, json};

use super::{
    address::Address,
    budget::Share,
    client::{Client, Failure},
    config::SocialConnectConfig,
    handover::settled,
};
use crate::domain::{Owner, outbound::Refusal, source::Observed};

/// Services of which a contact's calls must name topics.
const NEED_TOPICS: &[&str] = &["wechat", "twilio", "web", "whatsapp", "viber"];

/// The tag calls of one account.
#[derive(Debug)]
pub(super) struct Tags {
    tag: String,
    topic_ids: String,
}

/// Who owns a contact with these tags; absent where they do not say.
pub(super) fn owner(tags: &Value, tag: &str) -> Option<Owner> {
    let tags = tags.as_array()?;
    let is_tagged = tags.iter().filter_map(name).any(|one| is_same(one, tag));
    Some(if is_tagged {
        Owner::Human
    } else {
        Owner::Agent
    })
}

impl Tags {
    pub(super) fn new(config: &SocialConnectConfig) -> Self {
        Self {
            tag: config.tag.trim().to_owned(),
            topic_ids: config.topic_ids.clone(),
        }
    }

    pub(super) async fn read(
        &self,
        client: &Client,
        share: Share,
        at: &Address,
    ) -> Result<Observed, Failure> {
        let tags = match self.contact_tags(client, share, at).await? {
            // A contact without tags has no list of them.
            Some(Value::Null) => json!([]),
            tags => tags.unwrap_or_default(),
        };
        Ok(match owner(&tags, &self.tag) {
            Some(owner) => Observed::read(owner),
            None => Observed {
                unknown: "the contact tells no tags".to_owned(),
                ..Observed::read(Owner::Unknown)
            },
        })
    }

    /// Gives the contact to a human; done before is as good.
    pub(super) async fn add(&self, client: &Client, at: &Address) -> Result<(), Failure> {
        let done = self.edit(client, at, &[self.tag.as_str()], "add").await;
        match done {
            Err(Failure::Refused(refused)) if refused.refusal != Refusal::Credentials => settled(
                self.read(client, Share::Owner, at).await,
                Owner::Human,
                refused,
            ),
            done => done,
        }
    }

    /// Takes the tag away in whatever spelling it stands there: removed is only what is named exactly.
    pub(super) async fn remove(&self, client: &Client, at: &Address) -> Result<(), Failure> {
        let tags = self.contact_tags(client, Share::Owner, at).await?;
        let tags = tags.unwrap_or_default();
        let all = tags.as_array().map(Vec::as_slice).unwrap_or_default();
        let mut ours: Vec<_> = all
            .iter()
            .filter_map(name)
            .filter(|one| is_same(one, &self.tag))
            .collect();
        // Where the tags cannot be read, ours may be among them, most likely as it is configured.
        let is_readable = tags.is_array() && all.iter().all(|tag| name(tag).is_some());
        if ours.is_empty() && !is_readable {
            ours.push(&self.tag);
        }
        if ours.is_empty() {
            return Ok(());
        }
        match self.edit(client, at, &ours, "delete").await {
            Err(Failure::Refused(refused)) if refused.refusal != Refusal::Credentials => settled(
                self.read(client, Share::Owner, at).await,
                Owner::Agent,
                refused,
            ),
            done => done,
        }
    }

    async fn contact_tags(
        &self,
        client: &Client,
        share: Share,
        at: &Address,
    ) -> Result<Option<Value>, Failure> {
        let mut contact = client.get(share, &path(at), &self.topics(at)).await?;
        Ok(contact.get_mut("tags").map(Value::take))
    }

    async fn edit(
        &self,
        client: &Client,
        at: &Address,
        tags: &[&str],
        mode: &str,
    ) -> Result<(), Failure> {
        let updates = json!({ "tags": tags }).to_string();
        // Always said: the default would replace all other tags.
        let options = json!({ "tags_edit_mode": mode }).to_string();
        let mut form = vec![("updates", updates.as_str()), ("options", &options)];
        form.extend(self.topics(at));
        client.post(Share::Owner, &path(at), &form).await.map(drop)
    }

    fn topics<'a>(&'a self, at: &'a Address) -> Vec<(&'static str, &'a str)> {
        if !NEED_TOPICS.contains(&at.service.as_str()) {
            return Vec::new();
        }
        let configured = Some(self.topic_ids.as_str()).filter(|ids| !ids.is_empty());
        vec![("topic_ids", configured.unwrap_or(&at.topic_id))]
    }
}

fn name(tag: &Value) -> Option<&str> {
    tag.as_str().or_else(|| tag["name"].as_str())
}

fn is_same(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

fn path(at: &Address) -> [&str; 4] {
    ["inbox", "contact", &at.service, &at.service_id]
}
