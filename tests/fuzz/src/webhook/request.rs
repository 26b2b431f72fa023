//! An input as a request.

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use parloir::domain::inbound::Webhook;

/// More is turned away before any adapter sees it.
const MAX_HEADERS: usize = 64;

/// How a request is to be shown.
#[derive(Debug)]
pub struct Input {
    pub which: usize,
    pub signed: bool,
}

impl Input {
    /// `2s POST /path?query`, headers, a blank line, and the body. `None`: too short to say how to show it.
    pub fn read(input: &[u8]) -> Option<(Self, Webhook)> {
        let (&[which, signed], rest) = input.split_first_chunk()?;
        let how = Self {
            which: usize::from(which.wrapping_sub(b'0')),
            signed: signed == b's',
        };
        let (line, mut rest) = line(rest);
        let mut words = line
            .split(|byte| *byte == b' ')
            .filter(|word| !word.is_empty());
        let method = words.next().and_then(|word| Method::from_bytes(word).ok());
        let target = String::from_utf8_lossy(words.next().unwrap_or_default()).into_owned();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let mut headers = HeaderMap::new();
        while headers.len() < MAX_HEADERS {
            let (header, after) = self::line(rest);
            rest = after;
            if header.is_empty() {
                break;
            }
            if let Some((name, value)) = read_header(header) {
                headers.append(name, value);
            }
        }
        let webhook = Webhook {
            method: method.unwrap_or(Method::POST),
            headers,
            path: path.trim_start_matches('/').to_owned(),
            query: query.to_owned(),
            body: rest.to_vec().into(),
        };
        Some((how, webhook))
    }
}

fn read_header(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
    Some((
        HeaderName::from_bytes(name).ok()?,
        HeaderValue::from_bytes(value).ok()?,
    ))
}

/// The first line, and what follows it.
fn line(text: &[u8]) -> (&[u8], &[u8]) {
    let Some(end) = text.iter().position(|byte| *byte == b'\n') else {
        return (text, &[]);
    };
    let line = &text[..end];
    (line.strip_suffix(b"\r").unwrap_or(line), &text[end + 1..])
}
