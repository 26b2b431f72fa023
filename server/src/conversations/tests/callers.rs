//! What callers do: the visitor's words by call, answers, transfers, a human's words, ends.

use std::{sync::Arc, time::Duration};

use super::{
    play::Play,
    steps::{Expects, Reply, Step},
    world::caller,
};
use crate::{
    conversations::{
        Conversations, EndConversation, Respond, SendHumanMessage, SendMessage, StartConversation,
        Transfer, UpdateParameters,
    },
    domain::{
        Answer, ConversationKey, HumanMessage, HumanMessageKind, Id, Owner, Parameter, Result,
        VisitorContent,
    },
};

impl Play {
    pub(super) fn command(&mut self, step: &Step) {
        match *step {
            Step::VisitorSends(contact) => self.visitor_sends(contact),
            Step::Resend(back) => self.resend(back),
            Step::Start(contact) => self.start(contact),
            Step::UpdateParameters(contact) => self.update_parameters(contact),
            Step::End(contact) => self.end(contact),
            Step::CallerAnswers { which, answer } => self.caller_answers(which, answer),
            Step::Transfer {
                contact,
                to_human,
                expects,
            } => self.transfer(contact, to_human, expects),
            Step::HumanSpeaks { contact, expects } => self.human_speaks(contact, expects),
            _ => {}
        }
    }

    fn resend(&mut self, back: u8) {
        let index = self.sent.len().checked_sub(1 + usize::from(back));
        let Some(command) = index.and_then(|index| self.sent.get(index)).cloned() else {
            return;
        };
        let command = SendMessage {
            resend: true,
            ..command
        };
        self.call(move |house| async move { house.send(&caller(), command, Duration::ZERO).await });
    }

    fn start(&mut self, contact: u8) {
        let command_id = self.next_id("start");
        self.about(contact, |key| {
            let command = StartConversation {
                account: key.account,
                conversation_id: Some(key.id),
                command_id: Some(command_id),
                visitor: None,
                parameters: Vec::new(),
                kind: None,
            };
            move |house: Arc<Conversations>| async move {
                house.start(&caller(), command, Duration::ZERO).await
            }
        });
    }

    fn update_parameters(&mut self, contact: u8) {
        let command_id = self.next_id("update");
        let parameter = Parameter {
            key: "k".into(),
            value: command_id.to_string(),
            personal: false,
        };
        self.about(contact, |key| {
            let command = UpdateParameters {
                account: key.account,
                conversation_id: key.id,
                command_id,
                parameters: vec![parameter],
            };
            move |house: Arc<Conversations>| async move {
                house
                    .update_parameters(&caller(), command, Duration::ZERO)
                    .await
            }
        });
    }

    fn end(&mut self, contact: u8) {
        let command_id = self.next_id("end");
        self.about(contact, |key| {
            let command = EndConversation {
                account: key.account,
                conversation_id: key.id,
                command_id,
                expected_session: None,
            };
            move |house: Arc<Conversations>| async move {
                house.end(&caller(), command, Duration::ZERO).await
            }
        });
    }

    fn visitor_sends(&mut self, contact: u8) {
        let text = self.next("v");
        let Some((key, _)) = self.talk(contact) else {
            return;
        };
        let command = SendMessage {
            account: key.account,
            conversation_id: key.id,
            message_id: Id::trusted(text.as_str()),
            content: VisitorContent::Text(text),
            parameters: Vec::new(),
            resend: false,
            kind: None,
        };
        self.sent.push(command.clone());
        self.call(move |house| async move { house.send(&caller(), command, Duration::ZERO).await });
    }

    fn caller_answers(&mut self, which: u8, answer: Reply) {
        let responder = self.next("caller");
        let mut open: Vec<_> = {
            let ledger = self.world.ledger.lock();
            let requests = ledger.requests.values();
            requests
                .map(|asked| {
                    (
                        asked.now.closed.is_some(),
                        asked.now.sequence,
                        asked.now.id.clone(),
                    )
                })
                .collect()
        };
        // What is open first; a late answer changes nothing.
        open.sort();
        let Some((.., request_id)) = open.into_iter().nth(which.into()) else {
            return;
        };
        let answer = match answer {
            Reply::Accept => Answer::Escalation { accepted: true },
            Reply::Refuse => Answer::Escalation { accepted: false },
            Reply::Fail => Answer::Failure {
                reason: "busy".into(),
            },
        };
        let command = Respond {
            request_id,
            answer,
            responder,
        };
        self.call(move |house| async move { house.respond(&caller(), command).await });
    }

    fn transfer(&mut self, contact: u8, to_human: bool, expects: Expects) {
        let command_id = self.next_id("transfer");
        let expected_owner_epoch = self.expects(contact, expects, &command_id);
        self.about(contact, |key| {
            let command = Transfer {
                account: key.account,
                conversation_id: key.id,
                command_id,
                to: if to_human { Owner::Human } else { Owner::Agent },
                note: "a note".into(),
                expected_owner_epoch,
            };
            move |house: Arc<Conversations>| async move { house.transfer(&caller(), command).await }
        });
    }

    fn human_speaks(&mut self, contact: u8, expects: Expects) {
        let text = self.next("h");
        let message_id = Id::trusted(text.as_str());
        let expected_owner_epoch = self.expects(contact, expects, &message_id);
        self.about(contact, |key| {
            let command = SendHumanMessage {
                account: key.account,
                conversation_id: key.id,
                message_id,
                message: human(&text),
                expected_owner_epoch,
            };
            move |house: Arc<Conversations>| async move {
                house
                    .send_human_message(&caller(), command, Duration::ZERO)
                    .await
            }
        });
    }

    fn expects(&mut self, contact: u8, expects: Expects, command: &Id) -> Option<u64> {
        let (_, talk) = self.talk(contact)?;
        let expected = match expects {
            Expects::Nothing => None,
            Expects::Today => Some(talk.epoch),
            Expects::Before => Some(talk.epoch.saturating_sub(1)),
        };
        self.world
            .ledger
            .lock()
            .expected
            .insert(command.to_string(), expected);
        expected
    }

    fn about<T, C, F>(&self, contact: u8, command: impl FnOnce(ConversationKey) -> C)
    where
        C: FnOnce(Arc<Conversations>) -> F + Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
        T: Send + 'static,
    {
        if let Some((key, _)) = self.talk(contact) {
            self.call(command(key));
        }
    }
}

fn human(text: &str) -> HumanMessage {
    HumanMessage {
        message_id: text.to_owned(),
        kind: HumanMessageKind::Text,
        text: text.to_owned(),
        name: "Ana".into(),
        avatar_url: String::new(),
        queue_position: None,
        waiting_time: None,
        from_source: false,
        raw: String::new(),
    }
}
