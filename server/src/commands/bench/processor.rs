//! The processor time of a process, as Linux tells it.

use std::{fs, time::Duration};

use anyhow::{Context, Result};

/// Linux tells it in hundredths of a second, on every architecture in use.
const TICKS_PER_SECOND: u32 = 100;

/// What a process has used up so far, in its own code and in the system's on its behalf.
pub fn time(pid: u32) -> Result<Duration> {
    let path = format!("/proc/{pid}/stat");
    let stat = fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))?;
    // The name before may hold spaces; it ends with the last parenthesis.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let mut fields = fields.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u32>().ok();
    let (own, system) = (ticks(), ticks());
    let ticks = own.zip(system).map(|(own, system)| own + system);
    let ticks = ticks.with_context(|| format!("{path} tells no time"))?;
    Ok(Duration::from_secs(1) * ticks / TICKS_PER_SECOND)
}
