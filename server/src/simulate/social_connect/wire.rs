//! Requests taken apart, and answers in the vendor's envelope.

use http::HeaderMap;
use reqwest::Url;
use serde_json::{Value, json};

/// A request as it came.
#[derive(Clone)]
pub struct Request {
    pub method: String,
    /// With its query.
    pub path: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// What a request gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    Answer {
        status: u16,
        headers: Vec<(String, String)>,
        body: String,
    },
    /// Nothing, for ever.
    Silent,
    /// The connection is reset.
    Reset,
}

/// A failure with the vendor's name for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal(pub(super) u16, pub(super) &'static str);

pub(super) type Answered = Result<Value, Refusal>;

pub(super) const INVALID: Refusal = Refusal(400, "invalid_parameter");
pub(super) const NO_PERMISSION: Refusal = Refusal(403, "no_permission");
pub(super) const NOT_FOUND: Refusal = Refusal(404, "not_found");
pub(super) const TOO_LONG: Refusal = Refusal(400, "limit_exceeded");
pub(super) const WRONG_METHOD: Refusal = Refusal(405, "invalid_http_method");

/// A request taken apart.
pub(super) struct Asked {
    pub(super) method: String,
    /// Decoded, without those that are empty.
    pub(super) segments: Vec<String>,
    pub(super) query: Vec<(String, String)>,
    pub(super) form: Vec<(String, String)>,
    pub(super) bearer: Option<String>,
    pub(super) host: String,
}

impl Asked {
    /// `None`: nothing that could be read.
    pub(super) fn read(request: &Request) -> Option<Self> {
        let url = Url::parse(&format!("http://localhost{}", request.path)).ok()?;
        let header = |name: &str| request.headers.get(name)?.to_str().ok();
        let is_form =
            header("content-type").is_some_and(|kind| kind == "application/x-www-form-urlencoded");
        let mut form = Url::parse("http://localhost/").ok()?;
        if is_form {
            form.set_query(Some(std::str::from_utf8(&request.body).ok()?));
        }
        let owned = |url: &Url| url.query_pairs().into_owned().collect();
        let segments = url.path_segments()?.filter(|segment| !segment.is_empty());
        Some(Self {
            method: request.method.clone(),
            segments: segments.map(decoded).collect::<Option<_>>()?,
            query: owned(&url),
            form: owned(&form),
            bearer: header("authorization")
                .and_then(|value| value.strip_prefix("Bearer "))
                .map(str::to_owned),
            host: header("host").unwrap_or("localhost").to_owned(),
        })
    }

    pub(super) fn field(&self, name: &str) -> Option<&str> {
        find(&self.form, name)
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        find(&self.query, name)
    }

    /// JSON text in one field of the form.
    pub(super) fn json(&self, name: &str) -> Option<Value> {
        serde_json::from_str(self.field(name)?).ok()
    }
}

impl Reply {
    pub(super) fn of(answered: Answered) -> Self {
        match answered {
            Ok(response) => Self::json(
                200,
                &json!({ "meta": { "code": 200 }, "response": response }),
            ),
            Err(Refusal(status, error)) => Self::json(
                status,
                &json!({
                    "code": status, "error": error, "error_details": [],
                    "error_description": format!("the simulated Social Connect says {error}"),
                }),
            ),
        }
    }

    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::Answer {
            status,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.to_string(),
        }
    }

    pub(super) fn with(mut self, more: Vec<(String, String)>) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.extend(more);
        }
        self
    }
}

fn find<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = pairs.iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value.as_str())
}

fn decoded(segment: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        let mut nibble = || char::from(rest.next()?).to_digit(16);
        match byte {
            b'%' => bytes.push(u8::try_from(nibble()? * 16 + nibble()?).ok()?),
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}
