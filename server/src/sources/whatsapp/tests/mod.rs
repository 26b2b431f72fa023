//! The numbered checks WA-1 to WA-15, as far as the adapter alone can show them, and the suite that every source runs.

mod fake;
mod fixture;
mod inbound;
mod refusals;
mod shapes;

crate::sources::conformance::source_conformance_suite!(fixture::Fixture);
