//! What happened, in words, for whoever reads a failure.

use super::ledger::Ledger;
use crate::domain::{ConversationKey, Delivery, DeliveryState, EventBody, NewEvent};

pub(super) fn event(ledger: &Ledger, event: &NewEvent) -> String {
    let what = match &event.body {
        EventBody::OwnerChanged {
            from,
            to,
            cause,
            known,
            ..
        } => format!("owner {from:?} -> {to:?} ({cause:?}, {:?})", known.evidence),
        EventBody::AgentMessage(message) => format!("agent says {}", message.text),
        EventBody::VisitorMessage(said) => format!(
            "visitor says {}{}",
            said.content.text(),
            if said.held { " (held)" } else { "" }
        ),
        EventBody::HumanMessage(said) => format!("human says {}", said.text),
        EventBody::DeliveryChanged { state, reason, .. } => {
            format!("delivery {state:?} {reason:?}")
        }
        EventBody::RequestClosed {
            outcome, answer, ..
        } => format!("request closed {outcome:?} {answer:?}"),
        EventBody::ConversationEnded { cause, .. } => format!("ended {cause:?}"),
        EventBody::PlatformAlert { name, .. } => format!("alert {name}"),
        other => format!("{other:?}"),
    };
    let key = event
        .key
        .as_ref()
        .map_or(String::new(), |key| name(ledger, key));
    let superseded = if event.superseded { " SUPERSEDED" } else { "" };
    format!(
        "{key} #{} e{} {what}{superseded}",
        event.sequence, event.owner_epoch
    )
}

pub(super) fn row(ledger: &Ledger, row: &Delivery, before: Option<DeliveryState>) -> String {
    let before = before.map_or("new".to_owned(), |state| format!("{state:?}"));
    format!(
        "{} row {:?} #{} e{} part {}: {before} -> {:?} {}",
        name(ledger, &row.key),
        row.kind,
        row.sequence,
        row.owner_epoch,
        row.part,
        row.state,
        row.reason.map_or("", |reason| reason.as_str()),
    )
}

fn name(ledger: &Ledger, key: &ConversationKey) -> String {
    let address = ledger.addresses.iter().find(|(_, known)| *known == key);
    address.map_or("new".to_owned(), |(address, _)| format!("c{address}"))
}
