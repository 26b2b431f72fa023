//! What follows from how a request to a source ended.

use std::time::Duration;

use crate::{
    conversations::{
        Change, Closing, Desk, Recorded, Weight, close, give_to_agent, observe, record,
        take_from_agent,
    },
    domain::{
        Answer, Conversation, Delivery, DeliveryKind, DeliveryState, Departure, EventBody,
        Evidence, Id, Known, Owner, OwnerChangeCause, Reason, Refusal, RequestOutcome, Result,
        Sent, ToSource,
        ports::{Effect, Transaction},
        source::Observed,
    },
};

use super::{
    backoff::Backoff,
    settle::{Finished, record_change},
};

/// Commits how a request to a source ended; a row that is no longer ATTEMPTING was settled by someone else.
pub async fn settle_source(
    tx: &mut dyn Transaction,
    conversation: &mut Conversation,
    finished: &Finished,
    (desk, backoff): (&Desk, Backoff),
) -> Result<()> {
    let found = tx.delivery(&finished.attempt.delivery.id).await?;
    let Some(mut delivery) = found.filter(|row| row.is_at(&finished.attempt.delivery)) else {
        // Erased while it was under way: what the source took of it meanwhile goes too.
        if let Departure::Source {
            source, address, ..
        } = &finished.attempt.departure
        {
            tx.after_commit(Effect::Forget {
                source: source.clone(),
                address: address.clone(),
            });
        }
        return Ok(());
    };
    delivery.state = DeliveryState::Queued;
    match &finished.sent {
        Sent::Acknowledged => acknowledged(tx, conversation, delivery, finished, "", desk).await,
        Sent::AcknowledgedAs { remote_id } => {
            acknowledged(tx, conversation, delivery, finished, remote_id, desk).await
        }
        Sent::Refused { refusal, detail } => {
            let outcome = (
                DeliveryState::Failed,
                Some(reason(*refusal)),
                detail.as_str(),
            );
            if *refusal == Refusal::NotOwner {
                somebody_else_answers(tx, conversation, &delivery, desk).await?;
            }
            finish(tx, conversation, delivery, outcome, desk).await
        }
        Sent::Unclear if shows(finished) => unclear(tx, conversation, delivery, desk).await,
        // A handover and its return may be repeated: twice is as good as once.
        Sent::NotSent => again(tx, conversation, delivery, None, backoff).await,
        Sent::Unclear => {
            delivery.unclear |= may_have_handed_over(&delivery);
            again(tx, conversation, delivery, None, backoff).await
        }
        Sent::Busy { retry_after: asked } | Sent::NotNow { after: asked } => {
            again(tx, conversation, delivery, *asked, backoff).await
        }
    }
}

/// The part that was under way ended unclearly: it is looked for, at once, while it is easily found.
pub fn read_back(delivery: &mut Delivery) {
    delivery.read_back_since = Some(delivery.attempted_at);
}

/// The part that was under way is dealt with; the other side knows it by what `known_as` makes of its id.
pub fn part_done(delivery: &mut Delivery, known_as: &str) {
    delivery.part += 1;
    delivery.state = DeliveryState::Queued;
    if !known_as.is_empty() {
        known_as.clone_into(&mut delivery.remote_id);
    }
}

/// A row has come to its end, and what hangs on it with it.
pub async fn finish(
    tx: &mut dyn Transaction,
    conversation: &mut Conversation,
    mut delivery: Delivery,
    (state, reason, detail): (DeliveryState, Option<Reason>, &str),
    desk: &Desk,
) -> Result<()> {
    delivery.state = state;
    delivery.reason = reason;
    detail.clone_into(&mut delivery.detail);
    tx.save_delivery(&delivery).await?;
    record_change(tx, conversation, &delivery);
    let in_doubt = state == DeliveryState::Unknown && may_have_handed_over(&delivery);
    if in_doubt {
        conversation.doubt_owner(tx.now());
    }
    if state != DeliveryState::Failed && !in_doubt {
        return Ok(());
    }
    if reason == Some(Reason::SourceCredentialsRejected) {
        alert(tx, conversation, "source_credentials_rejected", detail);
    }
    if may_have_handed_over(&delivery) {
        not_handed_over(tx, conversation, &delivery, desk).await?;
    }
    if delivery.kind == DeliveryKind::Resume {
        alert(tx, conversation, "handback_failed", detail);
    }
    Ok(())
}

