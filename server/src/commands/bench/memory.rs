//! The resident memory of a process, as Linux tells it.

use std::{fmt, fs};

use anyhow::{Context, Result};

/// Bytes in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Resident(pub u64);

/// Reads `VmRSS` of a process.
pub fn resident(pid: u32) -> Result<Resident> {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path)
        .with_context(|| format!("{path} cannot be read: --server-pid names a process here"))?;
    let kibibytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok())
        .with_context(|| format!("{path} tells no VmRSS"))?;
    Ok(Resident(kibibytes * 1024))
}

impl Resident {
    /// What each of so many things costs beyond what was there before.
    pub fn each_since(self, before: Self, count: usize) -> u64 {
        self.0.saturating_sub(before.0) / (count.max(1) as u64)
    }
}

impl fmt::Display for Resident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} KiB", self.0 / 1024)
    }
}
