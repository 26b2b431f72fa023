//! What the calls of a chat come back with.

use std::io::{self, Write};

use anyhow::{Context, Result};
use parloir_proto::v1::{DeliveryState, Disposition, StartConversationResponse};

use super::{
    super::{deliveries::is_lost, outgoing::Outcome},
    Talk,
};

impl<W: Write> Talk<W> {
    /// Only a conversation that cannot be started ends a chat.
    pub(super) fn outcome(&mut self, outcome: Outcome) -> Result<()> {
        match outcome {
            Outcome::Started(id, response) => {
                let response = response.context("the conversation cannot be started")?;
                self.started(&id, &response)?;
            }
            Outcome::Sent(id, Ok(Some(delivery))) => {
                self.told(&id, delivery.state(), &delivery.reason)?;
            }
            Outcome::Sent(_, Ok(None)) => {}
            Outcome::Sent(_, Err(error)) => {
                self.expect_nothing();
                self.screen
                    .trouble(&format!("The server refused: {error}"))?;
            }
            Outcome::Answered(Ok(response)) => self.answered(response.disposition())?,
            Outcome::Answered(Err(error)) => {
                self.expect_nothing();
                self.screen
                    .trouble(&format!("The answer was refused: {error}"))?;
            }
        }
        Ok(())
    }

    /// A state of something that was sent here, from a reply or from an event.
    pub(super) fn told(
        &mut self,
        id: &str,
        reached: DeliveryState,
        reason: &str,
    ) -> io::Result<()> {
        if is_lost(reached) && self.deliveries.is_ours(id) {
            self.expect_nothing();
        }
        match self.deliveries.news(id, reached, reason) {
            Some(sentence) => self.screen.trouble(&sentence),
            None => Ok(()),
        }
    }

    fn started(&mut self, id: &str, response: &StartConversationResponse) -> io::Result<()> {
        self.started = true;
        let what = if response.resumed {
            "resumed"
        } else {
            "opened"
        };
        let (account, conversation) = (self.outgoing.account(), self.outgoing.conversation());
        let words = format!(
            "Conversation {conversation} of account {account} is {what}. Type words, the number of a button, or /help."
        );
        self.screen.news(&words)?;
        if let Some(delivery) = &response.delivery {
            self.told(id, delivery.state(), &delivery.reason)?;
        }
        // A welcome that came before the reply is the one.
        if let Some(awaited) = &mut self.awaited
            && !response.resumed
            && !self.heard
        {
            awaited.welcome();
        }
        Ok(())
    }

    fn answered(&mut self, disposition: Disposition) -> io::Result<()> {
        match disposition {
            Disposition::Lost => self.screen.trouble("Somebody else had answered already."),
            Disposition::TooLate => self
                .screen
                .trouble("Too late: the agent has got its fallback."),
            Disposition::Accepted | Disposition::Duplicate | Disposition::Unspecified => Ok(()),
        }
    }
}
