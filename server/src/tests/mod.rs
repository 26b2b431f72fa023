//! What the tests of several modules share.

pub(crate) mod fake_server;
pub(crate) mod master_keys;
