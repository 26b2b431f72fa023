//! What a source tells, one function a kind.

use crate::domain::{
    Conversation, ConversationKind, DeliveryKind, DeliveryState, EndCause, EventBody, Evidence, Id,
    Known, Owner, OwnerChangeCause, Reason, RequestOutcome, Result, SessionState, SourceEntry,
    Subject, VisitorContent, VisitorMessage,
    message::MAX_TEXT_CHARS,
    phrase,
    ports::Transaction,
    rendering,
    source::{SourceBody, SourceEvent, Taken, Words},
};

use super::{
    close::close_all,
    open::reopen,
    outcome::{Parcel, enqueue},
    ownership::{Change, take_from_agent},
    record::{record, record_apart},
    visit::{Visit, Visitor},
};
use crate::delivery::record_change;

/// What concerns no visitor.
pub async fn apart(visit: &Visit, tx: &mut dyn Transaction, body: &SourceBody) -> Result<()> {
    let body = match body.clone() {
        SourceBody::Alert { name, raw } => EventBody::PlatformAlert { name, raw },
        SourceBody::Unknown { event_type, raw } => {
            EventBody::UnknownPlatformEvent { event_type, raw }
        }
        SourceBody::Report {
            remote_id,
            state,
            reason,
            detail,
        } => return report(tx, &remote_id, state, reason, &detail).await,
        // All others are about somebody.
        _ => return Ok(()),
    };
    record_apart(
        tx,
        &visit.tenant,
        &visit.agent.name,
        &visit.traceparent,
        body,
    );
    Ok(())
}

/// What concerns `visitor`, once its word about the owner has been weighed.
pub async fn take(
    visit: &Visit,
    tx: &mut dyn Transaction,
    visitor: &mut Visitor,
    event: &SourceEvent,
    taken: Taken,
) -> Result<()> {
    let now = tx.now();
    let conversation = &mut visitor.conversation;
    let traceparent = &visit.traceparent;
    match event.body.clone() {
        SourceBody::Message { .. } => return message(visit, tx, visitor, event).await,
        SourceBody::Opened { parameters } if taken == Taken::First => {
            let command_id = Id::generate();
            let started = EventBody::ConversationStarted {
                resumed: false,
                visitor: conversation.visitor.clone(),
                parameters,
                command_id: command_id.to_string(),
            };
            let sequence = record(tx, conversation, traceparent, started).sequence;
            let parcel = Parcel {
                kind: DeliveryKind::Start,
                subject: Subject::Command(command_id.to_string()),
                sequence,
                ready: visit.ready,
                awaits_owner: false,
            };
            enqueue(tx, conversation, &visit.agent, parcel, &visit.desk).await?;
        }
        SourceBody::Human(said) => {
            record(tx, conversation, traceparent, EventBody::HumanMessage(said));
        }
        SourceBody::Doubt => conversation.doubt_owner(now),
        SourceBody::Ended => end(visit, tx, conversation).await?,
        SourceBody::Report {
            remote_id,
            state,
            reason,
            detail,
        } => {
            report_in(tx, conversation, &remote_id, (state, reason, &detail)).await?;
        }
        SourceBody::Alert { name, raw } => {
            record(
                tx,
                conversation,
                traceparent,
                EventBody::PlatformAlert { name, raw },
            );
        }
        SourceBody::Unknown { event_type, raw } => {
            let unknown = EventBody::UnknownPlatformEvent { event_type, raw };
            record(tx, conversation, traceparent, unknown);
        }
        // Somebody who is known opened again, and words about the owner: both are said by now.
        SourceBody::Opened { .. } | SourceBody::Owner => {}
    }
    Ok(())
}

async fn message(
    visit: &Visit,
    tx: &mut dyn Transaction,
    visitor: &mut Visitor,
    event: &SourceEvent,
) -> Result<()> {
    let SourceBody::Message {
        words,
        visitor: who,
        parameters,
        raw,
    } = &event.body
    else {
        return Ok(());
    };
    let content = content(tx, visitor, words).await?;
    let conversation = &mut visitor.conversation;
    if who.is_some() {
        conversation.visitor.clone_from(who);
    }
    reopen(
        tx,
        conversation,
        (&visit.account, &visit.agent),
        &visit.traceparent,
        &visit.desk,
    )
    .await?;
    let source = visit.desk.source_of(conversation).cloned();
    let asks_for_human = source
        .as_ref()
        .is_some_and(|source| asks_for_human(conversation, source, &content));
    let awaits_owner = source
        .as_ref()
        .is_some_and(|source| awaits_owner(tx, conversation, source));
    let owned_by_agent = conversation.owner == Owner::Agent;
    let said = VisitorMessage {
        message_id: Id::generate().to_string(),
        content,
        parameters: parameters.clone(),
        held: asks_for_human || !owned_by_agent && !awaits_owner,
        raw: raw.clone(),
    };
    let subject = Subject::Message(said.message_id.clone());
    let said = EventBody::VisitorMessage(said);
    let sequence = record(tx, conversation, &visit.traceparent, said).sequence;
    if asks_for_human {
        let change = Change::because(OwnerChangeCause::HandoverPhrase, Known::by_us(tx.now()));
        take_from_agent(tx, conversation, Owner::Human, change, &visit.desk).await?;
    }
    let parcel = Parcel {
        kind: DeliveryKind::Message,
        subject,
        sequence,
        ready: visit.ready,
        awaits_owner,
    };
    enqueue(tx, conversation, &visit.agent, parcel, &visit.desk).await?;
    Ok(())
}

