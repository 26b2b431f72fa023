//! What a typed line means.

/// A line, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Input {
    /// Words for the agent, or the answer to its question.
    Text(String),
    /// Words for the agent even where they look like something else.
    Say(String),
    /// Nothing at all.
    Empty,
    End,
    ToHuman(String),
    ToAgent(String),
    Fail(String),
    Help,
    Quit,
    /// A command that there is not.
    Unknown(String),
}

pub(super) const HELP: &str = "\
words          say them to the agent
a number       press that button
/say words     say them even if they are a number, or if a question is open
/fail [why]    refuse to answer the agent's question
/human [note]  hand the conversation to a human
/agent [note]  hand it back to the agent
/end           end the session; what is said next begins a new one
/quit          leave";

impl Input {
    pub(super) fn of(line: &str) -> Self {
        let line = line.trim();
        if line.is_empty() {
            return Self::Empty;
        }
        let Some(command) = line.strip_prefix('/') else {
            return Self::Text(line.to_owned());
        };
        let (verb, rest) = command
            .split_once(char::is_whitespace)
            .unwrap_or((command, ""));
        let rest = rest.trim().to_owned();
        match verb {
            "say" if !rest.is_empty() => Self::Say(rest),
            "end" => Self::End,
            "human" => Self::ToHuman(rest),
            "agent" => Self::ToAgent(rest),
            "fail" => Self::Fail(rest),
            "help" => Self::Help,
            "quit" => Self::Quit,
            _ => Self::Unknown(line.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_words_unless_it_begins_with_a_slash() {
        assert_eq!(
            Input::of(" hello  there "),
            Input::Text("hello  there".into())
        );
        assert_eq!(Input::of("12"), Input::Text("12".into()));
        assert_eq!(Input::of("  "), Input::Empty);
    }

    #[test]
    fn commands_take_the_rest_of_the_line() {
        assert_eq!(
            Input::of("/human  she is angry"),
            Input::ToHuman("she is angry".into())
        );
        assert_eq!(Input::of("/agent"), Input::ToAgent(String::new()));
        assert_eq!(Input::of("/say 12"), Input::Say("12".into()));
        assert_eq!(
            Input::of("/fail no such order"),
            Input::Fail("no such order".into())
        );
    }

    #[test]
    fn a_mistyped_command_is_never_said_to_the_agent() {
        assert_eq!(Input::of("/edn"), Input::Unknown("/edn".into()));
        assert_eq!(Input::of("/say"), Input::Unknown("/say".into()));
    }

    #[test]
    fn help_names_every_command() {
        for verb in ["/say", "/fail", "/human", "/agent", "/end", "/quit"] {
            assert!(HELP.contains(verb), "{verb}");
        }
    }
}
