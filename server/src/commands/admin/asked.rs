//! A question before something is deleted.

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::{Result, bail};
use clap::Args;

/// Whether a person is asked first.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(super) struct YesOption {
    /// Do not ask first. Needed where nobody can be asked.
    #[arg(long)]
    yes: bool,
}

impl YesOption {
    /// Returns when it was answered with yes, or need not be asked.
    pub(super) fn confirm(self, question: &str) -> Result<()> {
        if self.yes {
            return Ok(());
        }
        let stdin = io::stdin();
        if !stdin.is_terminal() {
            bail!("nobody can be asked here: --yes deletes without asking");
        }
        if confirmed(&mut stdin.lock(), &mut io::stderr(), question)? {
            return Ok(());
        }
        bail!("nothing was deleted")
    }
}

pub(super) fn confirmed(
    input: &mut impl BufRead,
    out: &mut impl Write,
    question: &str,
) -> io::Result<bool> {
    write!(out, "{question} [y/N] ")?;
    out.flush()?;
    let mut line = String::new();
    input.read_line(&mut line)?;
    Ok(matches!(line.trim().to_lowercase().as_str(), "y" | "yes"))
}
