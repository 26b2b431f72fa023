//! What two calls or webhooks are compared by: their content as unambiguous bytes, which the store hashes under the
//! database's key before it keeps them.

use super::parameter::Parameter;

/// Content as bytes: every part is preceded by its length, so that no two contents share their bytes.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Fingerprint(Vec<u8>);

impl Fingerprint {
    /// Begins with the name of what is compared, so that two kinds never match.
    pub fn of(kind: &str) -> Self {
        Self::default().text(kind)
    }

    #[must_use]
    pub fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    #[must_use]
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0
            .extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        self.0.extend_from_slice(bytes);
        self
    }

    #[must_use]
    pub fn number(mut self, number: u64) -> Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    #[must_use]
    pub fn flag(self, flag: bool) -> Self {
        self.number(u64::from(flag))
    }

    #[must_use]
    pub fn parameters(self, parameters: &[Parameter]) -> Self {
        let counted = self.number(parameters.len() as u64);
        parameters.iter().fold(counted, |print, p| {
            print.text(&p.key).text(&p.value).flag(p.personal)
        })
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The bytes are a visitor's words.
impl std::fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Fingerprint({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cannot_run_into_each_other() {
        assert_ne!(
            Fingerprint::of("a").text("bc"),
            Fingerprint::of("ab").text("c")
        );
        assert_ne!(Fingerprint::of("a").text(""), Fingerprint::of("a"));
    }
}
