//! What the tests of several verbs share.

pub(super) mod agent;
pub(super) mod platform;
