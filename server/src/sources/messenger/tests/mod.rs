//! The contract's numbered checks, as far as the adapter alone can show them, and the suite that every source runs.

use crate::tests::fake_server;

mod challenge;
mod configuration;
mod fake;
mod fixture;
mod handover;
mod ownership;
mod refusals;
mod sending;
mod system;
mod words;

crate::sources::conformance::source_conformance_suite!(system::Facebook);
