//! What a visitor is told, at a source, of the signs that a human gives without words.

use std::collections::HashMap;

use crate::domain::{
    message::{HumanMessage, HumanMessageKind},
    phrase,
};

/// Texts by language, `""` for every other one. A sign without a text is not shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SignTexts {
    /// With `{name}`.
    pub joined: HashMap<String, String>,
    /// With `{position}` and `{minutes}`; what is not known reads `?`.
    pub queue: HashMap<String, String>,
    pub left: HashMap<String, String>,
    pub failed: HashMap<String, String>,
}

impl SignTexts {
    /// What `message` says to a visitor of that language; nothing for words, which speak for themselves.
    pub fn text(&self, message: &HumanMessage, language: &str) -> Option<String> {
        let texts = match message.kind {
            HumanMessageKind::Text => return None,
            HumanMessageKind::Joined => &self.joined,
            HumanMessageKind::Queue => &self.queue,
            HumanMessageKind::Left => &self.left,
            HumanMessageKind::Failed => &self.failed,
        };
        let text = phrase::in_language(texts, language)?;
        let or_unknown = |known: Option<String>| known.unwrap_or_else(|| "?".to_owned());
        let position = message.queue_position.map(|position| position.to_string());
        let minutes = message
            .waiting_time
            .map(|time| time.as_secs().div_ceil(60).to_string());
        Some(
            text.replace("{name}", &message.name)
                .replace("{position}", &or_unknown(position))
                .replace("{minutes}", &or_unknown(minutes)),
        )
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn sign(kind: HumanMessageKind) -> HumanMessage {
        HumanMessage {
            message_id: "h-1".into(),
            kind,
            text: String::new(),
            name: "Lee".into(),
            avatar_url: String::new(),
            queue_position: Some(3),
            waiting_time: Some(Duration::from_secs(61)),
            from_source: false,
            raw: String::new(),
        }
    }

    #[test]
    fn a_sign_is_told_in_the_visitors_language_and_only_where_a_text_is_set() {
        let by_language = |texts: [(&str, &str); 2]| {
            texts
                .map(|(language, text)| (language.to_owned(), text.to_owned()))
                .into()
        };
        let texts = SignTexts {
            joined: by_language([("", "{name} is here."), ("fr", "{name} est là.")]),
            queue: by_language([
                ("", "Place {position}, {minutes} min."),
                ("fr", "{minutes} min"),
            ]),
            ..SignTexts::default()
        };
        let joined = sign(HumanMessageKind::Joined);
        assert_eq!(texts.text(&joined, "fr-CA").as_deref(), Some("Lee est là."));
        let queue = sign(HumanMessageKind::Queue);
        assert_eq!(texts.text(&queue, "en").as_deref(), Some("Place 3, 2 min."));
        let unknown = HumanMessage {
            queue_position: None,
            ..queue
        };
        assert_eq!(
            texts.text(&unknown, "en").as_deref(),
            Some("Place ?, 2 min.")
        );
        for silent in [HumanMessageKind::Left, HumanMessageKind::Text] {
            assert_eq!(texts.text(&sign(silent), "en"), None);
        }
    }
}
