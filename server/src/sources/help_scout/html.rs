//! Between plain text and the little HTML that mails are made of.

/// Elements that stand on lines of their own.
const BLOCKS: &[&str] = &[
    "p",
    "div",
    "li",
    "ul",
    "ol",
    "tr",
    "table",
    "blockquote",
    "pre",
    "hr",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
];
/// Elements whose content is not for readers.
const HIDDEN: &[&str] = &["style", "script", "head", "title"];

/// Text as HTML that shows it as it is.
pub(super) fn from_text(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    html_escape::encode_text(&text).replace('\n', "<br>")
}

/// What a reader sees of HTML. What holds no tag at all keeps its line breaks. Takes time in proportion to its length,
/// whatever is in it: anybody can write a mail.
pub(super) fn to_text(html: &str) -> String {
    let pieces = pieces(html);
    let is_plain = pieces.iter().all(|piece| matches!(piece, Piece::Text(_)));
    let mut text = String::with_capacity(html.len());
    for piece in pieces {
        match piece {
            Piece::Text(words) if is_plain => text.push_str(&decoded(words)),
            Piece::Text(words) => push_collapsed(&mut text, words),
            Piece::Line => {
                trim_blanks(&mut text);
                text.push('\n');
            }
            Piece::Block => {
                trim_blanks(&mut text);
                if !text.is_empty() && !text.ends_with('\n') {
                    text.push('\n');
                }
            }
            Piece::Nothing => {}
        }
    }
    text.trim().to_owned()
}

/// Whether two texts say the same, however their blanks and line breaks were kept.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    one.split_whitespace().eq(other.split_whitespace())
}

enum Piece<'h> {
    Text(&'h str),
    /// A line ends here.
    Line,
    /// What comes next begins a line.
    Block,
    Nothing,
}

fn pieces(html: &str) -> Vec<Piece<'_>> {
    // Lower case once, at the same places, so that no search has to begin anew for each tag.
    let lower = html.to_ascii_lowercase();
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < html.len() {
        let Some(tag) = html[at..].find('<').map(|found| at + found) else {
            pieces.push(Piece::Text(&html[at..]));
            break;
        };
        if tag > at {
            pieces.push(Piece::Text(&html[at..tag]));
        }
        let (piece, end) = match tag_end(&lower, tag) {
            Some(end) => element(&lower, tag, end),
            // A lone "<", as in "2 < 3".
            None => (Piece::Text(&html[tag..=tag]), tag + 1),
        };
        pieces.push(piece);
        at = end;
    }
    pieces
}

/// Where the tag that begins at `tag` ends; nothing if it is none.
fn tag_end(lower: &str, tag: usize) -> Option<usize> {
    let rest = &lower[tag..];
    if rest.starts_with("<!--") {
        let end = rest.find("-->").map(|found| tag + found + 3);
        return Some(end.unwrap_or(lower.len()));
    }
    let is_tag = rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
    // The first of many that are never closed takes all the rest, so that none is searched twice.
    is_tag.then(|| rest.find('>').map_or(lower.len(), |found| tag + found + 1))
}

/// What the element from `tag` to `end` means, and where to go on.
fn element(lower: &str, tag: usize, end: usize) -> (Piece<'static>, usize) {
    let inside = lower[tag + 1..end].trim_start_matches('/');
    let name = inside
        .split(|c: char| !c.is_ascii_alphanumeric())
        .next()
        .unwrap_or_default();
    if HIDDEN.contains(&name) && !lower[tag..].starts_with("</") {
        let close = format!("</{name}");
        let end = lower[end..].find(&close).map(|found| end + found);
        return (Piece::Nothing, end.unwrap_or(lower.len()));
    }
    let piece = match name {
        "br" => Piece::Line,
        name if BLOCKS.contains(&name) => Piece::Block,
        _ => Piece::Nothing,
    };
    (piece, end)
}

/// Any run of blanks and line breaks is one blank, and none where a line begins.
fn push_collapsed(text: &mut String, words: &str) {
    for c in decoded(words).chars() {
        if !c.is_whitespace() {
            text.push(c);
        } else if !text.is_empty() && !text.ends_with([' ', '\n']) {
            text.push(' ');
        }
    }
}

fn decoded(words: &str) -> String {
    let decoded = html_escape::decode_html_entities(words);
    decoded.replace('\u{a0}', " ").replace('\0', "")
}

fn trim_blanks(text: &mut String) {
    text.truncate(text.trim_end_matches(' ').len());
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn what_a_reader_sees_is_kept_and_the_rest_is_not() {
        for (html, text) in [
            ("Bonjour", "Bonjour"),
            ("one\ntwo", "one\ntwo"),
            ("2 < 3 & <3", "2 < 3 & <3"),
            (
                "Où&nbsp;est &quot;mon&quot; colis &#x1F4E6; ?",
                "Où est \"mon\" colis 📦 ?",
            ),
            ("<p>One</p>\n<p>two<br/>three</p>", "One\ntwo\nthree"),
            ("a<br><br>b", "a\n\nb"),
            ("<DIV>a  \n b</DIV><div>c</div>", "a b\nc"),
            ("<ul><li>a</li><li>b</li></ul>", "a\nb"),
            ("<style>p { x }</style>a<!-- b --><b>c</b>", "ac"),
            ("<html><head><title>t</title></head><body>a</body>", "a"),
            ("&lt;b&gt; <i>x</i>", "<b> x"),
            ("a<style>never closed", "a"),
            ("<img src=x onerror=y>", ""),
            ("a <b never closed", "a"),
        ] {
            assert_eq!(to_text(html), text, "{html}");
        }
    }

    #[test]
    fn text_shows_as_it_is_and_comes_back_the_same() {
        let said = "<b> & \"demain\"\r\n2 < 3 &amp; é";
        let html = from_text(said);
        assert_eq!(html, "&lt;b&gt; &amp; \"demain\"<br>2 &lt; 3 &amp;amp; é");
        assert!(is_same(&to_text(&html), said));
        assert!(!is_same("a b", "ab"));
    }

    #[test]
    fn hostile_html_takes_no_longer_than_its_length() {
        for piece in [
            "<a",
            "<style>",
            "<style></style>",
            "<!--",
            "<",
            "&#",
            "<style></styl",
            "</",
        ] {
            let begun = Instant::now();
            to_text(&piece.repeat(1_000_000 / piece.len()));
            assert!(begun.elapsed().as_secs() < 20, "{piece}");
        }
    }
}