/// A handover whose first part is not through: as far as anybody knows, the visitor has not been handed over; if its
/// request left, the source may have done so all the same.
pub fn may_have_handed_over(delivery: &Delivery) -> bool {
    delivery.kind == DeliveryKind::Escalate && delivery.part == 0
}

fn shows(finished: &Finished) -> bool {
    matches!(
        finished.attempt.departure,
        Departure::Source {
            what: ToSource::Show(_),
            ..
        }
    )
}

async fn acknowledged(
    tx: &mut dyn Transaction,
    conversation: &mut Conversation,
    mut delivery: Delivery,
    finished: &Finished,
    remote_id: &str,
    desk: &Desk,
) -> Result<()> {
    part_done(&mut delivery, &tx.known_as(remote_id));
    if !shows(finished) {
        // From now on the source knows of our change, and what it says counts again.
        let ours = conversation.known.evidence == Evidence::OwnAction;
        if ours && delivery.owner_epoch == conversation.owner_epoch {
            conversation.known.observed_at = tx.now();
        }
    }
    if delivery.kind == DeliveryKind::Escalate && !shows(finished) {
        handed_over(tx, conversation, &delivery, desk).await?;
        delivery.unclear = false;
        // What remains to be said belongs to the time that the handover began. Where somebody else owns it by now, it
        // is not said.
        if conversation.owner == Owner::Human {
            delivery.owner_epoch = conversation.owner_epoch;
        }
    }
    tx.save_delivery(&delivery).await
}

/// The source has given the visitor to a human: the escalation that asked for it is accepted.
async fn handed_over(
    tx: &mut dyn Transaction,
    conversation: &mut Conversation,
    delivery: &Delivery,
    desk: &Desk,
) -> Result<()> {
    if let Some(request) = open_request(tx, delivery).await? {
        let answer = Answer::Escalation { accepted: true };
        let closing = Closing {
            answered_by: answered_by(conversation),
            done_at_source: true,
            ..Closing::with(RequestOutcome::Answered, answer, desk)
        };
        close(tx, Some(conversation), request, closing).await?;
    }
    let taken_back = tx
        .waiting_handovers(&conversation.key)
        .await?
        .iter()
        .any(|row| row.kind == DeliveryKind::Resume && row.order > delivery.order);
    if conversation.owner == Owner::Agent && !taken_back {
        // It was answered otherwise while the handover was under way; the source has done it all the same.
        let change = Change::because(OwnerChangeCause::Observed, Known::by_us(tx.now()));
        take_from_agent(tx, conversation, Owner::Human, change, desk).await?;
    }
    Ok(())
}

/// The source has not: an agent that waits goes on by its own fallback; a human who was promised the visitor is told.
async fn not_handed_over(
    tx: &mut dyn Transaction,
    conversation: &mut Conversation,
    delivery: &Delivery,
    desk: &Desk,
) -> Result<()> {
    let Some(request) = open_request(tx, delivery).await? else {
        alert(tx, conversation, "handover_failed", &delivery.detail);
        return give_back_who_asked(tx, conversation, delivery, desk).await;
    };
    let answer = Answer::Escalation { accepted: false };
    let closing = Closing {
        answered_by: answered_by(conversation),
        ..Closing::with(RequestOutcome::Answered, answer, desk)
    };
    close(tx, Some(conversation), request, closing).await
}

