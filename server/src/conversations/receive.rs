//! A webhook of the agent's platform: verified, decoded, committed, and only then answered.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use http::StatusCode;

use crate::{
    domain::{
        AgentSettings, Answer, Conversation, ConversationKind, EndCause, Error, EventBody,
        Evidence, Fingerprint, Id, Known, Owner, OwnerChangeCause, Question, RequestKind, Result,
        Timestamp, VisitorContent, VisitorMessage,
        inbound::{Inbound, InboundBody, Webhook, WebhookRefusal, WebhookReply},
        ports::{Agent, Transaction, Unit},
        tenant_of,
    },
    waiters::Awaited,
};

use super::{
    Conversations,
    addressee::Addressee,
    ask::{Ask, Asked, fallback, label},
    desk::Desk,
    hold::{Held, Watch},
    ownership::{Change, end_escalated, take_from_agent},
    record::{Recorded, record_apart, record_under},
    to_source::reply_at_source,
    webhook_log::Addressed,
};

impl Conversations {
    /// Takes a webhook for the agent `name`, whose first byte came `age` ago. The reply is given only after what it
    /// acknowledges is durable.
    pub async fn receive(
        &self,
        tenant: &Id,
        name: &str,
        webhook: &Webhook,
        traceparent: &str,
        age: Duration,
    ) -> WebhookReply {
        let setup = self.live.setup();
        let directory = &setup.directory;
        let agent = directory
            .agent(name)
            .and_then(|agent| Some((agent, setup.agents.get(&agent.name)?)));
        let Some((settings, platform)) = agent else {
            self.metrics.webhooks.refused("", "unknown_agent");
            let why = "it names an agent that is not configured";
            self.webhook_log
                .refused(Addressed::Nobody, "unknown_agent", &why, Some(webhook));
            return WebhookReply::status(StatusCode::NOT_FOUND);
        };
        let inbound = match platform.receive(webhook) {
            Ok(inbound) => inbound,
            Err(refusal) => return self.refuse(name, webhook, &refusal),
        };
        self.webhook_log.believed(Addressed::Agent(name), webhook);
        let addressee = Addressee {
            tenant: tenant.clone(),
            upstream_id: inbound.upstream_id.clone(),
            internal_id: inbound.internal_id.clone(),
            directory: Arc::clone(directory),
        };
        let begun = self.clock.now() - age;
        let taken = match inbound.body {
            InboundBody::Question(question) => {
                self.ask((settings, platform), addressee, question, traceparent, age)
                    .await
            }
            _ => {
                self.take(settings, addressee, inbound, traceparent, begun)
                    .await
            }
        };
        taken.unwrap_or_else(|error| self.not_taken(name, &error))
    }

    /// Commits what needs no answer.
    async fn take(
        &self,
        agent: &Arc<AgentSettings>,
        addressee: Addressee,
        inbound: Inbound,
        traceparent: &str,
        begun: Timestamp,
    ) -> Result<WebhookReply> {
        let traceparent = traceparent.to_owned();
        let unit = Take {
            addressee,
            agent: Arc::clone(agent),
            inbound,
            traceparent,
            desk: self.desk(),
        };
        let first = self.committer.submit(unit).await?.output;
        self.took(agent, if first { "taken" } else { "duplicate" }, begun);
        Ok(WebhookReply::ok())
    }

