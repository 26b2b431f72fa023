//! What the tests of several modules share, and the tests of many of them together.

mod deterministic;
pub(crate) mod fake_server;
pub(crate) mod master_keys;
#[expect(dead_code, reason = "the rest of it is for tests of several replicas")]
pub(crate) mod wire;
