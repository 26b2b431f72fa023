//! A chat as it runs: what is typed, what comes back, what happens in the conversation.

mod events;
mod returns;
mod typed;

use std::io::{self, Write};

use anyhow::{Context, Result};
use parloir_client::EventStream;
use parloir_proto::v1::Parameter;
use tokio::{sync::mpsc, time};

use super::{
    Answering, awaited::Awaited, deliveries::Deliveries, input::Input, offers::Offers,
    outgoing::Outgoing, questions::Questions, screen::Screen,
};

#[expect(
    clippy::struct_excessive_bools,
    reason = "facts about one talk that change apart"
)]
pub(super) struct Talk<W> {
    outgoing: Outgoing,
    screen: Screen<W>,
    answered_here: Vec<Answering>,
    /// `None` when it is typed by hand: then nothing has to be waited for.
    awaited: Option<Awaited>,
    offers: Offers,
    questions: Questions,
    deliveries: Deliveries,
    /// What to start with; taken when the start is sent.
    parameters: Option<Vec<Parameter>>,
    started: bool,
    /// The agent has said something.
    heard: bool,
    /// No more lines will come.
    all_typed: bool,
    /// Something was not answered in its time.
    unanswered: bool,
}

impl<W: Write> Talk<W> {
    /// `wait` is how long each answer is waited for, in a chat that is not typed by hand.
    pub(super) fn new(
        outgoing: Outgoing,
        screen: Screen<W>,
        answered_here: Vec<Answering>,
        parameters: Vec<Parameter>,
        wait: Option<time::Duration>,
    ) -> Self {
        Self {
            outgoing,
            screen,
            answered_here,
            awaited: wait.map(Awaited::new),
            offers: Offers::default(),
            questions: Questions::default(),
            deliveries: Deliveries::default(),
            parameters: Some(parameters),
            started: false,
            heard: false,
            all_typed: false,
            unanswered: false,
        }
    }

    /// Starts the conversation as soon as its events are followed, so that not even a question asked during the start
    /// is missed, and talks until there is nothing more to say.
    pub(super) async fn run(
        mut self,
        mut events: EventStream,
        mut lines: mpsc::Receiver<String>,
    ) -> Result<()> {
        while !self.is_over() {
            let next_line = !self.all_typed && self.may_go_on();
            let give_up = self.give_up_at();
            tokio::select! {
                item = events.next() => {
                    self.item(&item.context("the server ended the stream")??)?;
                }
                Some(outcome) = self.outgoing.returned() => self.outcome(outcome)?,
                line = lines.recv(), if next_line => match line {
                    Some(line) if Input::of(&line) == Input::Quit => break,
                    Some(line) => self.line(&line)?,
                    None => self.typed_all(),
                },
                () = time::sleep_until(give_up.unwrap_or_else(time::Instant::now)),
                    if give_up.is_some() => self.gave_up()?,
            }
        }
        // For scripts: they look at the exit code and not at the words.
        anyhow::ensure!(!self.unanswered, "not everything was answered");
        Ok(())
    }

    /// Nothing more will be typed and nothing more is waited for.
    fn is_over(&self) -> bool {
        self.all_typed
            && self.outgoing.is_idle()
            && self.awaited.as_ref().is_none_or(Awaited::is_over)
    }

    /// Whether the next line may be taken: by hand at any time, otherwise when the last one was answered or a question
    /// is open.
    fn may_go_on(&self) -> bool {
        let Some(awaited) = &self.awaited else {
            return self.started;
        };
        let answered = self.outgoing.is_idle() && awaited.is_over();
        self.started && (answered || self.questions.first().is_some())
    }

    /// When what is waited for is not waited for any longer. Calls have deadlines of their own.
    fn give_up_at(&self) -> Option<time::Instant> {
        let awaited = self.awaited.as_ref()?;
        (self.outgoing.is_idle() && !awaited.is_over()).then(|| awaited.until())
    }

    fn gave_up(&mut self) -> io::Result<()> {
        if self.awaited.as_mut().is_some_and(Awaited::missed) {
            self.unanswered = true;
            self.screen
                .trouble("The agent did not answer in the time that --wait leaves it.")?;
        }
        Ok(())
    }

    fn typed_all(&mut self) {
        self.all_typed = true;
        // Nobody is there to answer it: the agent will go on without.
        if self.questions.first().is_some() {
            self.expect_answer();
        }
    }

    fn expect_answer(&mut self) {
        if let Some(awaited) = &mut self.awaited {
            awaited.answer();
        }
    }

    fn expect_nothing(&mut self) {
        if let Some(awaited) = &mut self.awaited {
            awaited.nothing();
        }
    }

    fn heard(&mut self) {
        self.heard = true;
        if let Some(awaited) = &mut self.awaited {
            awaited.came();
        }
    }
}
