//! Who owns a contact by the vendor's handover. Its item is documented by name only, so it is read with care.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    address::Address,
    answer::Refused,
    budget::Share,
    client::{Client, Failure},
    config::SocialConnectConfig,
};
use crate::domain::{Owner, outbound::Refusal, source::Observed};

/// Characters of an owner's name that are shown to people where it is not understood.
const MAX_WORD: usize = 100;

/// What a word for the owner means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// People in Social Connect.
    Human,
    /// The external application, which is the agent.
    Agent,
}

/// The handover calls of one account.
#[derive(Debug)]
pub(super) struct Handovers {
    words: BTreeMap<String, Said>,
    client_id: String,
}

impl Handovers {
    pub(super) fn new(config: &SocialConnectConfig) -> Self {
        let words = config.owner_words.iter();
        Self {
            words: words
                .map(|(word, said)| (word.to_lowercase(), *said))
                .collect(),
            client_id: config.client_id.clone(),
        }
    }

    pub(super) async fn read(
        &self,
        client: &Client,
        share: Share,
        at: &Address,
    ) -> Result<Observed, Failure> {
        let item = client.get(share, &path(at), &[]).await?;
        let observed = self.owner(&item);
        if observed.owner == Owner::Unknown {
            let (source, word) = (client.source(), &observed.unknown);
            tracing::error!(
                source,
                word,
                "the owner of a handover is not understood: see owner_words"
            );
        }
        Ok(observed)
    }

    /// Gives the contact to `owner`, who may be the one already.
    pub(super) async fn give(
        &self,
        client: &Client,
        at: &Address,
        owner: Owner,
    ) -> Result<(), Failure> {
        let done = match owner {
            Owner::Human => client.post(Share::Owner, &path(at), &[]).await,
            _ => client.delete(Share::Owner, &path(at)).await,
        };
        let Err(Failure::Refused(refused)) = done else {
            return done.map(drop);
        };
        if refused.refusal == Refusal::Credentials {
            return Err(Failure::Refused(refused));
        }
        // It may have been refused because it is so already.
        settled(self.read(client, Share::Owner, at).await, owner, refused)
    }

    fn owner(&self, item: &Value) -> Observed {
        let word = item["owner"].as_str().unwrap_or_default().trim();
        let said = match word {
            ours if !ours.is_empty() && ours == self.client_id => Some(Said::Agent),
            word => self.words.get(&word.to_lowercase()).copied(),
        };
        match said {
            Some(Said::Human) => Observed::read(Owner::Human),
            Some(Said::Agent) => Observed::read(Owner::Agent),
            None => Observed {
                unknown: match item.get("owner") {
                    None => "no owner".to_owned(),
                    Some(_) => word
                        .chars()
                        .filter(|c| !c.is_control())
                        .take(MAX_WORD)
                        .collect(),
                },
                ..Observed::read(Owner::Unknown)
            },
        }
    }
}

/// What a refusal comes to, once the state was read.
pub(super) fn settled(
    read: Result<Observed, Failure>,
    wanted: Owner,
    refused: Refused,
) -> Result<(), Failure> {
    match read {
        Ok(observed) if observed.owner == wanted => Ok(()),
        Ok(_) | Err(Failure::Refused(_)) => Err(Failure::Refused(refused)),
        Err(later) => Err(later),
    }
}

fn path(at: &Address) -> [&str; 4] {
    ["inbox", "handover", &at.service, &at.service_id]
}
