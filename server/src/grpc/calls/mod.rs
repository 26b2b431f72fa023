//! One file per call: from the request to the use case's input, and from its output to the response.

pub(super) mod ack;
pub(super) mod availability;
pub(super) mod contacts;
pub(super) mod end;
pub(super) mod erase;
pub(super) mod events;
pub(super) mod get;
pub(super) mod human;
pub(super) mod list;
pub(super) mod pull;
pub(super) mod respond;
pub(super) mod send;
pub(super) mod start;
pub(super) mod transfer;
pub(super) mod update;

#[cfg(test)]
mod tests;
