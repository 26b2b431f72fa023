//! What a typed line sets going.

use std::io::{self, Write};

use parloir_proto::v1::{Choice, Owner, respond_to_agent_request::Answer};

use super::{
    super::{
        input::{HELP, Input},
        offers::Pick,
        questions::refusal,
    },
    Talk,
};

impl<W: Write> Talk<W> {
    pub(super) fn line(&mut self, line: &str) -> io::Result<()> {
        match Input::of(line) {
            Input::Text(text) if self.questions.first().is_some() => self.reply(&text),
            Input::Empty if self.questions.first().is_some() => self.reply(""),
            Input::Text(text) => self.words_or_number(text),
            Input::Say(text) => self.say(text),
            Input::Empty | Input::Quit => Ok(()),
            Input::End => {
                let id = self.outgoing.end();
                self.deliveries.sent(id);
                self.screen.visitor("/end")
            }
            Input::ToHuman(note) => self.hand_over(Owner::Human, note),
            Input::ToAgent(note) => self.hand_over(Owner::Agent, note),
            Input::Fail(reason) => self.refuse(reason),
            Input::Help => self.screen.news(HELP),
            Input::Unknown(line) => self.screen.trouble(&format!(
                "{line} is no command; /help names them, /say says it."
            )),
        }
    }

    fn words_or_number(&mut self, text: String) -> io::Result<()> {
        let Some(pick) = text
            .parse()
            .ok()
            .and_then(|number| self.offers.pick(number))
        else {
            return self.say(text);
        };
        match pick {
            Pick::Choice(choice) => {
                let choice = choice.clone();
                self.choose(choice)
            }
            Pick::Link("") => self
                .screen
                .trouble("That is a link; it is opened, not sent to the agent."),
            Pick::Link(link) => {
                let words = format!("That is a link; it is opened, not sent to the agent: {link}");
                self.screen.trouble(&words)
            }
            Pick::None(last) => {
                let words =
                    format!("The buttons go from 1 to {last}; /say {text} says the number.");
                self.screen.trouble(&words)
            }
        }
    }

    fn say(&mut self, text: String) -> io::Result<()> {
        self.offers.clear();
        self.screen.visitor(&text)?;
        let id = self.outgoing.say(text);
        self.deliveries.sent(id);
        self.expect_answer();
        Ok(())
    }

    fn choose(&mut self, choice: Choice) -> io::Result<()> {
        self.offers.clear();
        self.screen.visitor(&format!("[{}]", choice.label))?;
        let id = self.outgoing.choose(choice);
        self.deliveries.sent(id);
        self.expect_answer();
        Ok(())
    }

    fn hand_over(&mut self, to: Owner, note: String) -> io::Result<()> {
        let id = self.outgoing.hand_over(to, note);
        self.deliveries.sent(id);
        self.screen.visitor(if to == Owner::Human {
            "/human"
        } else {
            "/agent"
        })
    }

    /// Answers the oldest question.
    fn reply(&mut self, line: &str) -> io::Result<()> {
        let Some(question) = self.questions.first() else {
            return Ok(());
        };
        match question.answer(line) {
            Ok(answer) => {
                let request_id = question.request_id.clone();
                self.screen.visitor(&format!("(answer) {line}"))?;
                self.respond(request_id, answer)
            }
            Err(remedy) => self.screen.trouble(remedy),
        }
    }

    fn refuse(&mut self, reason: String) -> io::Result<()> {
        match self.questions.first() {
            Some(question) => {
                let request_id = question.request_id.clone();
                self.screen.visitor("/fail")?;
                self.respond(request_id, refusal(reason))
            }
            None => self.screen.trouble("No question of the agent's is open."),
        }
    }

    fn respond(&mut self, request_id: String, answer: Answer) -> io::Result<()> {
        self.questions.close(&request_id);
        self.outgoing.answer(request_id, answer);
        self.expect_answer();
        self.ask()
    }

    /// Asks the oldest question, when the one before it is closed.
    pub(super) fn ask(&mut self) -> io::Result<()> {
        match self.questions.first() {
            Some(question) => self.screen.question(&question.words),
            None => Ok(()),
        }
    }
}
