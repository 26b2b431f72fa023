//! A subscriber's answer to a question of the agent: the first valid one wins.

use async_trait::async_trait;

use crate::domain::{
    Answer, AnsweredRequest, Conversation, Error, Request, RequestKind, RequestOutcome, Result,
    ports::{Transaction, Unit},
};

use super::{
    Caller, Conversations, Disposition, Respond, Responded,
    close::{Closing, close, fingerprint},
    desk::Desk,
    open::find,
};

impl Conversations {
    pub async fn respond(&self, caller: &Caller, command: Respond) -> Result<Responded> {
        check_results(self, &command.answer)?;
        let unit = Give {
            caller: caller.clone(),
            command,
            desk: self.desk(),
        };
        let committed = self.committer.submit(unit).await?;
        let given = committed.output;
        let position = match given.closed_by_event {
            // Closed before: its event is in the log already.
            Some(event_id) => self
                .store
                .position_of_event(&event_id)
                .await?
                .unwrap_or_default(),
            None => committed.first,
        };
        Ok(Responded {
            disposition: given.disposition,
            position,
        })
    }
}

fn check_results(conversations: &Conversations, answer: &Answer) -> Result<()> {
    let Answer::Results(results) = answer else {
        return Ok(());
    };
    for (index, result) in results.iter().enumerate() {
        let field = format!("action_results.results[{index}]");
        result.check(&field)?;
        if conversations.is_reserved(&result.key) {
            return Err(Error::invalid(
                format!("{field}.key"),
                "is reserved by the agent's platform",
            ));
        }
    }
    Ok(())
}

#[derive(Debug)]
struct Give {
    caller: Caller,
    command: Respond,
    desk: Desk,
}

/// What became of the answer.
#[derive(Debug)]
struct Given {
    disposition: Disposition,
    /// The event that closed the request, where it was closed before.
    closed_by_event: Option<String>,
}

#[async_trait]
impl Unit for Give {
    type Output = Given;

    async fn run(&self, tx: &mut dyn Transaction) -> Result<Given> {
        let id = &self.command.request_id;
        let request = tx
            .request(id)
            .await?
            .filter(|request| request.tenant == self.caller.tenant);
        let request = request.ok_or_else(|| Error::not_found("request", id))?;
        if !self.command.answer.fits(request.kind) {
            return Err(wrong_kind(request.kind));
        }
        if let Some(closed) = &request.closed {
            let disposition = self.against(tx, closed);
            return Ok(Given {
                disposition,
                closed_by_event: Some(closed.event_id.clone()),
            });
        }
        let key = request.key.clone();
        let mut conversation = match &key {
            Some(key) => Some(find(tx, key).await?),
            None => None,
        };
        self.win(tx, conversation.as_mut(), request).await?;
        // Whoever was handed the question has done with it what there was to do.
        tx.subscriptions()?
            .answered(&self.caller.tenant, id)
            .await?;
        if let Some(conversation) = &conversation {
            tx.save_conversation(conversation).await?;
        }
        Ok(Given {
            disposition: Disposition::Accepted,
            closed_by_event: None,
        })
    }
}

impl Give {
    async fn win(
        &self,
        tx: &mut dyn Transaction,
        conversation: Option<&mut Conversation>,
        request: Request,
    ) -> Result<()> {
        let given = self.command.answer.clone();
        let closing = Closing {
            answered_by: self.command.responder.clone(),
            given: Some(given.clone()),
            ..match (given, request.kind) {
                // A winner that cannot answer lets the fallback be sent. What an escalation is answered decides who
                // owns the conversation, so it is resolved here, in the same commit.
                (Answer::Failure { .. }, RequestKind::Escalation) => {
                    let accepted = self.accepts_unanswered(&request);
                    let fallback = Answer::Escalation { accepted };
                    Closing::with(RequestOutcome::FellBack, fallback, &self.desk)
                }
                (given @ Answer::Failure { .. }, _) => {
                    Closing::with(RequestOutcome::FellBack, given, &self.desk)
                }
                (mut given, _) => {
                    self.mark_personal(&request, &mut given);
                    Closing::with(RequestOutcome::Answered, given, &self.desk)
                }
            }
        };
        close(tx, conversation, request, closing).await
    }

    /// Results that are personal whatever the caller says of them.
    fn mark_personal(&self, request: &Request, answer: &mut Answer) {
        let directory = self.desk.directory();
        if let (Answer::Results(results), Some(agent)) =
            (answer, directory.agent(request.agent.as_str()))
        {
            agent.mark_personal(results);
        }
    }

    fn accepts_unanswered(&self, request: &Request) -> bool {
        let directory = self.desk.directory();
        let agent = directory.agent(request.agent.as_str());
        agent.is_some_and(|agent| agent.accept_unanswered_escalations)
    }

    /// An answer to a request that is closed.
    fn against(&self, tx: &mut dyn Transaction, closed: &AnsweredRequest) -> Disposition {
        let same = closed.answered_by == self.command.responder
            && closed.answer_fingerprint == tx.digest(&fingerprint(&self.command.answer));
        // A fallback that nobody gave was no answer of this caller's, even if it says the same.
        let given = closed.outcome == RequestOutcome::Answered
            || matches!(self.command.answer, Answer::Failure { .. });
        match closed.outcome {
            _ if same && given => Disposition::Duplicate,
            RequestOutcome::Answered => Disposition::Lost,
            _ => Disposition::TooLate,
        }
    }
}

fn wrong_kind(kind: RequestKind) -> Error {
    let wanted = match kind {
        RequestKind::Action => "action_results, failure or deferred",
        RequestKind::Escalation => "escalation or failure",
        RequestKind::Availability => "availability or failure",
    };
    Error::invalid(
        "answer",
        format!("does not fit the question: give {wanted}"),
    )
}
