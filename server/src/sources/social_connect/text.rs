//! A message's content as plain text: it may be HTML, and it may not.

use crate::domain::message::MAX_TEXT_CHARS;

/// After these a new line begins.
const BREAKS: &[&str] = &["br", "/p", "/div", "/li", "/tr"];

/// Without tags, with entities decoded, at most as long as any message may be. What only looks like a tag (`<3`, `a <
/// b`, one that never ends) stays.
pub(super) fn plain(content: &str) -> String {
    let mut text = String::with_capacity(content.len());
    let mut rest = content;
    while let Some(at) = rest.find('<') {
        let (before, tagged) = rest.split_at(at);
        text.push_str(before);
        if let Some(end) = tag_end(tagged) {
            let name = tag_name(&tagged[1..end]);
            if BREAKS.iter().any(|tag| name.eq_ignore_ascii_case(tag)) {
                text.push('\n');
            }
            rest = &tagged[end + 1..];
        } else {
            text.push('<');
            rest = &tagged[1..];
        }
    }
    text.push_str(rest);
    let decoded = html_escape::decode_html_entities(&text);
    let shown = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
    let kept: String = decoded
        .trim()
        .chars()
        .filter(shown)
        .take(MAX_TEXT_CHARS)
        .collect();
    kept.trim().to_owned()
}

/// Where the tag ends that begins here, if one does.
fn tag_end(text: &str) -> Option<usize> {
    let mut after = text[1..].chars();
    let begins = match after.next()? {
        '/' => after.next().is_some_and(|c| c.is_ascii_alphabetic()),
        '!' => true,
        first => first.is_ascii_alphabetic(),
    };
    begins.then(|| text.find('>'))?
}

fn tag_name(inside: &str) -> &str {
    let end = |c: char| c.is_whitespace() || c == '/';
    match inside.strip_prefix('/') {
        Some(closing) => &inside[..=closing.find(end).unwrap_or(closing.len())],
        None => &inside[..inside.find(end).unwrap_or(inside.len())],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_go_and_what_only_looks_like_one_stays() {
        for (content, text) in [
            ("<p>Hello</p>", "Hello"),
            ("One<br/>two<BR>three", "One\ntwo\nthree"),
            ("<p>One</p><p>two <b>words</b></p>", "One\ntwo words"),
            ("I <3 it, 2 < 3 > 1", "I <3 it, 2 < 3 > 1"),
            ("it never <ends", "it never <ends"),
            ("a <a href=\"https://x\">link</a>", "a link"),
            (
                "&lt;b&gt; &amp;amp; &#233;&#x1F4E6; &nbsp;",
                "<b> &amp; é📦",
            ),
            ("R&D & co", "R&D & co"),
            ("  \n plain \n text ", "plain \n text"),
        ] {
            assert_eq!(plain(content), text, "{content}");
        }
    }

    #[test]
    fn the_longest_text_is_kept_and_no_longer_one() {
        let long = "é".repeat(MAX_TEXT_CHARS + 5);
        assert_eq!(plain(&long).chars().count(), MAX_TEXT_CHARS);
        assert_eq!(plain("a\0b\u{1b}"), "ab");
    }
}
