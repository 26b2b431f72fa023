//! Closing a question of the agent, whatever closes it, and what follows from it.

use crate::{
    domain::{
        Answer, AnsweredRequest, Conversation, EventBody, Fingerprint, LaneKey, Request,
        RequestDelivery, RequestKind, RequestOutcome, Result,
        ports::{Effect, Transaction},
    },
    waiters::Awaited,
};

use super::{
    desk::Desk,
    ownership::accept_escalation,
    record::{record, record_apart},
};

/// How a request is closed.
#[derive(Debug)]
pub struct Closing<'a> {
    pub outcome: RequestOutcome,
    pub answered_by: String,
    /// What is sent. Absent: the fallback, which the holder of the webhook knows.
    pub answer: Option<Answer>,
    /// What the caller gave, where that is not what is sent.
    pub given: Option<Answer>,
    pub desk: &'a Desk,
    /// The fallback was sent before this could be committed.
    pub gave_up: bool,
    /// The source has handed over already: it need not be told.
    pub done_at_source: bool,
}

impl<'a> Closing<'a> {
    /// Nobody answered, and nobody will: an agent that wanted to hand over is told no, whatever its fallback, because
    /// there is nobody to hand over to.
    pub fn unanswered(outcome: RequestOutcome, kind: RequestKind, desk: &'a Desk) -> Self {
        let refused = Answer::Escalation { accepted: false };
        Self {
            outcome,
            answered_by: String::new(),
            answer: (kind == RequestKind::Escalation).then_some(refused),
            given: None,
            desk,
            gave_up: false,
            done_at_source: false,
        }
    }

    /// Closed with what is sent.
    pub fn with(outcome: RequestOutcome, answer: Answer, desk: &'a Desk) -> Self {
        Self {
            outcome,
            answered_by: String::new(),
            answer: Some(answer),
            given: None,
            desk,
            gave_up: false,
            done_at_source: false,
        }
    }
}

/// Closes an open request: `RequestClosed`, and for an accepted escalation the change of the owner. The caller saves the
/// conversation in the same transaction.
pub async fn close(
    tx: &mut dyn Transaction,
    mut conversation: Option<&mut Conversation>,
    mut request: Request,
    closing: Closing<'_>,
) -> Result<()> {
    let delivery = if closing.gave_up {
        RequestDelivery::Unconfirmed
    } else if closing
        .desk
        .waiters
        .is_awaited(&Awaited::Request(request.id.clone()))
    {
        RequestDelivery::Written
    } else {
        RequestDelivery::NotDelivered
    };
    let accepted = matches!(closing.answer, Some(Answer::Escalation { accepted: true }));
    let answer_fingerprint = closing
        .given
        .as_ref()
        .or(closing.answer.as_ref())
        .map(|answer| tx.digest(&fingerprint(answer)));
    let body = EventBody::RequestClosed {
        request_id: request.id.clone(),
        outcome: closing.outcome,
        answered_by: closing.answered_by.clone(),
        delivery,
        answer: closing.answer,
    };
    let recorded = match conversation.as_deref_mut() {
        Some(conversation) => record(tx, conversation, "", body),
        None => record_apart(tx, &request.tenant, &request.agent, "", body),
    };
    request.closed = Some(AnsweredRequest {
        outcome: closing.outcome,
        answered_by: closing.answered_by,
        answer_fingerprint: answer_fingerprint.unwrap_or_default(),
        closed_at: tx.now(),
        event_id: recorded.event_id.to_string(),
    });
    tx.save_request(&request).await?;
    if let Some(conversation) = conversation
        && request.kind == RequestKind::Escalation
    {
        if accepted {
            accept_escalation(
                tx,
                conversation,
                request.id.as_str(),
                closing.done_at_source,
                closing.desk,
            )
            .await?;
        }
        // An open escalation pauses the lane.
        tx.after_commit(Effect::RingLane(LaneKey::to_agent(&conversation.key)));
    }
    Ok(())
}

/// Closes all that the agent still waits for: nobody will answer it any more.
pub async fn close_all(
    tx: &mut dyn Transaction,
    conversation: &mut Conversation,
    outcome: RequestOutcome,
    desk: &Desk,
) -> Result<()> {
    for request in tx.open_requests(&conversation.key).await? {
        let closing = Closing::unanswered(outcome, request.kind, desk);
        close(tx, Some(&mut *conversation), request, closing).await?;
    }
    Ok(())
}

/// What two answers are compared by.
pub fn fingerprint(answer: &Answer) -> Fingerprint {
    match answer {
        Answer::Results(results) => Fingerprint::of("results").parameters(results),
        Answer::Escalation { accepted } => Fingerprint::of("escalation").flag(*accepted),
        Answer::Availability { online } => Fingerprint::of("availability").flag(*online),
        Answer::Failure { reason } => Fingerprint::of("failure").text(reason),
        Answer::Deferred => Fingerprint::of("deferred"),
    }
}
