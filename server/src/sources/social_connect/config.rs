//! Settings of a source that is Qualtrics Social Connect.

use crate::{
    config::{
        problem::Problems,
        section::{Part, Section, section},
    },
    secret::Secret,
};

section! {
    /// Qualtrics Social Connect.
    SocialConnectConfig {
        /// Where its API is.
        base_url: String = "https://api.engagor.com".to_owned();
    }
}

impl SocialConnectConfig {
    /// The configuration reference, under `at`.
    pub fn reference(at: &str) -> Vec<Part> {
        vec![Part::of::<Self>(at.to_owned())]
    }

    /// Reports what is missing or wrong. `at` is the key of this table.
    pub fn check_all(&self, at: &str, problems: &mut Problems) {
        self.check(at, problems);
    }

    /// Every secret, with its setting and the least length that it may have.
    pub fn secrets(&self) -> Vec<(String, &Secret, usize)> {
        Vec::new()
    }
}