    /// Commits a question and holds the webhook until it is answered.
    async fn ask(
        &self,
        (agent, platform): (&Arc<AgentSettings>, &Arc<dyn Agent>),
        addressee: Addressee,
        question: Question,
        traceparent: &str,
        age: Duration,
    ) -> Result<WebhookReply> {
        let kind = question.kind();
        let name = match &question {
            Question::Action { name, .. } => name.as_str(),
            _ => "",
        };
        // Time counts from the request's first byte.
        let time_limit = agent.time_limit(kind, name);
        let limit = time_limit.saturating_sub(age);
        let asked_at = self.clock.now() - age;
        let fallback = fallback(agent, &question);
        let is_refused =
            !agent.offers(name) && kind == RequestKind::Action && agent.refuse_unlisted_actions;
        let request_id = Id::generate();
        let waiter = self.waiters.listen(Awaited::Request(request_id.clone()));
        let unit = Ask {
            addressee,
            agent: Arc::clone(agent),
            question: Arc::new(question),
            request_id: request_id.clone(),
            asked_at,
            respond_by: asked_at + time_limit,
            fallback: fallback.clone(),
            // Who listens at other replicas is not known here: they are given the time to answer.
            somebody_listens: self.is_shared || self.hub.has_subscribers_for(&agent.name),
            traceparent: traceparent.to_owned(),
            desk: self.desk(),
        };
        let watch = Watch::new(request_id.clone(), limit, fallback.clone());
        let asked = self.begin(unit, &watch).await?;
        self.took(agent, "asked", asked_at);
        let answer = match asked {
            Asked::Answered(answer) => answer,
            Asked::Waits {
                request_id: waits_for,
                ..
            } if waits_for == request_id => {
                let held = Held::new(&self.metrics, &agent.name, label(kind));
                let answer = self.hold(waiter, &watch).await;
                held.answered(answer == fallback || matches!(answer, Answer::Failure { .. }));
                answer
            }
            Asked::Waits {
                request_id,
                respond_by,
            } => {
                drop(waiter);
                let left = respond_by.since(self.clock.now());
                let joined = Watch::new(request_id, left, fallback.clone());
                self.join(&joined).await?
            }
        };
        if is_refused {
            return Ok(WebhookReply::status(StatusCode::BAD_REQUEST));
        }
        // A winner that could not answer lets the fallback be sent.
        let answer = if matches!(answer, Answer::Failure { .. }) {
            fallback
        } else {
            answer
        };
        Ok(platform.reply(kind, &answer))
    }

    fn took(&self, agent: &AgentSettings, outcome: &'static str, begun: Timestamp) {
        self.metrics.webhooks.answered(agent.name.as_str(), outcome);
        self.metrics
            .webhooks
            .lag(agent.name.as_str(), self.clock.now().since(begun));
    }

    fn refuse(&self, name: &str, webhook: &Webhook, refusal: &WebhookRefusal) -> WebhookReply {
        let (label, status) = match refusal {
            WebhookRefusal::Unverified(_) => ("unverified", StatusCode::UNAUTHORIZED),
            WebhookRefusal::Malformed => ("malformed", StatusCode::BAD_REQUEST),
            WebhookRefusal::UnknownAgent { acknowledge: true } => ("unknown_bot", StatusCode::OK),
            WebhookRefusal::UnknownAgent { acknowledge: false } => {
                ("unknown_bot", StatusCode::NOT_FOUND)
            }
        };
        self.metrics.webhooks.refused(tenant_of(name), label);
        self.webhook_log
            .refused(Addressed::Agent(name), label, refusal, Some(webhook));
        WebhookReply::status(status)
    }

    fn not_taken(&self, name: &str, error: &Error) -> WebhookReply {
        self.metrics.webhooks.answered(name, "not_taken");
        tracing::error!(agent = name, %error, "a webhook could not be committed");
        let status = match error {
            Error::NotFound { .. } => StatusCode::NOT_FOUND,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        WebhookReply::status(status)
    }
}

#[derive(Debug)]
struct Take {
    addressee: Addressee,
    agent: Arc<AgentSettings>,
    inbound: Inbound,
    traceparent: String,
    desk: Desk,
}

#[async_trait]
impl Unit for Take {
    /// Whether it came for the first time.
    type Output = bool;

    async fn run(&self, tx: &mut dyn Transaction) -> Result<bool> {
        if !self.is_first(tx).await? {
            return Ok(false);
        }
        let Some((mut conversation, epoch)) = self.addressee.find(tx, &self.agent).await? else {
            record_apart(
                tx,
                &self.addressee.tenant,
                &self.agent.name,
                &self.traceparent,
                body(&self.inbound.body),
            );
            return Ok(true);
        };
        match &self.inbound.body {
            InboundBody::WidgetEscalation { .. }
            | InboundBody::WidgetMessage { .. }
            | InboundBody::WidgetEnd => self.take_from_widget(tx, &mut conversation, epoch).await?,
            _ => self.take_from_agent(tx, &mut conversation, epoch).await?,
        }
        tx.save_conversation(&conversation).await?;
        Ok(true)
    }
}

impl Take {
    /// What the agent says, current or from before a handover.
    async fn take_from_agent(
        &self,
        tx: &mut dyn Transaction,
        conversation: &mut Conversation,
        epoch: u64,
    ) -> Result<()> {
        let current = conversation.is_current(epoch);
        let speaks = matches!(
            self.inbound.body,
            InboundBody::Message(_) | InboundBody::Ticket { .. }
        );
        if current && speaks {
            self.keep_alive(tx, conversation);
        }
        let recorded = self.record(tx, conversation, epoch, !current);
        if let (true, InboundBody::Message(message)) = (current, &self.inbound.body) {
            reply_at_source(tx, conversation, message, &recorded, &self.desk).await?;
        }
        Ok(())
    }

