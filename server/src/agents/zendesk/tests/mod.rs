//! The platform's numbered checks, as far as the adapter alone can show them, and the suite that every platform runs.

mod endpoints;
mod exports;
mod fixture;
mod inbound;
mod keys;
mod outbound;
mod platform;
mod questions;
mod shapes;
mod user_data;
mod verification;

crate::agents::conformance::conformance_suite!(platform::FakeZendesk);
