//! What is configured by language: phrases by which visitors ask for a human, texts that they are told.

use std::{collections::HashMap, hash::BuildHasher};

use unicode_normalization::UnicodeNormalization;

/// Whether `said` as a whole is one of the phrases. Case, accents, punctuation and emoji do not count, so a phrase of
/// nothing else never matches. Phrases under `""` count always; beside them those of the visitor's language, or of every
/// language where the visitor's is not known or has none.
pub fn matches(
    said: &str,
    phrases: &HashMap<String, Vec<String>, impl BuildHasher>,
    language: &str,
) -> bool {
    let said = folded(said);
    let is_said = |list: &Vec<String>| list.iter().any(|phrase| folded(phrase) == said);
    if said.is_empty() {
        return false;
    }
    match of_language(phrases, language) {
        Some(list) => is_said(list) || phrases.get("").is_some_and(is_said),
        None => phrases.values().any(is_said),
    }
}

/// The text for the visitor's language, else the one under `""`. Where neither is configured, an only text serves a
/// visitor whose language is not known.
pub fn in_language<'a>(
    texts: &'a HashMap<String, String, impl BuildHasher>,
    language: &str,
) -> Option<&'a str> {
    let only = || {
        let known = !language.trim().is_empty();
        texts.values().next().filter(|_| texts.len() == 1 && !known)
    };
    of_language(texts, language)
        .or_else(|| texts.get(""))
        .or_else(only)
        .map(|text| text.trim())
        .filter(|text| !text.is_empty())
}

/// What stands under the language's tag, or under the longest beginning of it: "fr-CA", then "fr".
fn of_language<'a, T>(
    by_language: &'a HashMap<String, T, impl BuildHasher>,
    language: &str,
) -> Option<&'a T> {
    let language = tag(language);
    let mut wanted = language.as_str();
    while !wanted.is_empty() {
        let found = by_language.iter().find(|(key, _)| tag(key) == wanted);
        if let Some((_, value)) = found {
            return Some(value);
        }
        wanted = wanted.rsplit_once('-').map_or("", |(start, _)| start);
    }
    None
}

/// One spelling of `fr-BE`, `fr_be` and `FR-be`.
fn tag(language: &str) -> String {
    language.trim().to_ascii_lowercase().replace('_', "-")
}

/// Letters and digits in lower case and without accents, one blank for what stands between them.
fn folded(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.to_lowercase().nfkd() {
        match c {
            // Accents, apart from their letters. Marks of other scripts make other letters, and stay.
            '\u{300}'..='\u{36f}' => {}
            // Letters that are no letter with an accent, as people write them who cannot type them.
            'ß' => plain.push_str("ss"),
            'æ' => plain.push_str("ae"),
            'œ' => plain.push_str("oe"),
            'ø' => plain.push('o'),
            'ł' => plain.push('l'),
            'đ' => plain.push('d'),
            'ı' => plain.push('i'),
            'ς' => plain.push('σ'),
            c => plain.push(c),
        }
    }
    let plain: String = plain
        .nfc()
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phrases(lists: &[(&str, &[&str])]) -> HashMap<String, Vec<String>> {
        let owned = |list: &[&str]| list.iter().map(|phrase| (*phrase).to_owned()).collect();
        lists
            .iter()
            .map(|(language, list)| ((*language).to_owned(), owned(list)))
            .collect()
    }

    fn texts(texts: &[(&str, &str)]) -> HashMap<String, String> {
        texts
            .iter()
            .map(|(language, text)| ((*language).to_owned(), (*text).to_owned()))
            .collect()
    }

    #[test]
    fn case_accents_and_punctuation_do_not_count() {
        let phrases = phrases(&[(
            "",
            &["Parler à quelqu'un", "Weiß nicht", "hand-over", "Œuvre"],
        )]);
        for said in [
            "parler a quelqu'un",
            "  PARLER À   QUELQU’UN !! 🙏",
            "Parler a\u{300} quelqu'un.",
            "weiss nicht",
            "Hand over?",
            "oeuvre",
        ] {
            assert!(matches(said, &phrases, "fr"), "{said}");
        }
    }

    #[test]
    fn only_a_whole_message_is_a_phrase() {
        let phrases = phrases(&[("en", &["agent"])]);
        for other in ["", "?!", "no agent", "agents", "agent please", "a gent"] {
            assert!(!matches(other, &phrases, "en"), "{other}");
        }
        let empty = self::phrases(&[("", &["", "?!", "🆘"])]);
        for said in ["", "?", "🆘", "hello"] {
            assert!(!matches(said, &empty, ""), "{said}");
        }
        assert!(!matches("agent", &HashMap::new(), "en"));
    }

    #[test]
    fn scripts_whose_marks_are_letters_keep_them() {
        let phrases = phrases(&[("", &["がか", "Σίσυφος", "человек"])]);
        assert!(matches("がか", &phrases, "ja"));
        assert!(!matches("かか", &phrases, "ja"));
        assert!(matches("ΣΙΣΥΦΟΣ", &phrases, "el"));
        assert!(matches("Человек!", &phrases, "ru"));
    }

    #[test]
    fn a_language_is_found_by_its_tag_or_the_beginning_of_it() {
        let phrases = phrases(&[
            ("fr", &["humain"]),
            ("pt-BR", &["atendente"]),
            ("en", &["human"]),
            ("", &["sos"]),
        ]);
        for language in ["fr", "FR", "fr-CA", "fr_ca", "fr-Latn-CA"] {
            assert!(matches("humain", &phrases, language), "{language}");
            assert!(!matches("human", &phrases, language), "{language}");
            assert!(matches("SOS", &phrases, language), "{language}");
        }
        assert!(matches("atendente", &phrases, "pt-br"));
    }

    #[test]
    fn an_unknown_language_tries_them_all() {
        let phrases = phrases(&[("fr", &["humain"]), ("en", &["human"])]);
        for language in ["", " ", "und", "de", "-"] {
            assert!(matches("humain", &phrases, language), "{language}");
            assert!(matches("human", &phrases, language), "{language}");
        }
    }

    #[test]
    fn a_text_is_that_of_the_language_or_the_one_for_all_others() {
        let texts = texts(&[("fr", "Un instant."), ("nl", " "), ("", "One moment.")]);
        assert_eq!(in_language(&texts, "fr-BE"), Some("Un instant."));
        assert_eq!(in_language(&texts, "de"), Some("One moment."));
        assert_eq!(in_language(&texts, ""), Some("One moment."));
        assert_eq!(in_language(&texts, "nl"), None, "nothing is to be said");
    }

    #[test]
    fn an_only_text_serves_a_visitor_of_unknown_language() {
        let one = texts(&[("fr", "Un instant.")]);
        assert_eq!(in_language(&one, ""), Some("Un instant."));
        assert_eq!(in_language(&one, "nl"), None);
        let two = texts(&[("fr", "Un instant."), ("en", "One moment.")]);
        assert_eq!(in_language(&two, ""), None, "which one?");
    }
}
