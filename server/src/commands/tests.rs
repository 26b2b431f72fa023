//! What the tests of several verbs share.

pub(super) mod agent;
