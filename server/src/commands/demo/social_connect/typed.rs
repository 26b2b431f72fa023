//! What whoever watches types once the play is over: what the visitor and the brand's people do next.

use std::pin::pin;

use anyhow::Result;

use super::{
    super::viewer::tell,
    stage::{Stage, show_read},
};
use crate::commands::keyboard::typed_lines;

/// A line, understood.
#[derive(Debug, PartialEq, Eq)]
enum Typed<'a> {
    Visitor(&'a str),
    Human(&'a str),
    Tag,
    Untag,
    Nothing,
    Unknown,
}

impl<'a> Typed<'a> {
    fn of(line: &'a str) -> Self {
        let line = line.trim();
        let (verb, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        match (verb, rest.trim()) {
            ("", _) => Self::Nothing,
            ("/tag", "") => Self::Tag,
            ("/untag", "") => Self::Untag,
            ("/human", words) if !words.is_empty() => Self::Human(words),
            (verb, _) if verb.starts_with('/') => Self::Unknown,
            _ => Self::Visitor(line),
        }
    }
}

/// Does what is typed, and prints what the visitor reads, until it is interrupted.
pub(super) async fn follow(stage: &Stage) -> Result<()> {
    let mut typed = typed_lines()?;
    let mut is_open = true;
    let mut seen = stage.lines().len();
    let mut interrupted = pin!(tokio::signal::ctrl_c());
    loop {
        let more = |platform: &crate::simulate::social_connect::Platform| {
            platform.lines(&stage.visitor).len() > seen
        };
        tokio::select! {
            stopped = &mut interrupted => return Ok(stopped?),
            line = typed.recv(), if is_open => match line {
                Some(line) => act(stage, &line).await?,
                None => is_open = false,
            },
            came = stage.desk.wait_until(more) => if came {
                let lines = stage.lines();
                show_read(&lines[seen..])?;
                seen = lines.len();
            },
        }
    }
}

async fn act(stage: &Stage, line: &str) -> Result<()> {
    let platform = stage.desk.platform();
    match Typed::of(line) {
        Typed::Visitor(words) => {
            stage.desk.visitor_says(&stage.visitor, words).await;
        }
        Typed::Human(words) => stage.desk.human_says(&stage.visitor, words).await,
        Typed::Tag => platform.agent_tags(&stage.visitor, stage.tag()),
        Typed::Untag => platform.agent_untags(&stage.visitor, stage.tag()),
        Typed::Nothing => {}
        Typed::Unknown => tell(
            "! A slash begins one of /human WORDS (someone of the brand writes), /tag and /untag (a human takes over, and gives back). Ctrl-C ends.",
        )?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_the_visitors_unless_it_begins_with_a_slash() {
        assert_eq!(Typed::of(" a  mug "), Typed::Visitor("a  mug"));
        assert_eq!(Typed::of("2"), Typed::Visitor("2"));
        assert_eq!(Typed::of("/human I am"), Typed::Human("I am"));
        assert_eq!(Typed::of("/tag"), Typed::Tag);
        assert_eq!(Typed::of("/untag "), Typed::Untag);
        assert_eq!(Typed::of("  "), Typed::Nothing);
    }

    #[test]
    fn a_mistyped_command_is_never_said() {
        for line in ["/human", "/hand over", "/tag it", "/"] {
            assert_eq!(Typed::of(line), Typed::Unknown, "{line}");
        }
    }
}
