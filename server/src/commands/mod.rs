//! The verbs of the binary: one file each.

pub mod check_config;
pub mod simulate;
