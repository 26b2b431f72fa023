//! What is printed, and who it comes from.

use std::io::{self, Write};

use crate::commands::terminal;

/// Prints lines above a prompt, where there is somebody to be prompted.
pub(super) struct Screen<W> {
    out: W,
    by_hand: bool,
}

impl<W: Write> Screen<W> {
    pub(super) fn new(out: W, by_hand: bool) -> Self {
        Self { out, by_hand }
    }

    /// What the agent said.
    pub(super) fn agent(&mut self, text: &str) -> io::Result<()> {
        self.print(&format!("agent: {text}"))
    }

    /// What the visitor said here. Whoever types it has seen it.
    pub(super) fn visitor(&mut self, text: &str) -> io::Result<()> {
        if self.by_hand {
            return self.prompt();
        }
        self.print(&format!("you: {text}"))
    }

    /// What somebody else said in this conversation.
    pub(super) fn other(&mut self, who: &str, text: &str) -> io::Result<()> {
        self.print(&format!("{who}: {text}"))
    }

    /// A question that waits for an answer.
    pub(super) fn question(&mut self, text: &str) -> io::Result<()> {
        self.print(&format!("? {text}"))
    }

    /// News of the conversation.
    pub(super) fn news(&mut self, text: &str) -> io::Result<()> {
        self.print(&format!("* {text}"))
    }

    /// Something that did not go as it should.
    pub(super) fn trouble(&mut self, text: &str) -> io::Result<()> {
        self.print(&format!("! {text}"))
    }

    fn print(&mut self, text: &str) -> io::Result<()> {
        let text = terminal::many_lines(text);
        if self.by_hand {
            // Over the prompt, and over what is half typed: the terminal still holds that.
            write!(self.out, "\r\x1b[K")?;
        }
        writeln!(self.out, "{text}")?;
        self.prompt()
    }

    fn prompt(&mut self) -> io::Result<()> {
        if self.by_hand {
            write!(self.out, "> ")?;
        }
        self.out.flush()
    }
}
