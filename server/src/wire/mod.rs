//! Between the domain's words and those of the contract: the one place that knows the fields of `parloir.v1`.

pub mod answer;
pub mod asked;
pub mod body;
pub mod enums;
pub mod envelope;
pub mod human;
pub mod message;
pub mod parameter;
pub mod profile;
pub mod subscription;
pub mod time;

/// Bytes of our own that make no sense. Names the field; never holds what stood in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} makes no sense")]
pub struct Nonsense(pub &'static str);
