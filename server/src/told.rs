//! An error with its causes, as it is told to people: many an error repeats its cause in its own words, for those who see
//! that error alone, and here each thing is said once.

/// The error and its causes in one line.
pub fn told(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.contains(&cause) {
            continue;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io;

    use anyhow::anyhow;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the file x cannot be read: {source}")]
    struct Repeating {
        source: io::Error,
    }

    #[test]
    fn what_an_error_says_of_its_cause_is_not_said_again() {
        let repeating = Repeating {
            source: io::Error::other("no such file"),
        };
        let error = anyhow::Error::new(repeating).context("[grpc.tls]");
        assert_eq!(
            told(&error),
            "[grpc.tls]: the file x cannot be read: no such file"
        );
        let error = anyhow!("closed").context("no server answers");
        assert_eq!(told(&error), "no server answers: closed");
    }
}
