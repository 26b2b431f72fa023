//! What was called, for tests to count.

/// A kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    OAuth,
    ReadHandover,
    /// To the people.
    HandOver,
    /// Back to the bot.
    HandBack,
    ReadContact,
    EditContact,
    Publish,
    ReadPublished,
    ReadInbox,
    Other,
}

/// A call that was answered, or meant to be.
#[derive(Clone, Debug)]
pub struct SeenCall {
    pub call: Call,
    pub method: String,
    /// Decoded, below the host.
    pub path: String,
    /// Of the form, or else of the query. Without credentials.
    pub fields: Vec<(String, String)>,
    /// Absent: no answer was given.
    pub status: Option<u16>,
}

impl SeenCall {
    pub fn field(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl Call {
    pub(super) fn of(method: &str, segments: &[String]) -> Self {
        let segments: Vec<_> = segments.iter().map(String::as_str).collect();
        match (method, segments.as_slice()) {
            (_, ["oauth", ..]) => Self::OAuth,
            ("GET", [_, "inbox", "handover", _, _]) => Self::ReadHandover,
            ("POST", [_, "inbox", "handover", _, _]) => Self::HandOver,
            ("DELETE", [_, "inbox", "handover", _, _]) => Self::HandBack,
            ("GET", [_, "inbox", "contact", _, _]) => Self::ReadContact,
            ("POST", [_, "inbox", "contact", _, _]) => Self::EditContact,
            ("POST", [_, "publisher", "add"]) => Self::Publish,
            ("GET", [_, "publisher", "mentions"]) => Self::ReadPublished,
            ("GET", [_, "inbox", "mentions"]) => Self::ReadInbox,
            _ => Self::Other,
        }
    }
}
