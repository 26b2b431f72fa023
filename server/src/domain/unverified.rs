//! Which part of a webhook did not verify: names and figures for the log, never a value.

use std::fmt;

/// Why a webhook is not believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unverified {
    /// A header that the scheme needs did not come.
    Missing { header: String },
    /// It came several times, and nobody can tell which one counts.
    Repeated { header: String },
    /// It came, and is not written as the scheme wants it.
    Malformed {
        header: String,
        /// What was expected, such as `hex`.
        expected: &'static str,
    },
    /// Its time is further from ours than the scheme tolerates.
    Stale {
        header: String,
        /// Positive: ahead of our clock.
        skew_seconds: i64,
    },
    /// Everything is there, and it fits none of the secrets.
    Mismatch { part: String },
    /// What its token claims is not for us.
    Claim(&'static str),
    /// It came by a method with which nothing can be shown.
    Method,
    /// None of the secrets can be read, or is in the form that the scheme wants.
    NoSecret,
}

impl Unverified {
    /// One word for it.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "missing",
            Self::Repeated { .. } => "repeated",
            Self::Malformed { .. } => "malformed",
            Self::Stale { .. } => "stale",
            Self::Mismatch { .. } => "mismatch",
            Self::Claim(_) => "claim",
            Self::Method => "method",
            Self::NoSecret => "no_secret",
        }
    }

    pub fn missing(header: &str) -> Self {
        Self::Missing {
            header: header.to_owned(),
        }
    }

    pub fn malformed(header: &str, expected: &'static str) -> Self {
        Self::Malformed {
            header: header.to_owned(),
            expected,
        }
    }

    /// The signature, or secret, in this header fits none of the secrets.
    pub fn mismatch(header: &str) -> Self {
        Self::Mismatch {
            part: format!("the header {header}"),
        }
    }
}

impl fmt::Display for Unverified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { header } => write!(f, "the header {header} is missing"),
            Self::Repeated { header } => write!(
                f,
                "the header {header} came several times, and nobody can tell which one counts"
            ),
            Self::Malformed { header, expected } => {
                write!(f, "the header {header} is not {expected}")
            }
            Self::Stale {
                header,
                skew_seconds,
            } => {
                let side = if *skew_seconds > 0 {
                    "ahead of"
                } else {
                    "behind"
                };
                let seconds = skew_seconds.unsigned_abs();
                write!(
                    f,
                    "the time in the header {header} is {seconds} s {side} our clock, more than the tolerance"
                )
            }
            Self::Mismatch { part } => write!(f, "{part} fits none of the secrets"),
            Self::Claim(claim) => {
                write!(
                    f,
                    "the claim {claim} of its token is not what is configured"
                )
            }
            Self::Method => f.write_str("its method can carry nothing that verifies"),
            Self::NoSecret => f.write_str(
                "none of the secrets can be read, or is in the form that the scheme wants",
            ),
        }
    }
}
