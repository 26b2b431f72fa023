//! The numbered checks HS-1 to HS-12, as far as the adapter alone can show them, and the suite that every source runs.

mod credentials;
mod fake;
mod fixture;
mod handover;
mod inbound;
mod outbound;
mod threads;

crate::sources::conformance::source_conformance_suite!(fixture::Fixture);
