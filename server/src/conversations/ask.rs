//! A question of the agent comes in: it is recorded, and answered at once where that is possible.

use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::{
    AgentSettings, Answer, Conversation, DeliveryKind, Error, EventBody, Fingerprint, Id,
    OpenQuestion, Question, Request, RequestKind, RequestOutcome, Result, Timestamp,
    ports::{Transaction, Unit},
};

use super::{
    addressee::Addressee,
    close::{Closing, close},
    desk::Desk,
    record::{Recorded, record_apart, record_under},
    to_source::enqueue_at_source,
};

/// The question, and what it needs to be decided.
#[derive(Debug)]
pub struct Ask {
    pub addressee: Addressee,
    pub agent: Arc<AgentSettings>,
    pub question: Arc<Question>,
    pub request_id: Id,
    pub asked_at: Timestamp,
    pub respond_by: Timestamp,
    /// What is sent when nobody answers.
    pub fallback: Answer,
    /// Somebody is connected who could answer.
    pub somebody_listens: bool,
    pub traceparent: String,
    pub desk: Desk,
}

/// What the holder of the webhook does now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// Answer with this.
    Answered(Answer),
    /// Wait for this request, which may be an earlier one that this repeats.
    Waits {
        request_id: Id,
        respond_by: Timestamp,
    },
}

#[async_trait]
impl Unit for Ask {
    type Output = Asked;

    async fn run(&self, tx: &mut dyn Transaction) -> Result<Asked> {
        let found = self.addressee.find(tx, &self.agent).await?;
        let Some((mut conversation, upstream_epoch)) = found else {
            return self.ask(tx, None, false).await;
        };
        let fingerprint = tx.digest(&self.content(&conversation));
        if let Some(earlier) = self.repeated(tx, &fingerprint).await? {
            return Ok(earlier);
        }
        let current = conversation.is_current(upstream_epoch);
        let asked = self
            .ask(
                tx,
                Some((&mut conversation, upstream_epoch, fingerprint)),
                !current,
            )
            .await?;
        tx.save_conversation(&conversation).await?;
        Ok(asked)
    }
}

type Asker<'a> = (&'a mut Conversation, u64, Vec<u8>);

/// The same asker for a shorter time.
fn again<'a>(asker: &'a mut Option<Asker<'_>>) -> Option<Asker<'a>> {
    let (conversation, epoch, print) = asker.as_mut()?;
    Some((&mut **conversation, *epoch, print.clone()))
}

impl Ask {
    /// The same question again, while it is open or shortly after it was answered.
    async fn repeated(
        &self,
        tx: &mut dyn Transaction,
        fingerprint: &[u8],
    ) -> Result<Option<Asked>> {
        if self.agent.repeat_window.is_zero() {
            return Ok(None);
        }
        let since = tx.now() - self.agent.repeat_window;
        let Some(earlier) = tx.repeated_request(fingerprint, since).await? else {
            return Ok(None);
        };
        let Some(closed) = earlier.closed else {
            return Ok(Some(Asked::Waits {
                request_id: earlier.id,
                respond_by: earlier.respond_by,
            }));
        };
        // What was closed without an answer is asked anew: there is nothing to repeat.
        let body = tx.event_by_id(&closed.event_id).await?;
        Ok(match body.map(|event| event.fact.body) {
            Some(EventBody::RequestClosed {
                outcome: RequestOutcome::Answered | RequestOutcome::FellBack,
                answer: Some(answer),
                ..
            }) => Some(Asked::Answered(answer)),
            // It may have been answered: asked anew, an action would be done twice.
            Some(EventBody::Unread { .. }) => return Err(Error::Internal),
            _ => None,
        })
    }

    async fn ask(
        &self,
        tx: &mut dyn Transaction,
        asker: Option<Asker<'_>>,
        superseded: bool,
    ) -> Result<Asked> {
        if let Question::Availability { team, .. } = &self.question.as_ref() {
            let published = tx.availability(&self.agent.name, team).await?;
            // Nobody has said so and nobody could: the visitor need not wait for a "no".
            let known = published.or_else(|| (!self.somebody_listens).then_some(false));
            if let Some(online) = known {
                self.record(tx, asker, None, Some(online), superseded);
                return Ok(Asked::Answered(Answer::Availability { online }));
            }
        }
        let full = tx.count_open_requests(&self.agent.name).await? >= self.agent.max_open_requests;
        if superseded || full || !self.is_offered() {
            return self.fall_back(tx, asker, superseded).await;
        }
        let request = self.request(asker.as_ref());
        let mut asker = asker;
        let again = again(&mut asker);
        let recorded = self.record(tx, again, Some(self.open_question()), None, false);
        tx.add_request(&Request {
            sequence: recorded.sequence,
            ..request
        })
        .await?;
        if let Some((conversation, ..)) = asker {
            self.hand_over_at_source(tx, conversation, &recorded)
                .await?;
        }
        Ok(Asked::Waits {
            request_id: self.request_id.clone(),
            respond_by: self.respond_by,
        })
    }