    /// The platform's own widget: the agent hands over there, the visitor speaks to the human, and leaves.
    async fn take_from_widget(
        &self,
        tx: &mut dyn Transaction,
        conversation: &mut Conversation,
        epoch: u64,
    ) -> Result<()> {
        let superseded = !conversation.is_of_today(epoch);
        self.record(tx, conversation, epoch, superseded);
        if superseded {
            return Ok(());
        }
        conversation.kind = ConversationKind::Widget;
        let known = Known {
            evidence: Evidence::Pushed,
            ..Known::by_us(tx.now())
        };
        match (&self.inbound.body, conversation.owner) {
            (InboundBody::WidgetEscalation { .. }, Owner::Agent) => {
                let change = Change::because(OwnerChangeCause::WidgetEscalation, known);
                take_from_agent(tx, conversation, Owner::Human, change, &self.desk).await?;
                end_escalated(tx, conversation);
            }
            (InboundBody::WidgetEnd, owner) => {
                conversation.end_session();
                if matches!(owner, Owner::Human | Owner::Unknown) {
                    let change = Change::because(OwnerChangeCause::Ended, known);
                    take_from_agent(tx, conversation, Owner::None, change, &self.desk).await?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn record(
        &self,
        tx: &mut dyn Transaction,
        conversation: &mut Conversation,
        epoch: u64,
        superseded: bool,
    ) -> Recorded {
        let body = body(&self.inbound.body);
        record_under(tx, conversation, &self.traceparent, epoch, superseded, body)
    }

    async fn is_first(&self, tx: &mut dyn Transaction) -> Result<bool> {
        let Some(event_id) = &self.inbound.platform_event_id else {
            return Ok(true);
        };
        let upstream_id = self.inbound.upstream_id.as_deref().unwrap_or_default();
        tx.first_seen(
            &self.agent.name,
            &Fingerprint::of("webhook").text(upstream_id).text(event_id),
        )
        .await
    }

    /// The agent spoke: its session lives. Where none was begun, it begins one; after the end it opens none.
    fn keep_alive(&self, tx: &mut dyn Transaction, conversation: &mut Conversation) {
        let (now, timeout) = (tx.now(), self.agent.session_timeout);
        if conversation.session.number == 0 {
            conversation.begin_session(now, timeout);
        } else {
            conversation.extend_session(now, timeout);
        }
    }
}

/// What the platform said, as an event.
fn body(inbound: &InboundBody) -> EventBody {
    let unwaited = |question| EventBody::Requested {
        request: None,
        answered_online: None,
        question,
    };
    match inbound.clone() {
        InboundBody::Message(message) => EventBody::AgentMessage(message),
        InboundBody::WidgetEscalation { target, raw } => {
            unwaited(Question::Escalation { target, raw })
        }
        InboundBody::WidgetMessage { text, raw } => EventBody::VisitorMessage(VisitorMessage {
            raw,
            message_id: Id::generate().to_string(),
            content: VisitorContent::Text(text),
            parameters: Vec::new(),
            held: true,
        }),
        InboundBody::WidgetEnd => EventBody::ConversationEnded {
            cause: EndCause::Visitor,
            command_id: String::new(),
        },
        InboundBody::Ticket {
            text,
            intents,
            attachments,
            raw,
        } => EventBody::TicketReplied {
            text,
            intents,
            attachments,
            raw,
        },
        InboundBody::Alert { name, raw } => EventBody::PlatformAlert { name, raw },
        InboundBody::Unknown { event_type, raw } => {
            EventBody::UnknownPlatformEvent { event_type, raw }
        }
        // It waits for an answer and is asked, not taken.
        InboundBody::Question(question) => unwaited(question),
    }
}
