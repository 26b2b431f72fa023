//! Cuts words to a length: at the ends of sentences, else between words, else anywhere. Lengths are in characters.

/// Ends a sentence when a blank follows.
const STOPS: &[char] = &['.', '!', '?', '…'];

/// End a sentence by themselves.
const WIDE_STOPS: &[char] = &['。', '！', '？'];

/// Belongs to what stands before it.
const CLOSING: &[char] = &['”', '’', '»', ')', ']', '」', '』'];

/// `text` without blanks around it, in pieces of at most `max` characters, none of them blank.
pub(super) fn pieces(text: &str, max: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = text.trim();
    while let Some(end) = end_of(rest, max.max(1)) {
        let at = break_within(rest, end);
        pieces.push(rest[..at].trim_end().to_owned());
        rest = rest[at..].trim_start();
    }
    if !rest.is_empty() {
        pieces.push(rest.to_owned());
    }
    pieces
}

/// `text` and `lines` under it, in pieces of at most `max` characters. The lines stay together where they can, and a line
/// is torn only if it is longer than `max` by itself.
pub(super) fn with_lines(text: &str, lines: &[String], max: usize) -> Vec<String> {
    let mut pieces = pieces(text, max);
    let mut blocks = vec![lines.join("\n")];
    if !fits(&blocks[0], max) {
        blocks = lines.to_vec();
    }
    for block in blocks.iter().filter(|block| !block.trim().is_empty()) {
        match pieces.last_mut().map(|last| format!("{last}\n{block}")) {
            Some(joined) if fits(&joined, max) => {
                pieces.pop();
                pieces.push(joined);
            }
            _ => pieces.extend(self::pieces(block, max)),
        }
    }
    pieces
}

/// What comes before, and the end of `text` that has at most `max` characters: all of it, or its last sentence, or as
/// many of its last words as there is room for.
pub(super) fn end_apart(text: &str, max: usize) -> (&str, &str) {
    let text = text.trim();
    let max = max.max(1);
    if fits(text, max) {
        return ("", text);
    }
    let sentence = places(text).rfind(|(at, _)| ends_sentence(text, *at));
    let sentence = sentence
        .map(|(at, _)| at)
        .filter(|at| fits(text[*at..].trim(), max));
    let at = sentence.unwrap_or_else(|| {
        let surplus = text.chars().count() - max;
        let first = end_of(text, surplus).unwrap_or(0);
        let word =
            places(text).find(|(at, next)| next.is_whitespace() && *at + next.len_utf8() >= first);
        word.map_or(first, |(at, _)| at)
    });
    (text[..at].trim_end(), text[at..].trim_start())
}

/// At most `max` characters; what is cut ends with an ellipsis.
pub(super) fn cut(text: &str, max: usize) -> String {
    let text = text.trim();
    if fits(text, max) {
        return text.to_owned();
    }
    let Some(room) = max.checked_sub(1) else {
        return String::new();
    };
    let end = end_of(text, room).unwrap_or(text.len());
    format!("{}…", text[..end].trim_end())
}

pub(super) fn fits(text: &str, max: usize) -> bool {
    end_of(text, max).is_none()
}

/// One blank between words.
pub(super) fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Where `text` must end to have `max` characters; absent if it has no more.
fn end_of(text: &str, max: usize) -> Option<usize> {
    text.char_indices().nth(max).map(|(at, _)| at)
}

/// The best place to break `text` at or before `end`. A sentence's end in the first half is passed over: it would make
/// many short messages of one.
fn break_within(text: &str, end: usize) -> usize {
    let within = || places(text).take_while(|(at, _)| *at <= end);
    let sentence = within()
        .filter(|(at, _)| *at > end / 2 && ends_sentence(text, *at))
        .last();
    let word = || within().filter(|(_, next)| next.is_whitespace()).last();
    sentence.or_else(word).map_or(end, |(at, _)| at)
}

/// Every place inside `text` and the character that follows.
fn places(text: &str) -> impl DoubleEndedIterator<Item = (usize, char)> {
    text.char_indices().filter(|(at, _)| *at > 0)
}

