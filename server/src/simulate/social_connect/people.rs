//! What people do: visitors who write, and the brand's own who answer, tag and hand over.

use serde_json::Value;

use super::{
    inbox,
    platform::Platform,
    state::{Contact, Line, Mention, Speaker, State},
};

/// Who the brand's people seem to be in what they send.
const THEIR_APPLICATION: &str = "Social Connect";

impl Platform {
    /// A visitor writes a private message. Its id; the webhook waits to be sent.
    pub fn visitor_says(&self, contact: &Contact, text: &str) -> String {
        let id = self.change(State::new_id);
        self.visitor_says_as(contact, &id, text);
        id
    }

    /// As [`Platform::visitor_says`] under an id of one's own, or again what it stands for. The webhook's body.
    pub fn visitor_says_as(&self, contact: &Contact, id: &str, text: &str) -> String {
        let (tag, now) = (self.settings().tag.clone(), (self.settings().now)());
        self.change(|state| {
            let found = state
                .mentions
                .iter()
                .find(|mention| mention.id == id)
                .cloned();
            let mention = found.unwrap_or_else(|| {
                state.known(contact).say(Speaker::Visitor, text, &tag);
                let mention = Mention {
                    id: id.to_owned(),
                    contact: contact.clone(),
                    text: text.to_owned(),
                    added: now,
                    sent_by: None,
                };
                state.mentions.push(mention.clone());
                mention
            });
            let body = inbox::view(state, self.settings(), &mention).to_string();
            state.webhooks.push_back(body.clone());
            body
        })
    }

    /// One of the brand's people answers.
    pub fn human_says(&self, contact: &Contact, text: &str) {
        let (tag, now) = (self.settings().tag.clone(), (self.settings().now)());
        self.change(|state| {
            state.known(contact).say(Speaker::Human, text, &tag);
            let mention = state.add(contact, text, Some(THEIR_APPLICATION), now);
            let body = inbox::view(state, self.settings(), &mention).to_string();
            state.webhooks.push_back(body);
        });
    }

    /// One of the brand's people tags a contact, spelled as they like.
    pub fn agent_tags(&self, contact: &Contact, tag: &str) {
        self.change(|state| state.known(contact).tags.push(tag.to_owned()));
    }

    /// Takes every spelling of a tag away.
    pub fn agent_untags(&self, contact: &Contact, tag: &str) {
        let is_it = |one: &String| one.trim().eq_ignore_ascii_case(tag.trim());
        self.change(|state| state.known(contact).tags.retain(|one| !is_it(one)));
    }

    /// One of the brand's people takes a contact over, by the handover.
    pub fn take_over(&self, contact: &Contact) {
        self.change(|state| state.known(contact).human_owns = true);
    }

    /// The button "Hand over to bot". Nothing tells the application.
    pub fn hand_over_to_bot(&self, contact: &Contact) {
        self.change(|state| state.known(contact).human_owns = false);
    }

    /// What a visitor wrote and reads.
    pub fn lines(&self, contact: &Contact) -> Vec<Line> {
        self.look(|state| {
            let key = (contact.service().to_owned(), contact.id.clone());
            state
                .contacts
                .get(&key)
                .map(|known| known.lines.clone())
                .unwrap_or_default()
        })
    }

    pub fn tags(&self, contact: &Contact) -> Vec<String> {
        self.look(|state| {
            let key = (contact.service().to_owned(), contact.id.clone());
            state
                .contacts
                .get(&key)
                .map(|known| known.tags.clone())
                .unwrap_or_default()
        })
    }

    /// By the handover or the tag.
    pub fn human_owns(&self, contact: &Contact) -> bool {
        self.look(|state| {
            let key = (contact.service().to_owned(), contact.id.clone());
            let known = state.contacts.get(&key);
            known.is_some_and(|known| known.human_owns || known.is_tagged(&self.settings().tag))
        })
    }

    /// Texts that wait for somebody's approval.
    pub fn awaiting_approval(&self) -> Vec<String> {
        self.look(|state| {
            let waiting = state
                .published
                .iter()
                .filter(|one| one.status == "awaitingapproval");
            waiting.map(|one| one.text.clone()).collect()
        })
    }

    /// The newest message of a contact as it is posted now.
    pub fn newest(&self, contact: &Contact) -> Option<Value> {
        self.look(|state| {
            let is_theirs =
                |mention: &&Mention| mention.contact == *contact && mention.sent_by.is_none();
            let mention = state.mentions.iter().rev().find(is_theirs)?;
            Some(inbox::view(state, self.settings(), mention))
        })
    }
}
