//! The journal checker: drivers write down what they asked, were answered and saw; afterwards the log is replayed from
//! its beginning and held against all of it. Pure: it knows no server, so its own tests can plant faults.

mod check;
mod entry;
mod report;
#[cfg(test)]
mod tests;

pub use check::check;
pub use entry::{Entry, Fact, Journal, Logged, Settled};
pub use report::{Fault, Report};
