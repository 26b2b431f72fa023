//! What a source tells, one function a kind.

use crate::domain::{
    Conversation, ConversationKind, DeliveryKind, EndCause, EventBody, Evidence, Id, Known, Owner,
    OwnerChangeCause, RequestOutcome, Result, SourceEntry, Subject, VisitorContent, VisitorMessage,
    message::MAX_TEXT_CHARS,
    phrase,
    ports::Transaction,
    rendering,
    source::{SourceBody, SourceEvent, Taken, Words},
};

use super::{
    close::close_all,
    end::has_session,
    open::reopen,
    outcome::{Parcel, enqueue},
    ownership::{Change, take_from_agent},
    record::{record, record_apart},
    report::Report,
    visit::{Visit, Visitor},
};

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
        } => {
            let told = Report {
                source: &visit.source,
                remote_id: &remote_id,
                state,
                reason,
                detail: &detail,
            };
            return told.apart(tx).await;
        }
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
        SourceBody::Opened { mut parameters } if taken == Taken::First => {
            visit.agent.mark_personal(&mut parameters);
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
                is_taken_anyway: true,
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
            let told = Report {
                source: &visit.source,
                remote_id: &remote_id,
                state,
                reason,
                detail: &detail,
            };
            told.within(tx, conversation).await?;
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
    let source = visit.desk.source_of(conversation);
    let asks_for_human = source
        .as_ref()
        .is_some_and(|source| asks_for_human(conversation, source, &content));
    let awaits_owner = source
        .as_ref()
        .is_some_and(|source| awaits_owner(tx, conversation, source));
    let owned_by_agent = conversation.owner == Owner::Agent;
    let mut parameters = parameters.clone();
    visit.agent.mark_personal(&mut parameters);
    let said = VisitorMessage {
        message_id: Id::generate().to_string(),
        content,
        parameters,
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
        is_taken_anyway: true,
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
        && (source.capabilities.hands_over || conversation.known.evidence != Evidence::OwnAction)
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
    let live = has_session(tx, conversation, &visit.agent).await?;
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
            is_taken_anyway: true,
        };
        let delivery = enqueue(tx, conversation, &visit.agent, parcel, &visit.desk).await?;
        conversation.end_session();
        conversation.ended_order = delivery.order;
    }
    Ok(())
}
