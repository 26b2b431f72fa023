//! Reads a webhook from files: headers and body apart, a raw HTTP request, or what `curl -v` printed.

use anyhow::{Context, Result, bail};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

/// A request as it was kept.
#[derive(Debug, Default)]
pub(super) struct Dump {
    /// `None`: the dump has no request line.
    pub(super) method: Option<Method>,
    /// Path and query as in the request line.
    pub(super) target: Option<String>,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// What is odd about it, for whoever kept it.
    pub(super) notes: Vec<String>,
}

impl Dump {
    /// A whole request: raw, or printed by `curl -v`, which has no body in it.
    pub(super) fn read(bytes: &[u8]) -> Result<Self> {
        let text = String::from_utf8_lossy(bytes);
        if text.lines().any(|line| line.starts_with("> ")) {
            let sent = text.lines().filter_map(|line| line.strip_prefix('>'));
            let lines: Vec<_> = sent
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .collect();
            return Self::head(&lines);
        }
        let (head, body) = split(bytes);
        let head = std::str::from_utf8(head).context("its head is no text")?;
        let lines: Vec<_> = head.lines().filter(|line| !line.is_empty()).collect();
        let mut dump = Self::head(&lines)?;
        dump.body = body.to_vec();
        dump.mind_length()?;
        Ok(dump)
    }

    /// A request line, where there is one, and headers, one a line.
    pub(super) fn head(lines: &[&str]) -> Result<Self> {
        let mut dump = Self::default();
        let mut lines = lines.iter().copied().peekable();
        if let Some((method, target)) = lines.peek().and_then(|line| request_line(line)) {
            dump.method = Some(method);
            dump.target = Some(target.to_owned());
            lines.next();
        }
        for line in lines {
            let (name, value) = line
                .split_once(':')
                .with_context(|| format!("{:?} is no header", shown(line)))?;
            let name: HeaderName = name
                .trim()
                .parse()
                .with_context(|| format!("{:?} is no header's name", shown(name)))?;
            let value = HeaderValue::from_str(value.trim())
                .with_context(|| format!("the header {name} holds what no header may"))?;
            dump.headers.append(name, value);
        }
        Ok(dump)
    }

    /// An editor may have added a line break at the end, or a tool cut the body: `Content-Length` tells.
    fn mind_length(&mut self) -> Result<()> {
        if self.headers.contains_key(http::header::TRANSFER_ENCODING) {
            bail!(
                "its body is in chunks, whose lengths are none of the body: give the body apart, with --body"
            );
        }
        let length = self.headers.get(http::header::CONTENT_LENGTH);
        let length = length.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        let Some(length) = length else {
            return Ok(());
        };
        let kept = self.body.len();
        if kept > length {
            self.body.truncate(length);
            let more = kept - length;
            self.notes.push(format!(
                "the dump holds {more} bytes more than Content-Length says: they are left out"
            ));
        } else if kept < length {
            self.notes.push(format!(
                "the dump holds {kept} of {length} bytes of the body: the rest was cut off, so no signature can fit"
            ));
        }
        Ok(())
    }
}

fn request_line(line: &str) -> Option<(Method, &str)> {
    let mut words = line.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let is_whole = version.starts_with("HTTP/") && words.next().is_none();
    let method = method.parse().ok()?;
    is_whole.then_some((method, target))
}

/// Head and body, at the first empty line.
fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    let at = |end: &[u8]| bytes.windows(end.len()).position(|window| window == end);
    let crlf = at(b"\r\n\r\n").map(|at| (at, 4));
    let lf = at(b"\n\n").map(|at| (at, 2));
    match crlf.into_iter().chain(lf).min() {
        Some((at, width)) => (&bytes[..at], &bytes[at + width..]),
        None => (bytes, &[]),
    }
}

/// A piece that tells which line is meant: never all of it, because it may be a secret.
fn shown(text: &str) -> String {
    text.chars().take(12).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_request_is_taken_apart_and_its_body_kept_byte_by_byte() {
        for end in ["\r\n", "\n"] {
            let raw = format!(
                "POST /webhooks/support?x=1 HTTP/1.1{end}X-A: 1{end}X-A:2{end}{end}{{\"a\":\n\n\"b\"}}\r\n"
            );
            let dump = Dump::read(raw.as_bytes()).expect("a request");
            assert_eq!(dump.method, Some(Method::POST));
            assert_eq!(dump.target.as_deref(), Some("/webhooks/support?x=1"));
            let values: Vec<_> = dump.headers.get_all("x-a").iter().collect();
            assert_eq!(values, ["1", "2"]);
            assert_eq!(dump.body, b"{\"a\":\n\n\"b\"}\r\n");
        }
    }

    #[test]
    fn what_curl_prints_is_read_without_its_own_words_and_the_answer() {
        let printed = "* Connected\n> POST /webhooks/support HTTP/1.1\n> Host: x\n> X-Signature: 00\n>\n\
                       < HTTP/1.1 401 Unauthorized\n< content-length: 0\n";
        let dump = Dump::read(printed.as_bytes()).expect("a request");
        assert_eq!(dump.method, Some(Method::POST));
        assert_eq!(dump.headers["x-signature"], "00");
        assert!(!dump.headers.contains_key("content-length") && dump.body.is_empty());
    }

    #[test]
    fn the_announced_length_decides_where_the_body_ends() {
        let read = |raw: &str| Dump::read(raw.as_bytes());
        let longer = read("X: 1\nContent-Length: 2\n\n{}\n").expect("a request");
        assert_eq!(
            (longer.body.as_slice(), longer.notes.len()),
            (&b"{}"[..], 1)
        );
        let shorter = read("X: 1\nContent-Length: 3\n\n{}").expect("a request");
        assert!(shorter.notes[0].contains("2 of 3"), "{:?}", shorter.notes);
        assert!(read("Transfer-Encoding: chunked\n\n2\r\n{}\r\n0\r\n\r\n").is_err());
    }
}
