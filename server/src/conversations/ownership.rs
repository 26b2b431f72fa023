//! Changes of the owner: each is one event, and what follows from it at the source and for what waits.

use futures_util::future::BoxFuture;

use crate::domain::{
    Account, AgentSettings, Answer, Conversation, DeliveryKind, Direction, EndCause, EventBody,
    Known, LaneKey, Owner, OwnerChangeCause, RequestKind, RequestOutcome, Result, SessionState,
    ports::{Effect, Transaction},
};

use super::{
    close::{Closing, close},
    desk::Desk,
    open::claim,
    record::{Recorded, record},
    to_source::enqueue_at_source,
};

/// Why the owner changes, and what is told with it.
#[derive(Debug)]
pub struct Change<'a> {
    pub cause: OwnerChangeCause,
    pub known: Known,
    pub note: &'a str,
    pub request_id: &'a str,
    pub command_id: &'a str,
    pub traceparent: &'a str,
}

impl Change<'_> {
    pub fn because(cause: OwnerChangeCause, known: Known) -> Self {
        Self {
            cause,
            known,
            note: "",
            request_id: "",
            command_id: "",
            traceparent: "",
        }
    }

    /// The source knows already: nothing has to be told to it.
    fn comes_from_source(&self) -> bool {
        matches!(
            self.cause,
            OwnerChangeCause::Observed
                | OwnerChangeCause::RefusedBySource
                | OwnerChangeCause::UnknownTooLong
                | OwnerChangeCause::HandoverFailed
        )
    }
}

/// Gives the conversation to a human, to nobody, or to someone unknown: the agent is silent from this commit on. Where a
/// human shall take over, the source is told in the same commit.
pub async fn take_from_agent(
    tx: &mut dyn Transaction,
    conversation: &mut Conversation,
    to: Owner,
    change: Change<'_>,
    desk: &Desk,
) -> Result<Recorded> {
    let recorded = note(tx, conversation, to, &change);
    if to == Owner::Human && !change.comes_from_source() {
        tell_source(tx, conversation, DeliveryKind::Escalate, &recorded, desk).await?;
    }
    close_escalations(tx, conversation, desk).await?;
    ring(tx, conversation);
    Ok(recorded)
}

/// Gives the conversation (back) to the agent: under a new id at the platform, so that late words of the session before
/// can be told apart, and with that session closed.
pub async fn give_to_agent(
    tx: &mut dyn Transaction,
    conversation: &mut Conversation,
    (account, agent): (&Account, &AgentSettings),
    change: Change<'_>,
    desk: &Desk,
) -> Result<Recorded> {
    if conversation.session.state == SessionState::Active {
        conversation.end_session();
        let ended = EventBody::ConversationEnded {
            cause: EndCause::Escalated,
            command_id: change.command_id.to_owned(),
        };
        record(tx, conversation, "", ended);
    }
    let reopened = conversation.owner == Owner::None;
    let recorded = note(tx, conversation, Owner::Agent, &change);
    if agent.fence_by_id {
        let own = format!("{}{}", account.upstream_prefix, conversation.key.id);
        conversation.upstream_id = format!("{own}.e{}", conversation.owner_epoch);
    }
    conversation.upstream_epoch = conversation.owner_epoch;
    claim(tx, conversation).await?;
    if !change.comes_from_source() && !reopened {
        tell_source(tx, conversation, DeliveryKind::Resume, &recorded, desk).await?;
    }
    close_escalations(tx, conversation, desk).await?;
    ring(tx, conversation);
    Ok(recorded)
}

/// An accepted escalation: the human owns the conversation from this commit on, and the agent's session is over.
pub async fn accept_escalation(
    tx: &mut dyn Transaction,
    conversation: &mut Conversation,
    request_id: &str,
    done_at_source: bool,
    desk: &Desk,
) -> Result<()> {
    if conversation.owner != Owner::Agent {
        return Ok(());
    }
    let change = Change {
        request_id,
        ..Change::because(OwnerChangeCause::EscalationAccepted, Known::by_us(tx.now()))
    };
    let recorded = note(tx, conversation, Owner::Human, &change);
    if !done_at_source {
        tell_source(tx, conversation, DeliveryKind::Escalate, &recorded, desk).await?;
    }
    end_escalated(tx, conversation);
    close_escalations(tx, conversation, desk).await?;
    ring(tx, conversation);
    Ok(())
}

/// The agent's session is over: the visitor is with a human now.
pub fn end_escalated(tx: &mut dyn Transaction, conversation: &mut Conversation) {
    if conversation.session.state == SessionState::Active {
        conversation.end_session();
        let ended = EventBody::ConversationEnded {
            cause: EndCause::Escalated,
            command_id: String::new(),
        };
        record(tx, conversation, "", ended);
    }
}

/// An agent that waits to hand its visitor over is told what a change of the owner has decided: none waits across one, or
/// its answer would count under another epoch. Boxed, because closing an escalation may change the owner.
fn close_escalations<'a>(
    tx: &'a mut dyn Transaction,
    conversation: &'a mut Conversation,
    desk: &'a Desk,
) -> BoxFuture<'a, Result<()>> {
    Box::pin(async move {
        let accepted = conversation.owner == Owner::Human;
        let open = tx.open_requests(&conversation.key).await?;
        for request in open
            .into_iter()
            .filter(|request| request.kind == RequestKind::Escalation)
        {
            let answer = Answer::Escalation { accepted };
            let closing = Closing::with(RequestOutcome::Answered, answer, desk);
            close(tx, Some(&mut *conversation), request, closing).await?;
        }
        Ok(())
    })
}

/// The change itself.
fn note(
    tx: &mut dyn Transaction,
    conversation: &mut Conversation,
    to: Owner,
    change: &Change<'_>,
) -> Recorded {
    let from = conversation.owner;
    conversation.change_owner(to, change.known, tx.now());
    let changed = EventBody::OwnerChanged {
        from,
        to,
        owner_epoch: conversation.owner_epoch,
        cause: change.cause,
        note: change.note.to_owned(),
        request_id: change.request_id.to_owned(),
        command_id: change.command_id.to_owned(),
        known: change.known,
    };
    record(tx, conversation, change.traceparent, changed)
}

/// Puts the handover or its return into the lane to the source, where it means something there.
async fn tell_source(
    tx: &mut dyn Transaction,
    conversation: &Conversation,
    kind: DeliveryKind,
    recorded: &Recorded,
    desk: &Desk,
) -> Result<()> {
    let hands_over = desk
        .source_of(conversation)
        .is_some_and(|source| source.capabilities.hands_over);
    if !hands_over {
        return Ok(());
    }
    // One that is on its way serves this change too: nobody is handed over, or told so, twice.
    let waiting = tx.waiting_handovers(&conversation.key).await?;
    if let Some(mut same) = waiting
        .into_iter()
        .next_back()
        .filter(|row| row.kind == kind)
    {
        same.owner_epoch = conversation.owner_epoch;
        return tx.save_delivery(&same).await;
    }
    enqueue_at_source(tx, conversation, kind, recorded)
        .await
        .map(drop)
}

/// What was queued under the old epoch ends now, and what waited for the owner goes on.
fn ring(tx: &mut dyn Transaction, conversation: &Conversation) {
    for direction in [Direction::Agent, Direction::Source] {
        tx.after_commit(Effect::RingLane(LaneKey {
            conversation: conversation.key.clone(),
            direction,
        }));
    }
}