    /// Nobody is asked: the question and its fallback are recorded together.
    async fn fall_back(
        &self,
        tx: &mut dyn Transaction,
        mut asker: Option<Asker<'_>>,
        superseded: bool,
    ) -> Result<Asked> {
        let request = self.request(asker.as_ref());
        let again = again(&mut asker);
        let recorded = self.record(tx, again, Some(self.open_question()), None, superseded);
        let request = Request {
            sequence: recorded.sequence,
            ..request
        };
        tx.add_request(&request).await?;
        let fallback = self.unasked(superseded);
        let closing = Closing::with(RequestOutcome::FellBack, fallback.clone(), &self.desk);
        close(
            tx,
            asker.map(|(conversation, ..)| conversation),
            request,
            closing,
        )
        .await?;
        Ok(Asked::Answered(fallback))
    }

    /// What is sent when nobody is asked. A question from before a handover hands nobody over.
    fn unasked(&self, superseded: bool) -> Answer {
        match self.fallback {
            Answer::Escalation { .. } if superseded => Answer::Escalation { accepted: false },
            ref fallback => fallback.clone(),
        }
    }

    fn record(
        &self,
        tx: &mut dyn Transaction,
        asker: Option<Asker<'_>>,
        request: Option<OpenQuestion>,
        answered_online: Option<bool>,
        superseded: bool,
    ) -> Recorded {
        let question = Question::clone(&self.question);
        let body = EventBody::Requested {
            request,
            answered_online,
            question,
        };
        match asker {
            Some((conversation, epoch, _)) => {
                record_under(tx, conversation, &self.traceparent, epoch, superseded, body)
            }
            None => record_apart(
                tx,
                &self.addressee.tenant,
                &self.agent.name,
                &self.traceparent,
                body,
            ),
        }
    }

    /// Where the visitor's source takes escalations, it is asked to, and how that ends is the answer.
    async fn hand_over_at_source(
        &self,
        tx: &mut dyn Transaction,
        conversation: &Conversation,
        recorded: &Recorded,
    ) -> Result<()> {
        let takes = self.desk.source_of(conversation).is_some_and(|source| {
            source.settings.takes_escalations && source.capabilities.hands_over
        });
        if takes && self.question.kind() == RequestKind::Escalation {
            enqueue_at_source(tx, conversation, DeliveryKind::Escalate, recorded).await?;
        }
        Ok(())
    }

    fn is_offered(&self) -> bool {
        match self.question.as_ref() {
            Question::Action { name, .. } => self.agent.offers(name),
            _ => true,
        }
    }

    fn open_question(&self) -> OpenQuestion {
        OpenQuestion {
            request_id: self.request_id.clone(),
            respond_by: self.respond_by,
            time_limit: self.respond_by.since(self.asked_at),
        }
    }

    fn request(&self, asker: Option<&Asker<'_>>) -> Request {
        Request {
            id: self.request_id.clone(),
            tenant: self.addressee.tenant.clone(),
            key: asker.map(|(conversation, ..)| conversation.key.clone()),
            agent: self.agent.name.clone(),
            kind: self.question.kind(),
            fingerprint: asker.map(|(.., print)| print.clone()).unwrap_or_default(),
            respond_by: self.respond_by,
            asked_at: self.asked_at,
            sequence: 0,
            closed: None,
        }
    }

    /// What makes two questions the same. The platform gives them no id.
    fn content(&self, conversation: &Conversation) -> Fingerprint {
        let print = Fingerprint::of("question")
            .text(self.agent.name.as_str())
            .text(conversation.key.account.as_str())
            .text(conversation.key.id.as_str())
            .number(u64::from(conversation.session.number))
            .number(conversation.upstream_epoch)
            .text(self.addressee.upstream_id.as_deref().unwrap_or_default());
        match self.question.as_ref() {
            Question::Action {
                name, parameters, ..
            } => {
                let named = print.text("action").text(name);
                parameters.iter().fold(named, |print, parameter| {
                    parameter
                        .values
                        .iter()
                        .fold(print.text(&parameter.key), |print, value| print.text(value))
                })
            }
            Question::Escalation { target, .. } => print.text("escalation").text(target),
            Question::Availability { team, .. } => print.text("availability").text(team),
        }
    }
}

/// What a question is answered when nobody answers it.
pub fn fallback(agent: &AgentSettings, question: &Question) -> Answer {
    use crate::domain::ActionFallback;
    match question {
        Question::Action { name, .. } if !agent.offers(name) && agent.refuse_unlisted_actions => {
            Answer::Failure {
                reason: "this action is not declared".into(),
            }
        }
        Question::Action { name, .. } if !agent.offers(name) => Answer::Deferred,
        Question::Action { name, .. } => match agent.action_fallback(name) {
            ActionFallback::Empty => Answer::Deferred,
            ActionFallback::Error => Answer::Failure {
                reason: "nobody answered in time".into(),
            },
            ActionFallback::Results(results) => Answer::Results(results.clone()),
        },
        Question::Escalation { .. } => Answer::Escalation {
            accepted: agent.accept_unanswered_escalations,
        },
        Question::Availability { .. } => Answer::Availability { online: false },
    }
}

/// What kind of question, for metrics.
pub fn label(kind: RequestKind) -> &'static str {
    match kind {
        RequestKind::Action => "action",
        RequestKind::Escalation => "escalation",
        RequestKind::Availability => "availability",
    }
}
