//! What an event says, in words.

mod parameters;
mod requests;

use parloir_proto::v1::{
    AgentMessage, Button, ButtonKind, Choice, ConversationStarted, DeliveryChanged, DeliveryState,
    Event, HumanMessage, HumanMessageKind, OwnerChangeCause, OwnerChanged, ParametersUpdated,
    PlatformAlert, TicketReplied, UnknownPlatformEvent, VisitorMessage, delivery_changed::Subject,
    event::Body, visitor_message::Content,
};

use super::{
    names::{end_cause, evidence, owner, owner_change_cause, state},
    one_line,
};
use parameters::{pairs, with};
use requests::{availability_words, call, closed_words, escalation_words};

/// What an event says, on one line. Values marked personal are left out.
pub fn words(event: &Event) -> String {
    let words = match &event.body {
        None => "a kind of event that this version does not know".to_owned(),
        Some(body) => body_words(event, body),
    };
    one_line(words.trim()).into_owned()
}

fn body_words(event: &Event, body: &Body) -> String {
    match body {
        Body::ConversationStarted(started) => started_words(started),
        Body::ConversationEnded(ended) => {
            format!(
                "session {} ended {}",
                event.session,
                end_cause(ended.cause())
            )
        }
        Body::VisitorMessage(message) => visitor_words(message),
        Body::DeliveryChanged(changed) => delivery_words(changed),
        Body::AgentMessage(message) => agent_words(message),
        Body::ActionRequested(action) => call(action),
        Body::EscalationRequested(escalation) => escalation_words(escalation),
        Body::AvailabilityRequested(check) => availability_words(check),
        Body::RequestClosed(closed) => closed_words(closed),
        Body::OwnerChanged(changed) => owner_words(changed),
        Body::HumanMessage(message) => human_words(message),
        Body::TicketReplied(TicketReplied { text, .. }) => text.clone(),
        Body::ParametersUpdated(updated) => updated_words(updated),
        Body::PlatformAlert(PlatformAlert { name, .. }) => name.clone(),
        Body::UnknownPlatformEvent(UnknownPlatformEvent { event_type, raw }) => {
            format!("{event_type} {raw}")
        }
        Body::Erased(erased) if !erased.receipt_id.is_empty() => format!(
            "erased through sequence {}, receipt {}",
            erased.through_sequence, erased.receipt_id
        ),
        Body::Erased(_) => "what stood here was erased".to_owned(),
    }
}

/// A button as it reads beside others: its label in brackets, and where a link leads.
pub(in crate::commands) fn button(button: &Button) -> String {
    match (button.kind(), button.link.as_str()) {
        (ButtonKind::Link, "") => format!("[{}, a link]", button.label),
        (ButtonKind::Link, link) => format!("[{} -> {link}]", button.label),
        _ => format!("[{}]", button.label),
    }
}

/// A delivery that does not go as it should, as a sentence; `None` for one that does.
pub(in crate::commands) fn delivery_trouble(
    reached: DeliveryState,
    reason: &str,
) -> Option<String> {
    let sentence = match reached {
        DeliveryState::Queued => "Not sent yet: it waits for the agent and is sent by itself",
        DeliveryState::Unknown => {
            "Sent, but whether the agent got it cannot be known; it is not sent again by itself"
        }
        DeliveryState::Failed => "Not delivered",
        DeliveryState::Held => {
            "Recorded, not sent to the agent: it is not the agent who answers now"
        }
        DeliveryState::Superseded => {
            "Not sent to the agent: somebody else took over before it could be"
        }
        DeliveryState::Unspecified | DeliveryState::Attempting | DeliveryState::Delivered => {
            return None;
        }
    };
    Some(format!("{sentence}{}.", cause(reason)))
}

/// A reason in brackets, where there is one.
pub(in crate::commands) fn cause(reason: &str) -> String {
    match reason {
        "" => String::new(),
        reason => format!(" ({reason})"),
    }
}