/// A visitor who asked for a human by a phrase has nobody now: no caller has taken over, and the agent was not asked. The
/// agent goes on.
async fn give_back_who_asked(
    tx: &mut dyn Transaction,
    conversation: &mut Conversation,
    delivery: &Delivery,
    desk: &Desk,
) -> Result<()> {
    let event = tx.event(&delivery.key, delivery.sequence).await?;
    let asked = matches!(
        event.map(|event| event.fact.body),
        Some(EventBody::OwnerChanged { cause: OwnerChangeCause::HandoverPhrase, owner_epoch, .. })
            if owner_epoch == conversation.owner_epoch
    );
    let directory = desk.directory();
    let account = directory.account(&conversation.key.tenant, &conversation.key.account);
    let (true, Ok((account, agent))) = (asked, account) else {
        return Ok(());
    };
    let change = Change::because(OwnerChangeCause::HandoverFailed, Known::by_us(tx.now()));
    let whose = (account.as_ref(), agent.as_ref());
    give_to_agent(tx, conversation, whose, change, desk)
        .await
        .map(drop)
}

/// The escalation that this handover is for, if it still waits.
async fn open_request(
    tx: &mut dyn Transaction,
    delivery: &Delivery,
) -> Result<Option<crate::domain::Request>> {
    let event = tx.event(&delivery.key, delivery.sequence).await?;
    let Some(EventBody::Requested {
        request: Some(open),
        ..
    }) = event.map(|event| event.fact.body)
    else {
        return Ok(None);
    };
    let request = tx.request(&open.request_id).await?;
    Ok(request.filter(|request| request.closed.is_none()))
}

fn answered_by(conversation: &Conversation) -> String {
    let source = conversation.source.as_ref().map_or("", Id::as_str);
    format!("source:{source}")
}

async fn unclear(
    tx: &mut dyn Transaction,
    conversation: &mut Conversation,
    mut delivery: Delivery,
    desk: &Desk,
) -> Result<()> {
    let reads_back = desk
        .source_of(conversation)
        .is_some_and(|source| source.capabilities.reads_back);
    if reads_back {
        read_back(&mut delivery);
    } else {
        delivery.unclear = true;
        part_done(&mut delivery, "");
    }
    tx.save_delivery(&delivery).await
}

async fn again(
    tx: &mut dyn Transaction,
    conversation: &mut Conversation,
    mut delivery: Delivery,
    asked: Option<Duration>,
    backoff: Backoff,
) -> Result<()> {
    delivery.reason = Some(Reason::SourceUnavailable);
    // Whatever it asks for, the waits grow: where nobody listens for long, nobody is asked every second.
    let pause = backoff.after(delivery.attempt, asked);
    delivery.not_before = tx.now() + pause.max(backoff.after(delivery.attempt, None));
    tx.save_delivery(&delivery).await?;
    // Once: a source may be asked every second for as long as nobody listens there.
    if delivery.attempt == 1 {
        record_change(tx, conversation, &delivery);
    }
    Ok(())
}

async fn somebody_else_answers(
    tx: &mut dyn Transaction,
    conversation: &mut Conversation,
    delivery: &Delivery,
    desk: &Desk,
) -> Result<()> {
    // It was refused as of an owner who has changed since: that may be over.
    if delivery.owner_epoch != conversation.owner_epoch {
        conversation.doubt_owner(tx.now());
        return Ok(());
    }
    let observed = Observed {
        evidence: Evidence::SendError,
        ..Observed::read(Owner::Human)
    };
    observe(tx, conversation, &observed, (Weight::Certain, None), desk).await
}

fn alert(
    tx: &mut dyn Transaction,
    conversation: &mut Conversation,
    name: &str,
    detail: &str,
) -> Recorded {
    let alert = EventBody::PlatformAlert {
        name: name.to_owned(),
        raw: serde_json::json!({ "detail": detail }).to_string(),
    };
    record(tx, conversation, "", alert)
}

fn reason(refusal: Refusal) -> Reason {
    match refusal {
        Refusal::Request | Refusal::AgentUnknown => Reason::SourceRejected,
        Refusal::Credentials => Reason::SourceCredentialsRejected,
        Refusal::NotOwner => Reason::SourceNotOwner,
        Refusal::WindowClosed => Reason::WindowClosed,
        Refusal::Unreachable => Reason::VisitorUnreachable,
    }
}