fn ends_sentence(text: &str, at: usize) -> bool {
    let (before, after) = text.split_at(at);
    if after.trim_start().starts_with(CLOSING) {
        return false;
    }
    let closing = |c: char| c.is_whitespace() || CLOSING.contains(&c) || c == '"' || c == '\'';
    let words = before.trim_end_matches(closing);
    // "2. Track it" is one line of a list, not two sentences.
    let listed = words
        .strip_suffix('.')
        .is_some_and(|words| words.ends_with(|c: char| c.is_ascii_digit()));
    let blank = after.starts_with(char::is_whitespace);
    after.starts_with('\n')
        || words.ends_with(WIDE_STOPS)
        || (blank && words.ends_with(STOPS) && !listed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_ends_before_a_word_does_and_a_word_before_a_letter() {
        assert_eq!(
            pieces("One two. Three four five", 15),
            ["One two.", "Three four five"]
        );
        assert_eq!(
            pieces("One two three four", 9),
            ["One two", "three", "four"]
        );
        assert_eq!(pieces("abcdef", 4), ["abcd", "ef"]);
        assert_eq!(pieces("éééééé", 4), ["éééé", "éé"]);
        assert_eq!(pieces("一二三。四五六", 5), ["一二三。", "四五六"]);
        assert_eq!(
            pieces("« Oui. » Et puis non", 12),
            ["« Oui. »", "Et puis non"]
        );
        assert_eq!(pieces("「はい。」次に", 6), ["「はい。」", "次に"]);
    }

    #[test]
    fn a_short_first_sentence_does_not_make_a_message_of_its_own() {
        let text = "Hi. This sentence is long";
        assert_eq!(pieces(text, 20), ["Hi. This sentence is", "long"]);
    }

    #[test]
    fn a_line_of_a_list_is_not_torn_after_its_number() {
        assert_eq!(
            pieces("Choose now: 1. Track it", 20),
            ["Choose now: 1. Track", "it"],
            "between words: no sentence ends"
        );
        assert_eq!(
            end_apart("Choose: 1. Track it", 12),
            ("Choose:", "1. Track it")
        );
        let lines = ["1. Track".to_owned(), "2. Cancel".to_owned()];
        assert_eq!(
            with_lines("What next?", &lines, 20),
            ["What next?", "1. Track\n2. Cancel"],
            "together"
        );
        assert_eq!(
            with_lines("What next?", &lines, 12),
            ["What next?", "1. Track", "2. Cancel"]
        );
        let uneven = ["1. Up".to_owned(), "2. To the left of it".to_owned()];
        assert_eq!(
            with_lines("What next?", &uneven, 22),
            ["What next?\n1. Up", "2. To the left of it"],
            "whole"
        );
        assert_eq!(
            with_lines("What next?", &lines, 40),
            ["What next?\n1. Track\n2. Cancel"]
        );
    }

    #[test]
    fn the_end_is_the_last_sentence_or_the_last_words() {
        assert_eq!(end_apart(" All of it. ", 20), ("", "All of it."));
        assert_eq!(
            end_apart("It has left. Track it?", 12),
            ("It has left.", "Track it?")
        );
        assert_eq!(
            end_apart("one two three four", 10),
            ("one two", "three four")
        );
        assert_eq!(
            end_apart("one two three four", 9),
            ("one two three", "four")
        );
        assert_eq!(
            end_apart("He said: « Oui. »", 12),
            ("He said:", "« Oui. »"),
            "a quotation mark is no sentence"
        );
        assert_eq!(
            end_apart("It left. \"Where?\"", 12),
            ("It left.", "\"Where?\"")
        );
        assert_eq!(end_apart("abcdef", 4), ("ab", "cdef"));
        assert_eq!(end_apart("abc", 0), ("ab", "c"));
    }

    #[test]
    fn what_is_cut_says_so_within_the_limit() {
        assert_eq!(cut("Track it", 8), "Track it");
        assert_eq!(cut("Track it", 7), "Track…");
        assert_eq!(cut("ééééé", 3), "éé…");
        assert_eq!(cut("ab", 1), "…");
        assert_eq!(cut("ab", 0), "");
    }

    #[test]
    fn limits_that_make_no_sense_do_no_harm() {
        assert_eq!(pieces("ab", 0), ["a", "b"]);
        assert_eq!(pieces(" \n", 10), [""; 0]);
        assert_eq!(with_lines("", &[], 0), [""; 0]);
    }
}