fn started_words(started: &ConversationStarted) -> String {
    let what = if started.resumed { "resumed" } else { "opened" };
    let visitor = started
        .visitor
        .as_ref()
        .map_or("", |visitor| &visitor.visitor_id);
    let by = if visitor.is_empty() {
        String::new()
    } else {
        format!(" by {visitor}")
    };
    format!("{what}{by}{}", with(&started.parameters))
}

fn visitor_words(message: &VisitorMessage) -> String {
    let said = match &message.content {
        Some(Content::Text(text)) => text.clone(),
        Some(Content::Choice(Choice {
            label,
            card_index: Some(card),
            ..
        })) => {
            format!("[{label}] on card {}", i64::from(*card) + 1)
        }
        Some(Content::Choice(Choice { label, .. })) => format!("[{label}]"),
        None => String::new(),
    };
    let held = if message.held {
        " (held: not sent to the agent)"
    } else {
        ""
    };
    format!("{said}{}{held}", with(&message.parameters))
}

fn agent_words(message: &AgentMessage) -> String {
    let buttons = message.buttons.iter().map(button);
    let cards = message.cards.iter().enumerate().map(|(index, card)| {
        let buttons: Vec<_> = card.buttons.iter().map(button).collect();
        format!("| {}. {} {}", index + 1, card.title, buttons.join(" "))
    });
    let unknown = (!message.unknown_type.is_empty()).then(|| format!("({})", message.unknown_type));
    let parts: Vec<_> = [message.text.clone()]
        .into_iter()
        .chain(buttons)
        .chain(cards)
        .chain(unknown)
        .collect();
    parts.join(" ")
}

fn delivery_words(changed: &DeliveryChanged) -> String {
    let subject = match &changed.subject {
        Some(Subject::MessageId(id)) => format!("message {id}"),
        Some(Subject::CommandId(id)) => format!("command {id}"),
        Some(Subject::RequestId(id)) => format!("answer to request {id}"),
        Some(Subject::EventId(id)) => format!("to the visitor's side, event {id}"),
        None => "something".to_owned(),
    };
    let attempt = match changed.attempt {
        0 | 1 => String::new(),
        attempt => format!(", attempt {attempt}"),
    };
    let detail = match changed.detail.as_str() {
        "" => String::new(),
        detail => format!(": {detail}"),
    };
    format!(
        "{subject} {}{}{attempt}{detail}",
        state(changed.state()),
        cause(&changed.reason)
    )
}

fn owner_words(changed: &OwnerChanged) -> String {
    let note = match changed.note.as_str() {
        "" => String::new(),
        note => format!(": {note}"),
    };
    // The other causes say already what they rest on.
    let evidence = match changed.cause() {
        OwnerChangeCause::Observed => format!(", {}", evidence(changed.evidence())),
        _ => String::new(),
    };
    format!(
        "{} after {} ({}{evidence}){note}",
        owner(changed.to()),
        owner(changed.from()),
        owner_change_cause(changed.cause())
    )
}

fn human_words(message: &HumanMessage) -> String {
    let name = if message.name.is_empty() {
        "a human"
    } else {
        &message.name
    };
    match message.kind() {
        HumanMessageKind::Text => format!("{name}: {}", message.text),
        HumanMessageKind::Joined => format!("{name} joined"),
        HumanMessageKind::Queue => {
            let place = message
                .queue_position
                .map_or(String::new(), |at| format!(", place {at}"));
            let time = message.waiting_time.map_or(String::new(), |time| {
                format!(
                    ", about {} min",
                    time.seconds.max(0).unsigned_abs().div_ceil(60)
                )
            });
            format!("waiting for a human{place}{time}")
        }
        HumanMessageKind::Left => format!("{name} left"),
        HumanMessageKind::Failed => "nobody could take over".to_owned(),
        HumanMessageKind::Unspecified => message.text.clone(),
    }
}

fn updated_words(updated: &ParametersUpdated) -> String {
    let kept = if updated.kept {
        " (kept for the next session)"
    } else {
        ""
    };
    format!("{}{kept}", pairs(&updated.parameters))
}