/// Words as the agent shall get them: a number or a label that was offered becomes the choice that it stands for.
async fn content(
    tx: &mut dyn Transaction,
    visitor: &Visitor,
    words: &Words,
) -> Result<VisitorContent> {
    let (text, chosen) = match words {
        Words::Text(text) => {
            let sequence = visitor.contact.numbered;
            (text, (sequence > 0).then_some((sequence, None)))
        }
        Words::Chosen { payload, label } => {
            let payload = rendering::parse_payload(payload);
            (
                label,
                payload.map(|(sequence, number)| (sequence, Some(number))),
            )
        }
    };
    let text: String = text.chars().take(MAX_TEXT_CHARS).collect();
    let Some((sequence, number)) = chosen else {
        return Ok(VisitorContent::Text(text));
    };
    let event = tx.event(&visitor.conversation.key, sequence).await?;
    let Some((EventBody::AgentMessage(offered), event_id)) =
        event.map(|event| (event.fact.body, event.fact.event_id))
    else {
        return Ok(VisitorContent::Text(text));
    };
    let labels: Vec<_> = rendering::options_of(&offered)
        .into_iter()
        .map(|option| option.label)
        .collect();
    let number = number.or_else(|| rendering::understood(&text, &labels));
    let choice =
        number.and_then(|number| rendering::choice_of(&offered, event_id.as_str(), number));
    Ok(choice.map_or(VisitorContent::Text(text), VisitorContent::Choice))
}

/// One of the configured phrases, said to the agent.
fn asks_for_human(
    conversation: &Conversation,
    source: &SourceEntry,
    content: &VisitorContent,
) -> bool {
    let language = conversation
        .visitor
        .as_ref()
        .map_or("", |visitor| visitor.language.as_str());
    let phrases = &source.settings.handover_phrases;
    conversation.owner == Owner::Agent
        && conversation.kind == ConversationKind::Chat
        && phrase::matches(content.text(), phrases, language)
}

/// Somebody else owns it by what we know, and what we know is old where it can be read.
fn awaits_owner(
    tx: &mut dyn Transaction,
    conversation: &Conversation,
    source: &SourceEntry,
) -> bool {
    let max_age = source.settings.human_max_age;
    source.capabilities.reads_owner
        && matches!(conversation.owner, Owner::Human | Owner::Unknown)
        && conversation.owner_is_stale(tx.now(), max_age)
}

/// The visitor, or a human, ended it over there.
async fn end(
    visit: &Visit,
    tx: &mut dyn Transaction,
    conversation: &mut Conversation,
) -> Result<()> {
    let ended = RequestOutcome::ConversationEnded;
    close_all(tx, conversation, ended, &visit.desk).await?;
    // First, so that the end goes out under the epoch that it begins.
    if matches!(conversation.owner, Owner::Human | Owner::Unknown) {
        let known = Known {
            evidence: Evidence::Pushed,
            ..Known::by_us(tx.now())
        };
        let change = Change::because(OwnerChangeCause::Ended, known);
        take_from_agent(tx, conversation, Owner::None, change, &visit.desk).await?;
    }
    let live = conversation.session.state == SessionState::Active;
    let command_id = Id::generate().to_string();
    let ended = EventBody::ConversationEnded {
        cause: EndCause::Visitor,
        command_id: command_id.clone(),
    };
    let sequence = record(tx, conversation, &visit.traceparent, ended).sequence;
    if live {
        let parcel = Parcel {
            kind: DeliveryKind::End,
            subject: Subject::Command(command_id),
            sequence,
            ready: visit.ready,
            awaits_owner: false,
        };
        let delivery = enqueue(tx, conversation, &visit.agent, parcel, &visit.desk).await?;
        conversation.end_session();
        conversation.ended_order = delivery.order;
    }
    Ok(())
}

/// What became of something, told without saying whose it is.
async fn report(
    tx: &mut dyn Transaction,
    remote_id: &str,
    state: DeliveryState,
    reason: Option<Reason>,
    detail: &str,
) -> Result<()> {
    let Some(delivery) = tx.remote_delivery(remote_id).await? else {
        return Ok(());
    };
    let Some(mut conversation) = tx.conversation(&delivery.key).await? else {
        return Ok(());
    };
    report_in(tx, &mut conversation, remote_id, (state, reason, detail)).await?;
    tx.save_conversation(&conversation).await
}

/// A delivery that was taken and then failed. That it arrived is known from its acknowledgement: a word about one part
/// says nothing of the others, and the part whose arrival is unclear has no id.
async fn report_in(
    tx: &mut dyn Transaction,
    conversation: &mut Conversation,
    remote_id: &str,
    (state, reason, detail): (DeliveryState, Option<Reason>, &str),
) -> Result<()> {
    let delivery = tx.remote_delivery(remote_id).await?;
    let Some(mut delivery) = delivery.filter(|delivery| delivery.key == conversation.key) else {
        return Ok(());
    };
    let was_taken = matches!(
        delivery.state,
        DeliveryState::Delivered | DeliveryState::Unknown
    );
    if state != DeliveryState::Failed || !was_taken {
        return Ok(());
    }
    delivery.state = state;
    delivery.reason = reason;
    detail.clone_into(&mut delivery.detail);
    tx.save_delivery(&delivery).await?;
    record_change(tx, conversation, &delivery);
    Ok(())
}
